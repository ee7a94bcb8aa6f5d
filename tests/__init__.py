"""The project's own tests, and the conformance suites that it runs on cells."""
