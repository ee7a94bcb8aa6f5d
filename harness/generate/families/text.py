"""Operators on strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.values import WORDS, Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

SENTENCES = ("", "a", "a b", " a  b ", "a,b,,c", "aXbXc", "日本 語", "XX", "1-2-3-4", "a\tb")
PATTERNS = ("a.*", "[A-Z]+", "", "(ab|a)c?", r"\d+", r".*\s.*", "[^,]*", "日.")


def words(drawing: Drawing, shape: tuple[int, ...], pool: tuple[str, ...] = WORDS) -> Value:
    """Return an input of words out of a pool."""
    elements = np.empty(int(np.prod(shape)), object)
    elements[:] = [drawing.one_of(pool) for _ in range(elements.size)]
    return drawing.value(elements.reshape(shape))


@draws("StringConcat")
def concat(drawing: Drawing) -> None:
    """Draw two inputs, either of which may broadcast."""
    shape = drawing.shape(0, 3)
    drawing.node(*(words(drawing, one) for one in (shape, drawing.broadcast_to(shape))))


@draws("RegexFullMatch")
def match(drawing: Drawing) -> None:
    """Draw patterns that both kinds of regular expressions read in one way."""
    pattern = drawing.one_of(PATTERNS)
    drawing.node(words(drawing, drawing.shape(0, 3), (*SENTENCES, *WORDS)), pattern=pattern)


@draws("StringSplit")
def split(drawing: Drawing) -> None:
    """Draw delimiters of no, one and two letters, and bounds on the pieces."""
    shape = drawing.full_shape(0, 2)
    delimiter = drawing.maybe("", " ", ",", "X", "XX", "-")
    most = drawing.maybe(0, 1, 2, 9)
    if most is not None and not delimiter:
        drawing.doubt("spaces after the last piece that a bound allows")
    drawing.node(
        words(drawing, shape, SENTENCES),
        outputs=2,
        delimiter=delimiter,
        maxsplit=most,
        types=[Typed(type="string", rank=len(shape) + 1), Typed(type="int64", rank=len(shape))],
    )


@draws("StringNormalizer")
def normalizer(drawing: Drawing) -> None:
    """Draw words some of which are stopped, with each way to change their case."""
    count = drawing.between(1, 6)
    shape = (count,) if drawing.chance(60) else (1, count)
    action = drawing.maybe("LOWER", "UPPER", "NONE")
    sensitive = drawing.maybe(0, 1)
    stopped = drawing.maybe(drawing.some(("a", "A", "the", "é", "日本"), drawing.between(1, 3)))
    if action in (None, "NONE") and sensitive != 1 and stopped is not None:
        drawing.doubt("the text leaves open how words are compared without their case")
    drawing.mistaken("it takes spaces and accents away")
    drawing.node(
        words(drawing, shape),
        case_change_action=action,
        is_case_sensitive=sensitive,
        locale=drawing.maybe("C", "C", "en_US", "en_US.UTF-8"),
        stopwords=stopped,
        types=[Typed(type="string", rank=len(shape))],
    )


@draws("TfIdfVectorizer")
def tf_idf(drawing: Drawing) -> None:
    """Draw a pool of single words and of pairs, and elements out of the same few."""
    of = drawing.bind("T", ("string", "int32", "int64"))
    vocabulary: Any = ["a", "b", "c"] if of == "string" else [1, 2, 3]
    singles = drawing.some(vocabulary, drawing.between(1, 3))
    pairs = [[first, second] for first in vocabulary for second in vocabulary if drawing.chance(40)]
    pool = [*singles, *(word for pair in pairs for word in pair)]
    count = len(singles) + len(pairs)
    longest = drawing.between(1, 2)
    shape = drawing.full_shape(1, 2)
    elements: Any = [drawing.one_of(vocabulary) for _ in range(int(np.prod(shape)))]
    array = np.array(elements, object if of == "string" else of).reshape(shape)
    attributes: dict[str, Any] = {
        "pool_strings" if of == "string" else "pool_int64s": pool,
        "weights": drawing.maybe([drawing.between(1, 32) / 8 for _ in range(count)]),
    }
    drawing.plain(Values.WIDE)
    if attributes["weights"] is not None:
        drawing.mistaken("it takes weights in the order of the output, not of the pool")
    drawing.node(
        drawing.value(array),
        mode=drawing.one_of(("TF", "IDF", "TFIDF")),
        min_gram_length=drawing.between(1, longest),
        max_gram_length=longest,
        max_skip_count=drawing.between(0, 2),
        ngram_counts=[0, len(singles)],
        ngram_indexes=drawing.shuffled(range(count)),
        **attributes,
        types=[Typed(type="float", rank=len(shape))],
    )
