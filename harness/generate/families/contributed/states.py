"""Operators of com.microsoft that carry a state over steps, of even and of packed sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.families.states import RULES, UNIT
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

FLOATS = ("float", "float16", "bfloat16")
GATES = ("none", "softplus", "sigmoid", "kda", "qwen")


def of_floats(drawing: Drawing, among: tuple[str, ...] = FLOATS) -> str:
    """Return a type of floats, most often float, and draw values whose sums are exact in it."""
    dtype = drawing.one_of((*("float",) * 4, *among))
    drawing.plain(Values.UNIT if dtype == "float" else Values.SMALL)
    return dtype


def packed(drawing: Drawing) -> tuple[list[int], Value]:
    """Return the lengths of some sequences, and the input that says where each begins and ends."""
    lengths = [drawing.between(1, 4) for _ in range(drawing.between(1, 3))]
    return lengths, drawing.constant("int32", np.cumsum([0, *lengths]))


def counts(drawing: Drawing, capacity: int | None, sequences: int) -> Value | None:
    """Return how many steps of each sequence are wanted, where any can be had."""
    if not capacity:
        return None
    return drawing.tensor("int32", (sequences,), limits=(0, capacity + 1))


def _window(drawing: Drawing) -> int | None:
    """Return how many states are kept; more than the last one only for EPs other than the CPU's."""
    return drawing.one_of((1, 3, 8)) if drawing.chance(8) else drawing.maybe(0)


@draws("com.microsoft.CausalConvWithState")
def causal_convolution(drawing: Drawing) -> None:
    """Draw few channels with a kernel each over one to three axes, in either layout."""
    drawing.plain(Values.UNIT)
    axes = 1 if drawing.chance(90) else drawing.between(2, 3)
    last = axes == 1 and drawing.chance(30)
    window = _window(drawing) if axes == 1 else None
    dilation = drawing.maybe(1, 2, 3)
    kernel = [drawing.one_of((1, 3)) for _ in range(axes - 1)] + [drawing.between(1, 4)]
    batch, length = drawing.between(1, 2), drawing.between(1, 6)
    split = [drawing.between(1, 3) for _ in range(drawing.between(1, 2) if last else 1)]
    channels = int(np.prod(split))
    space = [drawing.between(1, 4) for _ in range(axes - 1)]
    kept = (kernel[-1] - 1) * (dilation or 1)
    state = [batch, kept, *split] if last else [batch, channels, *space, kept]
    if window:
        state = [window, *state]
    if drawing.chance(WRONG):
        drawing.wrong("a state longer than the kernel reaches back")
        state[-2 if last else -1] += 1
    has_past = bool(drawing.faults) or drawing.chance(50)
    drawing.node(
        drawing.tensor(
            "float", [batch, length, *split] if last else [batch, channels, *space, length]
        ),
        drawing.tensor("float", [channels, 1, *kernel], is_parameter=True),
        drawing.tensor("float", [channels], is_parameter=True) if drawing.chance(60) else None,
        drawing.tensor("float", state) if has_past else None,
        outputs=2,
        types=(
            *typed("float", axes + 2 if not last else 2 + len(split)),
            *typed("float", len(state)),
        ),
        ndim=axes if axes > 1 else drawing.maybe(1),
        activation=drawing.maybe("none", "silu", "swish"),
        dilation=dilation,
        channels_last=1 if last else drawing.maybe(0),
        state_window=window,
    )


@draws("com.microsoft.LinearAttention")
def linear_attention(drawing: Drawing) -> None:
    """Draw each rule with what it needs, heads that share keys or queries, states in a window."""
    drawing.plain(Values.UNIT)
    rule = drawing.maybe(*RULES)
    window = _window(drawing)
    batch, steps, few = drawing.between(1, 2), drawing.between(1, 5), drawing.between(1, 2)
    many = few * drawing.one_of((1, 1, 2, 3))
    heads, shared = drawing.one_of(((many, few), (many, few), (few, many)))
    if drawing.chance(WRONG):
        drawing.wrong("heads that do not share evenly")
        heads, shared = 3, 2
    deep, deep_value = drawing.one_of((1, 2, 4)), drawing.one_of((1, 3, 4))
    forgets, corrects = rule not in ("linear", "delta"), rule not in ("linear", "gated")
    decay = (batch, steps, shared * drawing.one_of((1, deep)))
    past = (*([window] if window else []), batch, shared, deep, deep_value)
    has_past = drawing.chance(50)
    drawing.node(
        drawing.tensor("float", (batch, steps, heads * deep), limits=UNIT),
        drawing.tensor("float", (batch, steps, shared * deep), limits=UNIT),
        drawing.tensor("float", (batch, steps, shared * deep_value), limits=UNIT),
        drawing.tensor("float", past, limits=UNIT) if has_past else None,
        drawing.tensor("float", decay, limits=(-2.0, 0.0)) if forgets else None,
        drawing.tensor("float", (batch, steps, drawing.one_of((1, shared))), limits=(0.0, 1.0))
        if corrects
        else None,
        outputs=2,
        types=(*typed("float", 3), *typed("float", len(past))),
        q_num_heads=heads,
        kv_num_heads=shared,
        update_rule=rule,
        scale=drawing.maybe(0.0, 0.5, 1.0),
        chunk_size=drawing.maybe(1, 2, 64),
        state_window=window,
    )


