"""A folder that shows a fault with nothing of ours: what stands in it, as text."""

from __future__ import annotations

import pprint
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.environments.scripts import metadata
from harness.wire.malformed import Wrong
from harness.wire.providers import CHAINS
from harness.wire.settings import SessionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.matrix import Cell

SHOWS = 1
"""The exit code of a repro.py that shows the fault."""

OF_THE_HARNESS = frozenset({"memray"})
"""What is installed beside a build for the harness's sake only."""

TEMPLATE = Path(__file__).with_name("repro.py.txt")

OPTIMISATION_LEVELS = {
    "none": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}


class Kind(StrEnum):
    """How a fault shows."""

    DEATH = "death"
    """The process ends or hangs."""
    ERROR = "error"
    """ONNX Runtime refuses what it should take."""
    MISMATCH = "mismatch"
    """An output is not what it should be."""
    LEAK = "leak"
    """Each run leaves memory behind."""
    FALLBACK = "fallback"
    """Another provider runs the model, and nothing says so."""
    TAKEN = "taken"
    """A model that means nothing is not refused when it is opened."""
    UNTYPED = "untyped"
    """It is refused in a way that no caller can tell from a mistake of its own."""
    UNSET = "unset"
    """The answer is another one with other garbage in fresh memory."""
    UNDECLARED = "undeclared"
    """An output is of another type or shape than the session says."""

    @classmethod
    def of(cls, wrong: Wrong) -> Kind:
        """Return how a wrong answer to a malformed model shows."""
        match wrong:
            case Wrong.ACCEPTED | Wrong.LATE:
                return cls.TAKEN
            case Wrong.UNTYPED:
                return cls.UNTYPED
            case Wrong.UNSET:
                return cls.UNSET
        return cls.UNDECLARED


@dataclass(frozen=True, kw_only=True)
class Reproducer:
    """One fault of one build, and everything that it takes to see it."""

    case: str
    """Where it was found."""
    cell: Cell
    numpy: str
    """The numpy release that it was seen with."""
    kind: Kind
    what: str
    """What happens, in one line."""
    status: str = ""
    """The status, or the class of the exception, that an ERROR or UNTYPED one has by name."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """How each value is stored, by name; see `forms`."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    rtol: float = 0.0
    atol: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    deadline_s: float = 60.0

    @property
    def requirements(self) -> tuple[str, ...]:
        """What has to be installed."""
        build, *others = self.cell.build.requirements
        if self.kind is Kind.FALLBACK:  # it shows without gigabytes of a device's libraries as well
            others = []
        return (build, *(o for o in others if o not in OF_THE_HARNESS), f"numpy=={self.numpy}")


def script(fault: Reproducer) -> str:
    """Return the text of repro.py."""
    head = (
        f'{metadata(fault.cell.python, fault.requirements)}"""{_quoted(fault.what)}\n\n'
        "Exits with 1 where the fault shows, with 0 where it is gone, and with 2 where neither\n"
        "can be told. Needs onnxruntime and numpy only: `uv run repro.py` installs them,\n"
        f"`pip install {' '.join(repr(one) for one in fault.requirements)}` does it by hand.\n"
        '"""\n\n'
    )
    body = TEMPLATE.read_text(encoding="utf-8")
    return head + body.replace("#FACTS#", _facts(fault)).replace("#CHECK#", CHECKS[fault.kind])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''").rstrip('"')


def _facts(fault: Reproducer) -> str:
    settings = SessionSettings(intra_threads=1, inter_threads=1).turned(dict(fault.settings))
    options: dict[str, Any] = {
        "intra_op_num_threads": settings.intra_threads,
        "inter_op_num_threads": settings.inter_threads,
        "enable_cpu_mem_arena": settings.arena,
        "enable_mem_pattern": settings.memory_pattern,
    }
    left_out = list(settings.without_optimisers)
    link = CHAINS[fault.cell.variant.device][0]
    added = fault.cell.variant.providers.get(link.provider, {})
    facts = {
        "WHAT": fault.what,
        "PROVIDER": str(link.provider),
        "PROVIDER_OPTIONS": {**added, **link.options},
        "SESSION_OPTIONS": {name: to for name, to in options.items() if to is not None},
        "SESSION_CONFIG": dict(settings.config),
        "SESSION_ARGUMENTS": {"disabled_optimizers": left_out} if left_out else {},
        "OPTIMISATION": OPTIMISATION_LEVELS.get(str(settings.optimisation), ""),
        # glibc fills new memory with it: what a build never sets is the same garbage each time.
        "ENVIRONMENT": {"MALLOC_PERTURB_": "165", **fault.cell.variant.environment},
        "DEADLINE_S": fault.deadline_s,
        "INPUTS": dict(fault.inputs),
        "OUTPUTS": dict(fault.outputs),
        **({"STATUS": fault.status} if fault.kind in (Kind.ERROR, Kind.UNTYPED) else {}),
        **({"RTOL": fault.rtol, "ATOL": fault.atol} if fault.kind is Kind.MISMATCH else {}),
    }
    return "\n".join(f"{name} = {_literal(value)}" for name, value in facts.items())


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=96, sort_dicts=False)


