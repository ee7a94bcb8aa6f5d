"""Nothing grows with the number of sessions, runs and refusals."""

from harness.plugin import Conformance

test_leaks = Conformance(suite="leaks")