@draws("com.microsoft.GatedDeltaNet")
def gated_delta(drawing: Drawing) -> None:
    """Draw sequences of queries, keys and values, apart or packed, with what each gate needs.

    The updates are no output: what they are beyond the captured steps is left open.
    """
    dtype = of_floats(drawing)
    shared = drawing.between(1, 2)
    heads = shared * drawing.one_of((1, 1, 2, 3))
    if drawing.chance(WRONG):
        drawing.wrong("value heads that do not share keys evenly")
        shared, heads = 2, 3
    deep, deep_value = drawing.one_of((1, 2, 4)), drawing.one_of((1, 3, 4))
    is_one = drawing.chance(20)
    lengths, ends = packed(drawing) if drawing.chance(40) else ([drawing.between(1, 5)], None)
    batch = len(lengths) if ends else drawing.between(1, 2)
    lead: tuple[int, ...] = (sum(lengths) if ends else batch * lengths[0],)
    if not ends and not is_one and drawing.chance(40):
        lead = (batch, *lengths)
    parts: tuple[tuple[int, ...], ...] = ((shared, deep), (shared, deep), (heads, deep_value))
    if is_one:
        parts = ((sum(rows * width for rows, width in parts),),)
    queries = [drawing.tensor(dtype, (*lead, *part)) for part in parts]
    per_key = (deep,) if drawing.chance(30) else ()
    rule, gate = drawing.maybe(*RULES), drawing.maybe(*GATES)
    forgets, corrects = rule not in ("linear", "delta"), rule not in ("linear", "gated")
    biases = ((heads,), (heads, deep), (heads * deep,)) if per_key else ((heads,),)
    has_gate = forgets and gate not in (None, "none")
    capacity = drawing.one_of((None, None, None, 1, 3))
    of_gates = drawing.one_of(("float", dtype))
    has_state = is_one or not ends or drawing.chance(50)
    state = (batch, heads, deep_value, deep)
    drawing.node(
        *queries,
        *([None] * (3 - len(queries))),
        ends,
        drawing.tensor(of_gates, (*lead, heads, *per_key), limits=(-2.0, 0.0)) if forgets else None,
        drawing.tensor(of_gates, (*lead, heads), limits=(0.0, 1.0)) if corrects else None,
        drawing.tensor("float", state, limits=UNIT) if has_state else None,
        drawing.tensor("float", (heads,), limits=UNIT) if has_gate else None,
        drawing.tensor("float", drawing.one_of(biases), limits=UNIT) if has_gate else None,
        counts(drawing, capacity, batch),
        outputs=2,
        types=(*typed(dtype, 3 if is_one else len(lead) + 2), *typed("float", 4)),
        update_rule=rule,
        gate_activation=gate if forgets else None,
        gate_lower_bound=drawing.maybe(-5.0, -1.0) if gate in ("sigmoid", "kda") else None,
        beta_activation=drawing.maybe("none", "sigmoid"),
        qk_l2_norm=1 if corrects else drawing.maybe(0, 1),
        scale=drawing.maybe(0.0, 0.5, 1.0),
        chunk_size=drawing.maybe(16, 32, 64),
        state_update_capacity=capacity,
    )


@draws("com.microsoft.VarlenCausalConvWithState")
def packed_convolution(drawing: Drawing) -> None:
    """Draw sequences of different lengths behind each other, each with a state."""
    dtype = of_floats(drawing)
    lengths, ends = packed(drawing)
    channels, kernel = drawing.between(1, 4), drawing.between(1, 4)
    dilation, capacity = drawing.maybe(1, 2, 3), drawing.one_of((None, None, 0, 2, 8))
    kept = (kernel - 1) * (dilation or 1)
    if drawing.chance(WRONG):
        drawing.wrong("a state longer than the kernel reaches back")
        kept += 1
    drawing.node(
        drawing.tensor(dtype, (sum(lengths), channels)),
        drawing.tensor(dtype, (channels, 1, kernel), is_parameter=True),
        ends,
        drawing.tensor(dtype, (channels,), is_parameter=True) if drawing.chance(60) else None,
        drawing.tensor(dtype, (len(lengths), channels, kept)),
        counts(drawing, capacity, len(lengths)),
        outputs=3 if capacity else 2,
        types=(*typed(dtype, 2), *typed(dtype, 3) * 2),
        activation=drawing.maybe("none", "silu", "swish"),
        dilation=dilation,
        state_update_capacity=capacity,
    )
