"""Operators of strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.families import draws

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

PATTERNS = ("a", ".*", "[A-Za-z]+", r"\d", "", "a|ab", "(?i)ab", "日.", r"-?\d+(\.\d+)?", "[^a]*")


@draws("StringConcat")
def concat(drawing: Drawing) -> None:
    """Draw words put behind words that broadcast."""
    shape = drawing.shape()
    both = [drawing.tensor("string", one) for one in (shape, drawing.broadcast_to(shape))]
    drawing.node(*drawing.shuffled(both))


@draws("StringSplit")
def split(drawing: Drawing) -> None:
    """Draw words to take apart, at spaces or at something else."""
    count = drawing.between(0, 5)
    texts = ("a b c", " a  b ", "a,b,,c", "", ",", "日,本", "no", "a,b c,d", "\ta\nb")
    words = np.empty(count, object)
    words[:] = [drawing.one_of(texts) for _ in range(count)]
    drawing.node(
        drawing.value(words),
        outputs=2,
        delimiter=drawing.maybe("", ",", " ", "ab", ",,"),
        maxsplit=drawing.maybe(0, 1, 2, 9) if drawing.chance(70) else None,
    )


@draws("RegexFullMatch")
def regex(drawing: Drawing) -> None:
    """Draw words that match a pattern or not."""
    drawing.node(drawing.tensor("string", drawing.shape()), pattern=drawing.one_of(PATTERNS))


@draws("StringNormalizer")
def normalizer(drawing: Drawing) -> None:
    """Draw stop words only: changes of case need a locale that a host may lack."""
    count = drawing.between(1, 6)
    shape = (count,) if drawing.chance(60) else (1, count)
    drawing.node(
        drawing.tensor("string", shape),
        case_change_action=drawing.maybe("NONE"),
        is_case_sensitive=1,
        stopwords=drawing.maybe(["a"], ["a", "", "ab"], ["日本", "the"]),
    )


@draws("TfIdfVectorizer")
def tf_idf(drawing: Drawing) -> None:
    """Draw counts of runs of one, two and three items, with items skipped between them."""
    dtype = drawing.one_of(("string", "int64", "int32"))
    least = drawing.between(1, 2)
    most = drawing.between(least, 3)
    items: tuple[Any, ...] = ("a", "b", "c") if dtype == "string" else (1, 2, 3)
    pool: list[Any] = []
    starts, runs = [], 0
    for size in range(1, most + 1):
        starts.append(len(pool))
        seen = {tuple(drawing.one_of(items) for _ in range(size)) for _ in range(3)}
        for run in sorted(seen):
            pool += run
            runs += 1
    shape = (drawing.between(1, 7),) if drawing.chance(60) else (2, drawing.between(1, 7))
    count = int(np.prod(shape))
    words = np.empty(count, object if dtype == "string" else dtype)
    words[:] = [drawing.one_of(items) for _ in range(count)]
    drawing.node(
        drawing.value(words.reshape(shape)),
        mode=drawing.one_of(("TF", "IDF", "TFIDF")),
        min_gram_length=least,
        max_gram_length=most,
        max_skip_count=drawing.between(0, 3),
        ngram_counts=starts,
        ngram_indexes=drawing.shuffled(range(runs)),
        pool_strings=pool if dtype == "string" else None,
        pool_int64s=None if dtype == "string" else pool,
        weights=drawing.maybe([drawing.between(1, 8) / 4 for _ in range(runs)]),
    )
