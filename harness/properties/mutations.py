"""Valid models with a few bytes or fields changed: the part of `malformed` that is searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cases import Worker, in_two_processes
from harness.corpus.malformed.mutating import BASES, bytewise, paths, structured
from harness.properties.search import Profile, Property
from harness.wire.catalogue.malformed import MALFORMED
from harness.wire.malformed import MalformedCase, Right, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

    from harness.cases import Ask, Case
    from harness.properties.search import Search
    from harness.results import Observed
    from harness.wire.catalogue.procedures import Procedure

MOST_EDITS = 4

MEANING = "whatever the changed model says, the same each time"

NUMBERS = (
    *(0, 1, 2, 3, 7, 8, 16, 22, 99, 255, 256, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1),
    *(-1, -2, -(2**31), -(2**63)),
)
FLOATS = ("nan", "inf", "-inf", "0", "-1", "1e30", "1e-40")
WORDS = (
    *("", "x", "z", "w", "Add", "Loop", "NonZero", "Identity", "f", "twice", "ai.onnx.ml"),
    *("com.microsoft", "perm", "body", "\0", "é", "x" * 300),
)


@dataclass(frozen=True, kw_only=True)
class MutatedModels(Property):
    """A property whose examples are a valid model's name and edits of it."""

    mutated: Callable[[str, Sequence[dict[str, Any]]], bytes]

    def carried_out(self, ask: Ask) -> Observed:
        """Return the first mutated model found that is answered wrongly, at its smallest."""
        twice = in_two_processes(ask)

        def of_description(
            procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
        ) -> Observed:
            model = self.mutated(arguments["base"], arguments["edits"])
            case = MalformedCase(model=model, right=Right.EITHER, latest=Stage.RUN, meaning=MEANING)
            return twice(procedure, case.to_json(), worker)

        return super().carried_out(of_description)


def mutation_cases(search: Search) -> list[Case]:
    """Return the properties of mutated models."""
    return [
        MutatedModels(
            id="malformed/mutations/structured",
            procedure=MALFORMED,
            arguments={},
            examples=edited_fields,
            counts={Profile.CI: 200, Profile.NIGHTLY: 5000},
            search=search,
            mutated=structured,
        ),
        MutatedModels(
            id="malformed/mutations/bytes",
            procedure=MALFORMED,
            arguments={},
            examples=edited_bytes,
            counts={Profile.CI: 300, Profile.NIGHTLY: 8000},
            search=search,
            mutated=bytewise,
        ),
    ]


def edited_fields() -> SearchStrategy[dict[str, Any]]:
    """Return models with fields removed, doubled, swapped, copied or set."""
    from hypothesis import strategies as st  # noqa: PLC0415 - takes half a second

    values = st.one_of(
        st.sampled_from(NUMBERS),
        st.sampled_from(WORDS),
        st.sampled_from(WORDS).map(lambda word: {"bytes": word.encode().hex()}),
        st.sampled_from(FLOATS).map(lambda text: {"float": text}),
    )

    def of(name: str) -> SearchStrategy[dict[str, Any]]:
        path = st.sampled_from(paths(name))
        edit = st.one_of(
            st.builds(dict, do=st.sampled_from(("remove", "double", "swap")), path=path),
            st.builds(dict, do=st.just("set"), path=path, value=values),
            st.builds(
                lambda path, source: {"do": "copy", "path": path, "from": source}, path, path
            ),
        )
        edits = st.lists(edit, min_size=1, max_size=MOST_EDITS)
        return st.builds(dict, base=st.just(name), edits=edits)

    return st.sampled_from(sorted(BASES)).flatmap(of)


def edited_bytes() -> SearchStrategy[dict[str, Any]]:
    """Return models with bytes flipped, inserted, overwritten, deleted or repeated."""
    from hypothesis import strategies as st  # noqa: PLC0415 - takes half a second

    place, count = st.integers(0, 2**12), st.integers(1, 16)
    some = st.binary(min_size=1, max_size=10).map(bytes.hex)
    edit: SearchStrategy[dict[str, Any]] = st.one_of(
        st.builds(dict, do=st.just("flip"), at=place, bit=st.integers(0, 7)),
        st.fixed_dictionaries(
            {"do": st.sampled_from(("insert", "overwrite")), "at": place, "bytes": some}
        ),
        st.builds(dict, do=st.just("delete"), at=place, count=count),
        st.fixed_dictionaries(
            {"do": st.just("splice"), "at": place, "from": place, "count": count}
        ),
    )
    edits = st.lists(edit, min_size=1, max_size=MOST_EDITS)
    return st.builds(dict, base=st.sampled_from(sorted(BASES)), edits=edits)
