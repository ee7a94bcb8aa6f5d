"""Where cases with models come from; controller side, may import onnx."""
