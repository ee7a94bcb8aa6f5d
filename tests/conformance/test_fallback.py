"""Each way in which a build falls back from the asked device is seen and told."""

from harness.plugin import Conformance

test_fallback = Conformance(suite="fallback")
