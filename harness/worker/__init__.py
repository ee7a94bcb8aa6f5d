"""What runs inside a build's environment: standard library, numpy, onnxruntime, harness.wire."""
