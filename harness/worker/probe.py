"""What this build and this host offer, asked of the build itself."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from harness.wire.messages import PROTOCOL, Hello
from harness.wire.settings import SessionSettings
from harness.worker.bindings import Binding, BindingError
from harness.worker.models import smallest

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAINS = ("", "ai.onnx.ml", "ai.onnx.preview.training", "ai.onnx.training", "com.microsoft")
HIGHEST_ASKED = 64
"""Opsets and IR versions are asked up to here: twice what exists, so that the loop always ends."""


def hello() -> Hello:
    """Return what this worker is; importing onnxruntime may raise anything at all."""
    import onnxruntime  # noqa: PLC0415 - the hello is the first to find out whether it can be

    return Hello(
        protocol=PROTOCOL,
        release=onnxruntime.__version__,
        distributions=_owners("onnxruntime"),
        providers=tuple(onnxruntime.get_available_providers()),
        python=platform.python_version(),
        numpy=np.__version__,
    )


def _owners(package: str) -> tuple[str, ...]:
    """Return the distributions that say they installed files of `package`, as ``name==version``."""
    owners = {
        f"{distribution.metadata['Name']}=={distribution.version}"
        for distribution in metadata.distributions()
        for file in distribution.files or ()
        if file.parts[0] == package and file.name == "__init__.py" and len(file.parts) == 2  # noqa: PLR2004
    }
    return tuple(sorted(owners))


def highest_opset(domain: str, binding: Binding) -> int:
    """Return the highest opset version of a domain that the build loads; 0 where it loads none."""
    if domain not in _HIGHEST:
        _HIGHEST[domain] = _highest(lambda n: smallest.identity(opsets={domain: n}), binding)
    return _HIGHEST[domain]


def highest_ir(binding: Binding) -> int:
    """Return the highest IR version that the build loads."""
    if "IR" not in _HIGHEST:
        _HIGHEST["IR"] = _highest(lambda n: smallest.identity(ir=n), binding, start=3)
    return _HIGHEST["IR"]


_HIGHEST: dict[str, int] = {}
"""What was found already: a process serves one build, whose range does not change."""


def _highest(model: Callable[[int], bytes], binding: Binding, *, start: int = 1) -> int:
    highest = 0
    for version in range(start, HIGHEST_ASKED):
        try:
            binding.create(
                model(version),
                provider="CPUExecutionProvider",
                options={},
                settings=SessionSettings(intra_threads=1),
            )
        except BindingError:
            if highest:  # low opsets of some domains are refused too: the range may start later
                break
        else:
            highest = version
    return highest


def beyond_range(ir: int, opsets: dict[str, int], binding: Binding) -> str:
    """Return what a model asks beyond the build's range, or "" where it keeps within it."""
    if ir > (most := highest_ir(binding)):
        return f"IR version {ir}: the build loads up to {most}"
    for domain, version in opsets.items():
        if domain in DOMAINS and version > (most := highest_opset(domain, binding)):
            return f"opset {version} of {domain or 'ai.onnx'}: the build loads up to {most}"
    return ""
