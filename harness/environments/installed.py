"""What stands in an environment, read from the RECORD files that its installer left.

Format: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def distributions(site_packages: Path) -> dict[str, str]:
    """Return the version of every installed distribution by its canonical name."""
    names = sorted(path.name for path in site_packages.glob("*.dist-info"))
    parts = (name.removesuffix(".dist-info").partition("-") for name in names)
    return {canonicalize_name(name): version for name, _, version in parts}


def owners(site_packages: Path, package: str) -> dict[str, str]:
    """Return the version of every distribution that installed the import package `package`."""
    named = {
        canonicalize_name(record.parent.name.partition("-")[0])
        for record in _records(site_packages)
        if any(path == f"{package}/__init__.py" for path, _ in _entries(record))
    }
    standing = distributions(site_packages)
    return {name: standing[name] for name in sorted(named)}


def damage(site_packages: Path) -> str | None:
    """Return the first fault found, a file that is missing or not of its recorded size; else None.

    It costs milliseconds, so it looks at sizes only: a file changed at equal length is not noticed.
    """
    for record in _records(site_packages):
        try:
            for path, size in _entries(record):
                found = (site_packages / path).stat().st_size
                if size is not None and found != size:
                    return f"{path} has {found} bytes, not {size}"
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        except ValueError as error:
            return f"{record} cannot be read: {error}"
    return None


def _records(site_packages: Path) -> list[Path]:
    return [folder / "RECORD" for folder in sorted(site_packages.glob("*.dist-info"))]


def _entries(record: Path) -> Iterator[tuple[str, int | None]]:
    with record.open(encoding="utf-8", newline="") as lines:
        for path, _, size in csv.reader(lines):
            yield path, int(size) if size else None