DEATH_CHECK = '''\
def CHECK():
    """Run the model: where the process lives on, with an answer or an error, the fault is gone."""
    try:
        answers()
    except FileNotFoundError:
        raise
    except Exception as error:
        print(f"GONE: the process lives on, with {type(error).__name__}: {error}")
    else:
        print("GONE: the process lives on, with an answer")
    return GONE

'''

ERROR_CHECK = '''\
def CHECK():
    """Run the model: it is right, and must be taken."""
    try:
        answers()
    except FileNotFoundError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if STATUS and STATUS not in text and type(error).__name__ != STATUS:
            print(f"CANNOT TELL: another error: {text}")
            return CANNOT_TELL
        print(f"SHOWS: {text}")
        return SHOWS
    print("GONE: the model is taken and run")
    return GONE

'''

MISMATCH_CHECK = '''\
def CHECK():
    """Run the model and compare its outputs with expected.npz."""
    wanted = read("expected.npz", OUTPUTS)
    wrong = [
        text
        for name, got, want in zip(wanted, answers(), wanted.values(), strict=True)
        if (text := difference(name, got, want))
    ]
    print("\\n".join(wrong) or f"GONE: within {ATOL:g} + {RTOL:g} * |want|")
    return SHOWS if wrong else GONE


def difference(name, got, want):
    """Return how an output differs from what is right, or ""."""
    import numpy as np

    if isinstance(want, list):
        pairs = enumerate(zip(got, want)) if len(got) == len(want) else []
        parts = [difference(f"{name}[{at}]", *pair) for at, pair in pairs]
        length = "" if pairs else f"SHOWS: {name}: {len(got)} elements, right are {len(want)}"
        return next(filter(None, parts), length if want else "")
    if isinstance(want, dict):
        return "" if got == want else f"SHOWS: {name}: got {got}, right is {want}"
    got, want = plain(got), plain(want)
    if got.dtype.kind not in "OUS" and got.dtype != want.dtype:
        return f"SHOWS: {name}: of type {got.dtype}, right is {want.dtype}"
    if got.shape != want.shape:
        return f"SHOWS: {name}: of shape {got.shape}, right is {want.shape}"
    if got.dtype.kind in "OUSb":
        alike = np.asarray(got == want)
    else:
        wide = np.complex128 if got.dtype.kind == "c" else np.float64
        alike = np.isclose(got.astype(wide), want.astype(wide), RTOL, ATOL, equal_nan=True)
    if alike.all():
        return ""
    at = tuple(int(i) for i in np.argwhere(~alike)[0])
    count = int((~alike).sum())
    said = f"SHOWS: {name}{list(at)} is {got[at]}, right is {want[at]}"
    return f"{said}; {count} of {want.size} differ"


def plain(value):
    """Return an array: of bfloat16 its numbers, of other types that numpy lacks their bytes."""
    import numpy as np

    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    shape, bfloat16 = tuple(value.shape()), 16
    try:
        return value.numpy()
    except Exception:
        size = int(np.prod(shape)) * 2 if value.element_type() == bfloat16 else None
    if size is None:
        bits = {21: 4, 22: 4, 23: 4, 25: 2, 26: 2}.get(value.element_type(), 8)
        count = (int(np.prod(shape)) * bits + 7) // 8
        return np.frombuffer(ctypes.string_at(value.data_ptr(), count), np.uint8)
    codes = np.frombuffer(ctypes.string_at(value.data_ptr(), size), np.uint16)
    return (codes.astype(np.uint32) << 16).view(np.float32).reshape(shape)

'''

