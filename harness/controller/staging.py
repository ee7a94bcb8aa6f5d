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

    It is named by its content, so that it is made once and its compiled code is kept; what a
    cleaner took from it since is put back. Raise OSError where it cannot be made.
    """
    source = Path(harness.__file__).parent
    files = [source / "__init__.py"]
    files += sorted(path for name in PACKAGES for path in (source / name).rglob("*.py"))
    folder = cache / "worker" / _content_key(source, files)
    for path in files:
        copy = folder / "harness" / path.relative_to(source)
        if not copy.is_file() or copy.stat().st_size != path.stat().st_size:
            _copy(path, copy)
    return folder


def _copy(path: Path, copy: Path) -> None:
    """Copy so that a worker which starts just now sees the whole file or none."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix=".making-") as making:
        Path(shutil.copyfile(path, Path(making, copy.name))).replace(copy)


def _content_key(source: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(source)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
