"""Recurrent networks: every direction, activation and optional input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.element_types import FLOATS
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
ACTIVATIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
OUTPUTS = {"RNN": ("yy", "y", "-y"), "GRU": ("yy", "y", "-y"), "LSTM": ("yyy", "y", "-y", "--y")}
PLAIN = ("Tanh", "Sigmoid", "Relu", "Softsign", "Softplus")
WITH_ALPHA = {"LeakyRelu": (0.1, 0.0), "ThresholdedRelu": (0.5, 1.0), "Elu": (1.0, 0.5)}
WITH_BETA = {"HardSigmoid": ((0.2, 0.5), (0.25, 0.0)), "ScaledTanh": ((1.0, 0.5), (1.5, 1.0))}


def _activations(drawing: Drawing, count: int) -> dict[str, Any]:
    """Return functions with their parameters, or nothing: the usual ones."""
    if drawing.chance(60):
        return {}
    names = [drawing.one_of((*PLAIN, *WITH_ALPHA, *WITH_BETA)) for _ in range(count)]
    alphas, betas = [], []
    for name in names:
        if name in WITH_ALPHA:
            alphas.append(drawing.one_of(WITH_ALPHA[name]))
        if name in WITH_BETA:
            alpha, beta = drawing.one_of(WITH_BETA[name])
            alphas.append(alpha)
            betas.append(beta)
    if alphas:
        drawing.doubt("to which function a parameter belongs, where not all of them have some")
    return {
        "activations": names,
        "activation_alpha": alphas or None,
        "activation_beta": betas or None,
    }


@draws("RNN", "GRU", "LSTM")
def recurrent(drawing: Drawing) -> None:
    """Draw few steps of few cells, with and without lengths, biases and states to begin with."""
    name = drawing.description.operator
    drawing.bind("T", ("float",) if drawing.chance(85) else FLOATS)
    if drawing.values >= Values.EDGES:
        drawing.doubt(f"{drawing.values.name.lower()} values through many sums")
    gates, hidden = GATES[name], drawing.between(1, 4)
    steps, batch, width = drawing.between(1, 4), drawing.between(1, 3), drawing.between(1, 4)
    direction = drawing.maybe("forward", "reverse", "bidirectional")
    ways = 2 if direction == "bidirectional" else 1
    layout = (
        drawing.one_of((0,) * 5 + (1,)) if drawing.has("layout") and drawing.chance(60) else None
    )
    by_batch = layout == 1
    unit = (-1.0, 1.0)
    x = drawing.data(0, (batch, steps, width) if by_batch else (steps, batch, width), limits=unit)
    state = (batch, ways, hidden) if by_batch else (ways, batch, hidden)
    inputs: list[Any] = [
        x,
        drawing.weights(1, (ways, gates * hidden, width), limits=unit),
        drawing.weights(2, (ways, gates * hidden, hidden), limits=unit),
        drawing.weights(3, (ways, 2 * gates * hidden), limits=unit) if drawing.chance(60) else None,
        None,
        drawing.data(5, state, limits=unit) if drawing.chance(50) else None,
    ]
    if drawing.chance(40):
        lengths = [drawing.between(1, steps) for _ in range(batch)]
        inputs[4] = drawing.value(np.array(lengths, np.int32), is_parameter=True)
        drawing.mistaken("it takes no notice of lengths")
    if name == "LSTM":
        inputs.append(drawing.data(6, state, limits=unit) if drawing.chance(50) else None)
        peepholes = (ways, 3 * hidden)
        inputs.append(drawing.weights(7, peepholes, limits=unit) if drawing.chance(40) else None)
    clip = drawing.one_of((None, None, 0.5, 2.0))
    if clip is not None:
        drawing.mistaken("it does not clip")
    activations = _activations(drawing, ways * ACTIVATIONS[name])
    if activations:
        drawing.mistaken("it knows few functions, or one alone")
    forgets = drawing.maybe(0, 1) if name == "LSTM" else None
    if forgets:
        drawing.mistaken("it does not couple input and forget gates")
    drawing.node(
        *inputs,
        outputs=drawing.one_of(OUTPUTS[name]),
        hidden_size=hidden,
        direction=direction,
        layout=layout,
        clip=clip,
        input_forget=forgets,
        linear_before_reset=drawing.maybe(0, 1) if name == "GRU" else None,
        **activations,
    )
