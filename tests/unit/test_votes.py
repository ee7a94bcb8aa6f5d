"""Voters fall into parties, and one alone against others that agree is named."""

from __future__ import annotations

from harness.triage.generated.votes import counted, known_pairs


def test_one_alone_against_two_that_agree_is_the_dissenter() -> None:
    """The build that both the reference and another build contradict is named."""
    pairs = known_pairs([("reference", "build", False), ("reference", "other", True)])

    vote = counted(["reference", "build", "other"], pairs)

    assert vote.dissenter == "build"
    assert str(vote) == "reference = other ≠ build; alone: build"


def test_of_two_nobody_is_outvoted() -> None:
    """One against one names no dissenter."""
    vote = counted(["reference", "build"], {("reference", "build"): False})

    dissenter = vote.dissenter

    assert not dissenter
    assert not vote.is_unanimous


def test_three_opinions_name_nobody() -> None:
    """Where all differ no one is alone."""
    pairs = {("a", "b"): False, ("a", "c"): False, ("b", "c"): False}

    vote = counted(["a", "b", "c"], pairs)

    assert len(vote.parties) == 3
    assert not vote.dissenter


def test_what_was_not_compared_joins_nobody() -> None:
    """A comparison that was not made is no agreement."""
    pairs = known_pairs([("a", "b", True), ("b", "c", None)])

    vote = counted(["a", "b"], pairs)

    assert vote.parties == (("a", "b"),)
    assert vote.is_unanimous
