"""Recurrent layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
ACTIVATIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
"""How many each direction has."""

PLAIN = ("Relu", "Tanh", "Sigmoid", "Softsign", "Softplus")
WITH_ALPHA = ("LeakyRelu", "ThresholdedRelu", "Elu")
WITH_BOTH = ("Affine", "ScaledTanh", "HardSigmoid")


@draws("RNN", "GRU", "LSTM")
def layer(drawing: Drawing) -> None:
    """Draw a layer, whose states, lengths, biases and peepholes are there or not."""
    drawing.plain(Values.UNIT)
    name = drawing.description.operator
    gates = GATES[name]
    length, batch, size = (drawing.between(1, 4) for _ in range(3))
    hidden = drawing.between(1, 5)
    direction = drawing.maybe("forward", "reverse", "bidirectional")
    ways = 2 if direction == "bidirectional" else 1
    by_batch = drawing.has("layout") and drawing.chance(15)

    def sometimes(percent: int, index: int, shape: tuple[int, ...]) -> Value | None:
        return drawing.weights(index, shape) if drawing.chance(percent) else None

    state = (batch, ways, hidden) if by_batch else (ways, batch, hidden)
    data = drawing.data(0, (batch, length, size) if by_batch else (length, batch, size))
    weights = drawing.weights(1, (ways, gates * hidden, size))
    recurrent = drawing.weights(2, (ways, gates * hidden, hidden))
    bias = sometimes(60, 3, (ways, 2 * gates * hidden))
    lengths = None
    if drawing.chance(40):
        lengths = drawing.exactly(4, [drawing.between(1, length) for _ in range(batch)])
        drawing.mistaken("ignores the lengths of sequences")
    inputs = [data, weights, recurrent, bias, lengths, sometimes(40, 5, state)]
    if name == "LSTM":
        inputs += [sometimes(40, 6, state), sometimes(30, 7, (ways, 3 * hidden))]
    drawing.node(
        *inputs,
        outputs=_outputs(drawing, 3 if name == "LSTM" else 2),
        hidden_size=hidden,
        direction=direction,
        layout=1 if by_batch else drawing.maybe(0, 0),
        clip=drawing.maybe(None, None, 0.5, 2.0),
        linear_before_reset=drawing.maybe(0, 1) if name == "GRU" else None,
        input_forget=drawing.maybe(0, 0, 1) if name == "LSTM" else None,
        **_activations(drawing, ways * ACTIVATIONS[name]),
    )
    stated = drawing.nodes[-1].attributes
    if ways == 2 or direction == "reverse":  # noqa: PLR2004
        drawing.mistaken("knows one direction")
    for name_of, default in (("activations", None), ("clip", None), ("input_forget", 0)):
        if stated.get(name_of, default) != default:
            drawing.mistaken(f"ignores {name_of}")


def _outputs(drawing: Drawing, count: int) -> str:
    marks = [drawing.one_of("yyy-") for _ in range(count)]
    if "y" not in marks:
        marks[drawing.below(count)] = "y"
    return "".join(marks)


def _activations(drawing: Drawing, count: int) -> dict[str, Any]:
    """Return activations with as many numbers as they need, or none where they are the usual."""
    if drawing.chance(55):
        return {}
    names, alphas, betas = [], [], []
    for _ in range(count):
        name = drawing.one_of((*PLAIN[:4], *PLAIN, *WITH_ALPHA, *WITH_BOTH))
        names.append(name)
        if name in (*WITH_ALPHA, *WITH_BOTH):
            alphas.append(drawing.one_of((0.25, 0.5, 1.0)))
        if name in WITH_BOTH:
            betas.append(drawing.one_of((0.25, 0.5)))
    return {
        "activations": names,
        "activation_alpha": alphas or None,
        "activation_beta": betas or None,
    }
