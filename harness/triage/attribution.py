"""Which one thing, turned, makes a failure go away; pure.

What asks a cell is passed in. An axis decides where one of its turns mends the case; where none
does, none alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from harness.matrix import ON_CPU
from harness.signatures import Signature, signature
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, ExecutionProvider
from harness.wire.settings import Execution, Optimisation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.matrix import Cell
    from harness.results import CaseResult


class Axis(StrEnum):
    """What can be turned by itself."""

    OPTIMISATION = "graph optimisation"
    OPTIMISER = "optimiser"
    EXECUTION = "execution mode"
    INTRA_THREADS = "intra-op threads"
    INTER_THREADS = "inter-op threads"
    ARENA = "arena"
    MEMORY_PATTERN = "memory pattern"
    PROVIDER = "execution provider"
    PROVIDER_OPTION = "provider option"
    NUMPY = "numpy"
    PYTHON = "Python"
    CPU_FEATURES = "CPU features"


class Effect(StrEnum):
    """What a turn does to a failure."""

    MENDS = "mends it"
    CHANGES = "fails otherwise"
    NOTHING = "the same"
    NOT_TOLD = "cannot be told"


@dataclass(frozen=True, kw_only=True)
class Flip:
    """One axis at one value, everything else as it is."""

    axis: Axis
    value: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """As `SessionSettings.turned` takes them."""
    variant: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the cell's variant in place of its own."""
    python: str = ""
    """The Python in place of the cell's own."""

    def on(self, cell: Cell) -> Cell:
        """Return the cell as it is turned."""
        return replace(cell.turned(self.variant), python=self.python or cell.python)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """An axis that cannot be turned, and why."""

    axis: Axis
    reason: str


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of a turn."""

    flip: Flip
    effect: Effect
    said: str
    """The signature, or why there is none."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What is to be explained: equal results are the same failure."""

    signature: Signature
    by_outcome: bool = False
    """Whether the signature is another each time, so that the outcome alone is compared."""

    def effect(self, result: CaseResult) -> Effect:
        """Return what a turn did that gave this result."""
        if not result.outcome.is_about_the_build:
            return Effect.NOT_TOLD
        if result.outcome is Outcome.PASS:
            return Effect.MENDS
        if result.outcome is not self.signature.outcome:
            return Effect.CHANGES
        same = self.by_outcome or signature(result) == self.signature
        return Effect.NOTHING if same else Effect.CHANGES


def steady(results: Sequence[CaseResult]) -> Failure | None:
    """Return the failure that all results show; None where they are not of one outcome."""
    if len({result.outcome for result in results}) > 1:
        return None
    signatures = {signature(result) for result in results}
    return Failure(signature=signature(results[0]), by_outcome=len(signatures) > 1)


def deciding(tried: Sequence[Tried]) -> tuple[Axis, ...]:
    """Return the axes of which a turn mends the failure, in the order of the axes."""
    found = {one.flip.axis for one in tried if one.effect is Effect.MENDS}
    return tuple(axis for axis in Axis if axis in found)


def begins_at(tried: Sequence[Tried]) -> str:
    """Return the first optimisation level that no longer mends; empty where none mends before."""
    levels = [one for one in tried if one.flip.axis is Axis.OPTIMISATION]
    mends = [one.effect is Effect.MENDS for one in levels]
    if not mends or not mends[0] or all(mends):
        return ""
    return levels[mends.index(False)].flip.value


