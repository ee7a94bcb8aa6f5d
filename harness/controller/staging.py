"""The worker's own code, copied to where a build's interpreter sees it and nothing else of ours."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import harness

PACKAGES = ("wire", "worker")


def staged_worker(cache: Path) -> Path:
    """Return a folder whose only package is `harness` with what a worker needs.

    It is named by its content, so that it is made once and its compiled code is kept.
    """
    source = Path(harness.__file__).parent
    files = [source / "__init__.py"]
    files += sorted(path for name in PACKAGES for path in (source / name).rglob("*.py"))
    folder = cache / "worker" / _content_key(source, files)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            making = Path(temporary, "made")
            for path in files:
                copy = making / "harness" / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            _rename_unless_there(making, folder)
    return folder


def _content_key(source: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(source)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _rename_unless_there(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another process was faster, with the same content
            raise
