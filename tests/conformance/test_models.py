"""Real models on real input give the golden numbers and the right meaning."""

from harness.plugin import Conformance

test_models = Conformance(suite="models")
