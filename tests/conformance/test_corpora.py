"""Every case of the corpora in matrix.toml and on the command line answers as its data says."""

from harness.plugin import Conformance

test_corpora = Conformance(suite="corpora")
