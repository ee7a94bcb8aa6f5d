"""Inputs of every shape, type and layout give numpy's values or a typed error."""

from harness.plugin import Conformance

test_shapes = Conformance(suite="shapes")