def smallest(names: Sequence[str], mends: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """Return names that mend when left out together, of which none can be spared; () for none.

    One alone is found in two questions for each halving; several that only together mend, too.
    Source: Zeller, Simplifying and Isolating Failure-Inducing Input (ddmin).
    """
    if not mends(names):
        return ()
    left, parts = list(names), 2
    while len(left) > 1:
        size = -(-len(left) // parts)
        chunks = [left[at : at + size] for at in range(0, len(left), size)]
        rests = [[one for one in left if one not in chunk] for chunk in chunks]
        found = next((some for some in (*chunks, *rests) if some != left and mends(some)), None)
        if found is not None:
            parts = 2 if found in chunks else max(parts - 1, 2)
            left = found
        elif parts >= len(left):
            break
        else:
            parts = min(2 * parts, len(left))
    return tuple(left)


def without(names: Sequence[str]) -> Flip:
    """Return the turn that leaves optimisers out."""
    return Flip(
        axis=Axis.OPTIMISER,
        value=f"without {', '.join(names)}",
        settings={"without_optimisers": list(names)},
    )


def session_flips() -> Iterator[Flip]:
    """Return every turn of a session's settings, the cheapest there are: no new worker is needed.

    Both values of what has two are asked: which of them a case has set itself is not known here.
    """
    for level in Optimisation:
        yield Flip(axis=Axis.OPTIMISATION, value=level, settings={"optimisation": level})
    for mode in Execution:
        yield Flip(axis=Axis.EXECUTION, value=mode, settings={"execution": mode})
    for threads in (1, 2, 4):
        intra = {"intra_threads": threads}
        yield Flip(axis=Axis.INTRA_THREADS, value=str(threads), settings=intra)
    for threads in (1, 2):
        inter = {"inter_threads": threads, "execution": str(Execution.PARALLEL)}
        value = f"{threads}, execution parallel"
        yield Flip(axis=Axis.INTER_THREADS, value=value, settings=inter)
    for axis, name in ((Axis.ARENA, "arena"), (Axis.MEMORY_PATTERN, "memory_pattern")):
        for on in (False, True):
            yield Flip(axis=axis, value="on" if on else "off", settings={name: on})


OPTIONS: Mapping[ExecutionProvider, tuple[tuple[str, str], ...]] = {
    # https://onnxruntime.ai/docs/execution-providers/OpenVINO-ExecutionProvider.html
    ExecutionProvider.OPENVINO: (
        *(("precision", "FP32"), ("precision", "ACCURACY")),
        *(("num_of_threads", "1"), ("num_streams", "1")),
        *(("disable_dynamic_shapes", "true"), ("disable_dynamic_shapes", "false")),
        ("enable_qdq_optimizer", "true"),
    ),
    # https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
    ExecutionProvider.CUDA: (
        *(("use_tf32", "0"), ("cudnn_conv_algo_search", "DEFAULT")),
        *(("cudnn_conv_algo_search", "HEURISTIC"), ("cudnn_conv_use_max_workspace", "0")),
        *(("enable_skip_layer_norm_strict_mode", "1"), ("do_copy_in_default_stream", "0")),
        *(("prefer_nhwc", "1"), ("arena_extend_strategy", "kSameAsRequested")),
    ),
    # https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html
    ExecutionProvider.TENSORRT: (
        *(("trt_layer_norm_fp32_fallback", "1"), ("trt_build_heuristics_enable", "1")),
        *(("trt_builder_optimization_level", "0"), ("trt_cuda_graph_enable", "0")),
    ),
    # https://onnxruntime.ai/docs/execution-providers/ROCm-ExecutionProvider.html
    ExecutionProvider.ROCM: (
        *(("miopen_conv_exhaustive_search", "1"), ("tunable_op_enable", "1")),
        *(("do_copy_in_default_stream", "0"), ("arena_extend_strategy", "kSameAsRequested")),
    ),
    # https://onnxruntime.ai/docs/execution-providers/MIGraphX-ExecutionProvider.html
    ExecutionProvider.MIGRAPHX: (("migraphx_exhaustive_tune", "1"),),
}
"""Options of each provider that change how it computes, one value each that is not its default."""

ONEDNN_ISA = ("SSE41", "AVX2", "AVX512_CORE")
"""What oneDNN can be held back to, see
https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html."""

WITHOUT_VECTORS = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-FMA,-ERMS"
"""Has glibc's memory and mathematics functions take their plain forms, see
https://www.gnu.org/software/libc/manual/html_node/Hardware-Capability-Tunables.html."""


def build_flips(cell: Cell, numpy: str, pythons: Sequence[str]) -> Iterator[Flip | Missing]:
    """Return every turn that needs another worker or environment, and what cannot be turned.

    `numpy` is the release in the cell's environment, `pythons` are those that the host has.
    """
    yield from _provider_flips(cell)
    yield from _cpu_flips(cell)
    found = Version(numpy)
    older = [text for text in ("1.26", "2", "2.1") if found >= Version(text)][-2:]
    for limit in older:
        requirements = (*cell.variant.requirements, f"numpy<{limit}")
        yield Flip(axis=Axis.NUMPY, value=f"<{limit}", variant={"requirements": requirements})
    if not older:
        yield Missing(axis=Axis.NUMPY, reason=f"{numpy} is the oldest for this Python")
    others = [one for one in cell.build.pythons if one != cell.python]
    here = [one for one in others if one in pythons]
    yield from (Flip(axis=Axis.PYTHON, value=one, python=one) for one in here)
    if not here:
        wanted = f"{cell.build.id} has wheels for {', '.join(others) or 'no other'}"
        reason = f"this host has no other Python of the build: {wanted}"
        yield Missing(axis=Axis.PYTHON, reason=reason)


def _provider_flips(cell: Cell) -> Iterator[Flip | Missing]:
    asked = CHAINS[cell.variant.device][0].provider
    if asked is ExecutionProvider.CPU:
        yield Missing(axis=Axis.PROVIDER, reason="the CPU EP is the one that is asked")
    else:
        yield Flip(axis=Axis.PROVIDER, value=ExecutionProvider.CPU, variant=ON_CPU)
    for name, value in OPTIONS.get(asked, ()):
        own = cell.variant.providers.get(asked, {})
        providers = {**cell.variant.providers, asked: {**own, name: value}}
        yield Flip(
            axis=Axis.PROVIDER_OPTION, value=f"{name}={value}", variant={"providers": providers}
        )
    if asked not in OPTIONS:
        yield Missing(axis=Axis.PROVIDER_OPTION, reason=f"{asked} has none that change results")


def _cpu_flips(cell: Cell) -> Iterator[Flip | Missing]:
    def under(name: str, value: str) -> Flip:
        environment = {**cell.variant.environment, name: value}
        shown = f"{name}={value}"
        return Flip(axis=Axis.CPU_FEATURES, value=shown, variant={"environment": environment})

    if CHAINS[cell.variant.device][0].provider is ExecutionProvider.OPENVINO:
        yield from (under("ONEDNN_MAX_CPU_ISA", isa) for isa in ONEDNN_ISA)
    yield under("GLIBC_TUNABLES", WITHOUT_VECTORS)
    yield Missing(
        axis=Axis.CPU_FEATURES, reason="MLAS, which computes for the CPU EP, has no switch for them"
    )
