"""Operators of com.microsoft, as ONNX Runtime documents them: the standard has no schema."""
