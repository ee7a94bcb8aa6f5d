"""A malformed model is refused with a typed error, or means what it says."""

from harness.plugin import Conformance

test_malformed = Conformance(suite="malformed")
