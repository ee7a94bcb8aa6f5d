"""One generated case written into a pack, with the reference evaluator's answer where it votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from harness.corpus.generated.record import Packed
from harness.corpus.generated.reference import NoVoteError, reference_answer
from harness.corpus.packing import array_of, domain_name
from harness.generate.cases import generated
from harness.generate.description import Kind
from harness.generate.tolerance import tolerance
from harness.wire.generated import Asked
from harness.wire.values import ElementType

if TYPE_CHECKING:
    from harness.corpus.packing import Packer
    from harness.generate.cases import Generated
    from harness.generate.description import Description


def packed_line(description: Description, packer: Packer, *, votes: bool) -> Packed:
    """Write a case and return its record; without `votes` the reference evaluator is not asked."""
    made = generated(description)
    model = onnx.load_model_from_string(made.model)
    outputs, silent = _voted(made, model) if votes else (None, "it was ended over this case")
    blob = packer.blob(made.model)
    inputs = [packer.value(value) for value in made.inputs]
    asked = Asked(
        data=packer.data_file,
        model=[blob.offset, blob.size or 0],
        inputs=inputs,
        outputs=None if outputs is None else [packer.value(value) for value in outputs],
        tolerances=[_tolerance(description.operator, one) for one in model.graph.output],
    )
    return Packed(
        description=str(description),
        operator=description.operator,
        opset=description.opset,
        kind=str(made.kind),
        reason=made.reason,
        attributes=dict(made.attributes),
        types=tuple(made.types),
        shapes=tuple(_shape(value) for value in made.inputs),
        ir=model.ir_version,
        opsets={domain_name(one.domain): one.version for one in model.opset_import},
        votes=outputs is not None,
        reference=silent,
        asked=asked,
        forms=made.forms,
    )


def _voted(made: Generated, model: onnx.ModelProto) -> tuple[list[Any] | None, str]:
    """Return the reference evaluator's answer, or None and why it does not vote."""
    if made.kind is not Kind.VALID:
        return None, f"the case is {made.kind}"
    if not made.reference_votes:
        return None, "it is known to be loose here"
    try:
        return reference_answer(model, made.inputs), ""
    except NoVoteError as error:
        return None, str(error)


def _tolerance(operator: str, output: onnx.ValueInfoProto) -> list[float]:
    of = output.type
    for field in ("sequence_type", "optional_type"):
        while of.HasField(field):
            of = getattr(of, field).elem_type
    if of.HasField("map_type"):
        of = of.map_type.value_type
    found = of.tensor_type.elem_type
    rtol, atol = tolerance(operator, ElementType(found)) if found else (0.0, 0.0)
    return [rtol, atol]


def _shape(value: Any) -> str:
    if isinstance(value, onnx.TensorProto):
        value = array_of(value)
    if not isinstance(value, np.ndarray | np.generic):
        return ""
    return "x".join(map(str, value.shape)) or "scalar"
