"""Tests of the parts, in the controller's environment: no onnxruntime, no network."""
