"""Generated cases written once, with the reference evaluator's answers, in a process of their own.

``python -m harness.corpus.generated`` speaks the wire as a build's worker does, so that a case over
which the reference evaluator hangs, dies or fills the memory costs that case alone.
"""