LEAK_CHECK = '''\
RUNS, WINDOWS, TRACED, RESIDENT = 5000, 4, 16, 64


def CHECK():
    """Run the model on new values again and again: no window of runs may leave memory behind.

    TRACED bytes a run of Python's own memory are a leak, and RESIDENT bytes of the process's.
    """
    import tracemalloc

    made, given = session(), read("inputs.npz", INPUTS)
    runs(made, given)
    tracemalloc.start()
    runs(made, given)
    levels = [(tracemalloc.get_traced_memory()[0], resident())]
    for _ in range(WINDOWS):
        runs(made, given)
        levels.append((tracemalloc.get_traced_memory()[0], resident()))
    shows = False
    for name, side, least in (("Python's memory", 0, TRACED), ("resident memory", 1, RESIDENT)):
        growths = [(after[side] - before[side]) / RUNS for before, after in zip(levels, levels[1:])]
        said = ", ".join(f"{growth:.1f}" for growth in growths)
        grows = min(growths) >= least
        shows = shows or grows
        print(f"{'SHOWS' if grows else 'GONE'}: {name}: bytes that each run left behind: {said}")
    return SHOWS if shows else GONE


def runs(made, given):
    import gc

    for run in range(RUNS):
        made.run(None, {name: fresh(value, run) for name, value in given.items()})
    gc.collect()


def fresh(value, run):
    """Return an array of new objects: the same one again and again would take no memory."""
    import numpy as np

    if value.dtype.kind != "O":
        return value.copy()
    made = np.empty(value.shape, object)
    made[...] = f"{run:040d}"
    for at in np.ndindex(value.shape):
        made[at] = f"{run:040d}{at}"
    return made


def resident():
    """Return the bytes of the process's resident memory; 0 where the system does not tell."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError):
        return 0

'''

FALLBACK_CHECK = '''\
def CHECK():
    """Open the model on the provider alone: either it gets it, or it must be told."""
    try:
        found = session().get_providers()
    except FileNotFoundError:
        raise
    except Exception as error:
        print(f"GONE: it is told: {type(error).__name__}: {error}")
        return GONE
    silent = PROVIDER not in found
    print(f"{'SHOWS: no error, and' if silent else 'GONE:'} the session has {', '.join(found)}")
    return SHOWS if silent else GONE

'''

TAKEN_CHECK = '''\
def CHECK():
    """Open the model: it means nothing, and has to be refused."""
    try:
        session()
    except FileNotFoundError:
        raise
    except Exception as error:
        print(f"GONE: refused: {type(error).__name__}: {error}")
        return GONE
    print("SHOWS: the model is taken")
    try:
        answers()
    except Exception as error:
        print(f"and refused when it is run: {type(error).__name__}: {error}")
    return SHOWS

'''

UNTYPED_CHECK = '''\
def CHECK():
    """Open and run the model: a refusal has to be one of ONNX Runtime's own exceptions."""
    try:
        made = session()
        for slot in (*made.get_inputs(), *made.get_outputs()):
            str(slot)
        answers()
    except FileNotFoundError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        if type(error).__name__ == STATUS:
            print(f"SHOWS: {said}")
            return SHOWS
        is_own = type(error).__module__.startswith("onnxruntime")
        print(f"GONE: {said}" if is_own else f"CANNOT TELL: another error: {said}")
        return GONE if is_own else CANNOT_TELL
    print("GONE: the model is taken and run")
    return GONE

'''

UNSET_CHECK = '''\
M_PERTURB, GARBAGE = -6, (90, 165)


def CHECK():
    """Run the model with other garbage in fresh memory: nothing of it may come out."""
    got = [with_garbage(byte) for byte in GARBAGE]
    for at, (one, other) in enumerate(zip(*got)):
        if one != other:
            print(f"SHOWS: output {at} is not the same with other garbage in fresh memory")
            return SHOWS
    print("GONE: the same each time")
    return GONE


def with_garbage(byte):
    ctypes.CDLL(None).mallopt(M_PERTURB, byte)
    return [bits(value) for value in answers()]


def bits(value):
    if isinstance(value, list):
        return [bits(one) for one in value]
    return value.tolist() if value.dtype == object else value.tobytes()

'''

UNDECLARED_CHECK = '''\
def CHECK():
    """Run the model and compare the shape of each output with the one that the session declares."""
    import numpy as np

    shows = False
    for slot, value in zip(session().get_outputs(), answers(), strict=True):
        shape, declared = np.shape(value), slot.shape
        is_so = len(shape) == len(declared) and all(
            got == size for got, size in zip(shape, declared) if isinstance(size, int) and size >= 0
        )
        shows = shows or not is_so
        said = f"{slot.name} is declared {declared} and is {list(shape)}"
        print(f"{'GONE' if is_so else 'SHOWS'}: {said}")
    return SHOWS if shows else GONE

'''

CHECKS = {
    Kind.DEATH: DEATH_CHECK,
    Kind.ERROR: ERROR_CHECK,
    Kind.MISMATCH: MISMATCH_CHECK,
    Kind.LEAK: LEAK_CHECK,
    Kind.FALLBACK: FALLBACK_CHECK,
    Kind.TAKEN: TAKEN_CHECK,
    Kind.UNTYPED: UNTYPED_CHECK,
    Kind.UNSET: UNSET_CHECK,
    Kind.UNDECLARED: UNDECLARED_CHECK,
}
"""The function of each kind, as it stands in repro.py."""
