"""A folder that is made once, by whoever needs it first, and read by all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import filelock

from harness.errors import HarnessFaultError

if TYPE_CHECKING:
    from collections.abc import Callable

Read = TypeVar("Read")


def made_once(
    folder: Path, read: Callable[[Path], Read | None], fill: Callable[[Path], None]
) -> Read:
    """Return what `read` finds in the folder; `fill` makes it where it is not there, or damaged.

    `fill` gets an empty folder, alone in a temporary one beside the place, which is renamed when
    all is written: a half-made one is never read. Raise HarnessFaultError where what was made
    cannot be read back.
    """
    found = read(folder)
    if found is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{folder}.lock"):
            found = read(folder)  # another process may have been faster
            if found is None:
                _make(folder, fill)
                found = read(folder)
    if found is None:
        raise HarnessFaultError(f"{folder}: the pack cannot be read back")
    return found


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    killed = [one for one in folder.parent.glob(f"{folder.name}.*") if one.is_dir()]
    for left in (folder, *killed):  # damaged, half removed, or left by whoever was killed over it
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as temporary:
        making = Path(temporary, "pack")
        making.mkdir()
        fill(making)
        making.rename(folder)
