"""Many threads, sessions and files at once give what one at a time gives."""

from harness.plugin import Conformance

test_concurrency = Conformance(suite="concurrency")
