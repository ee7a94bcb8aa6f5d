"""A hardware matrix test harness for ONNX Runtime builds; importing this costs nothing."""
