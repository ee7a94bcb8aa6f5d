"""Wheel files in a folder, by the requirement that they meet and by what is in them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from harness.errors import EnvironmentUnusableError

if TYPE_CHECKING:
    from pathlib import Path


def wheels_of(requirement: str, folder: Path) -> list[Path]:
    """Return the wheels in `folder` that meet the requirement, for whatever platform they are."""
    wanted = Requirement(requirement)
    return [path for path in sorted(folder.glob("*.whl")) if _meets(path.name, wanted)]


def checksums(wheel: Path) -> list[tuple[str, int]]:
    """Return each file in the wheel with its checksum: equal for equal content, read in no time.

    Raises:
        EnvironmentUnusableError: the file is no archive, or a part of one.

    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return [(member.filename, member.CRC) for member in archive.infolist()]
    except zipfile.BadZipFile as error:
        raise EnvironmentUnusableError(f"{wheel} is no wheel: {error}") from error


def _meets(filename: str, wanted: Requirement) -> bool:
    try:
        name, version, *_ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        # An installer passes it over as well.
        return False
    meets = wanted.specifier.contains(version, prereleases=True)
    return meets and name == canonicalize_name(wanted.name)
