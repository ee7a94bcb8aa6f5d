"""Small models that a worker writes itself, as protobuf bytes: it has no onnx package."""
