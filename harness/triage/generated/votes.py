"""Who agrees with whom about one case, and who is alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ENOUGH_TO_OUTVOTE = 2
"""How many must agree against one: with one on each side nobody is outvoted."""


@dataclass(frozen=True, kw_only=True)
class Vote:
    """The voters in parties that agree, the largest first."""

    parties: tuple[tuple[str, ...], ...]

    @property
    def is_unanimous(self) -> bool:
        """Whether all agree."""
        return len(self.parties) <= 1

    @property
    def dissenter(self) -> str:
        """Who is alone against a party of all others; empty where nobody is."""
        match self.parties:
            case ((*others,), (one,)) if len(others) >= ENOUGH_TO_OUTVOTE:
                return one
        return ""

    def __str__(self) -> str:
        told = " ≠ ".join(" = ".join(party) for party in self.parties)
        return f"{told}; alone: {self.dissenter}" if self.dissenter else told


def counted(voters: Sequence[str], agreements: Mapping[tuple[str, str], bool]) -> Vote:
    """Return the parties of the voters: who agrees with one of a party belongs to it.

    `agreements` has the pairs that were compared; what was not compared joins nobody.
    """
    parties: list[set[str]] = [{voter} for voter in voters]
    for (one, other), agree in agreements.items():
        if agree:
            joined = [party for party in parties if party & {one, other}]
            parties = [party for party in parties if party not in joined]
            parties.append(set().union(*joined))
    ordered = [tuple(voter for voter in voters if voter in party) for party in parties]
    ordered.sort(key=lambda party: (-len(party), voters.index(party[0])))
    return Vote(parties=tuple(ordered))


def known_pairs(
    comparisons: Iterable[tuple[str, str, bool | None]],
) -> dict[tuple[str, str], bool]:
    """Return the comparisons that were made; those that say None were not."""
    return {(one, other): agree for one, other, agree in comparisons if agree is not None}
