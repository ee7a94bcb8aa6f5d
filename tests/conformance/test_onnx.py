"""Every case of the standard's own suite answers as the standard says."""

from harness.plugin import Conformance

test_onnx = Conformance(suite="onnx")
