"""Operator cases drawn from the ONNX standard's schemas, each made again from its description."""
