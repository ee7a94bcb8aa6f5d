"""Windows that slide over the spatial axes of a tensor, as pooling and convolutions have them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.generate.drawing import Drawing

WRONG = 6
"""How many of a hundred windows have something wrong."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window over axes of these sizes; what is None is not stated."""

    sizes: list[int]
    kernel: list[int]
    strides: list[int] | None
    dilations: list[int] | None
    pads: list[int] | None
    auto_pad: str | None

    @property
    def rank(self) -> int:
        """How many axes are spatial."""
        return len(self.sizes)

    @property
    def steps(self) -> list[int]:
        """The strides, 1 where they are not stated."""
        return self.strides or [1] * self.rank

    @property
    def reach(self) -> list[int]:
        """How many positions a window spans on each axis."""
        apart = self.dilations or [1] * self.rank
        return [(size - 1) * step + 1 for size, step in zip(self.kernel, apart, strict=True)]

    @property
    def is_same(self) -> bool:
        """Whether padding follows from the size."""
        return (self.auto_pad or "").startswith("SAME")

    def explicit_pads(self) -> list[int]:
        """Return the padding at the begins and ends of the axes, also where it follows."""
        if not self.is_same:
            return self.pads or [0] * (2 * self.rank)
        rows = zip(self.sizes, self.steps, self.reach, strict=True)
        totals = [
            max((-(-size // step) - 1) * step + reach - size, 0) for size, step, reach in rows
        ]
        small, large = [one // 2 for one in totals], [one - one // 2 for one in totals]
        return small + large if self.auto_pad == "SAME_UPPER" else large + small

    def skips(self) -> bool:
        """Say whether places as many as auto_pad SAME wants leave out some of the end."""
        rows = zip(self.sizes, self.steps, self.reach, strict=True)
        return any((-(-size // step) - 1) * step + reach < size for size, step, reach in rows)

    def counts(self, *, ceil: bool = False) -> list[int]:
        """Return how many places the window takes on each axis."""
        pads = self.explicit_pads()
        found = []
        for at, (size, step, reach) in enumerate(
            zip(self.sizes, self.steps, self.reach, strict=True)
        ):
            free = size + pads[at] + pads[at + self.rank] - reach
            found.append((-(-free // step) if ceil else free // step) + 1)
        return found

    def overhang(self) -> list[int]:
        """Return how far the last window goes beyond the padding where places are rounded up."""
        pads = self.explicit_pads()
        rows = zip(self.counts(ceil=True), self.steps, self.reach, self.sizes, strict=True)
        return [
            (count - 1) * step + reach - (size + pads[at] + pads[at + self.rank])
            for at, (count, step, reach, size) in enumerate(rows)
        ]

    def starts_beyond(self) -> bool:
        """Say whether, rounded up, a last window would begin in the padding at the end."""
        pads = self.explicit_pads()
        rows = zip(self.counts(ceil=True), self.steps, self.sizes, strict=True)
        return any(
            (count - 1) * step >= size + pads[at] for at, (count, step, size) in enumerate(rows)
        )

    def sees_nothing(self, *, ceil: bool) -> bool:
        """Say whether some window has padding only."""
        pads = self.explicit_pads()
        apart = self.dilations or [1] * self.rank
        for at, count in enumerate(self.counts(ceil=ceil)):
            for place in range(count):
                begin = place * self.steps[at] - pads[at]
                taps = range(begin, begin + self.reach[at], max(apart[at], 1))
                if not any(0 <= tap < self.sizes[at] for tap in taps):
                    return True
        return False

    def attributes(self) -> dict[str, Any]:
        """Return the attributes, without the kernel's."""
        return {
            "strides": self.strides,
            "dilations": self.dilations,
            "pads": self.pads,
            "auto_pad": self.auto_pad,
        }


def window(drawing: Drawing, rank: int, *, wide_pads: bool = False) -> Window:
    """Return a window that fits at least once; `wide_pads`: padding may be wider than it."""
    kernel = [drawing.one_of((1, 2, 2, 3, 3, 4)) for _ in range(rank)]
    auto_pad = None
    if drawing.has("auto_pad") and drawing.chance(45):
        auto_pad = drawing.one_of(("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"))
    made = Window(
        sizes=[1] * rank,
        kernel=kernel,
        strides=_some(drawing, rank, (1, 1, 2, 2, 3), 70),
        dilations=_some(drawing, rank, (1, 1, 2, 3), 45) if drawing.has("dilations") else None,
        pads=None,
        auto_pad=auto_pad,
    )
    if auto_pad in (None, "NOTSET") and drawing.chance(65):
        most = [3 if wide_pads else min(reach - 1, 2) for reach in made.reach]
        made = replace(made, pads=[drawing.between(0, one) for one in (*most, *most)])
    made = replace(made, sizes=_sizes(drawing, made))
    if made.is_same and made.skips():
        drawing.doubt("padding that follows from auto_pad is negative")
    return made


def _some(drawing: Drawing, rank: int, choices: Sequence[int], percent: int) -> list[int] | None:
    return [drawing.one_of(choices) for _ in range(rank)] if drawing.chance(percent) else None


def _sizes(drawing: Drawing, made: Window) -> list[int]:
    if made.is_same:
        return [drawing.between(1, 7) for _ in made.kernel]
    pads = made.pads or [0] * (2 * made.rank)
    return [
        max(reach - pads[at] - pads[at + made.rank], 1) + drawing.between(0, 4)
        for at, reach in enumerate(made.reach)
    ]


def spoilt(drawing: Drawing, made: Window) -> Window:
    """Return the window with something wrong, in a few cases."""
    if not drawing.chance(WRONG):
        return made
    choices: list[Callable[[Drawing, Window], Window]] = [
        *(_no_stride,) * 4,  # of this, builds died
        _negative_pads,
        _too_few,
        _pads_twice,
    ]
    if drawing.has("dilations"):
        choices.append(_no_dilation)
    return drawing.one_of(choices)(drawing, made)


def _no_stride(drawing: Drawing, made: Window) -> Window:
    drawing.wrong("a stride of 0")
    steps = [0] * made.rank if drawing.chance(50) else [0, *made.steps[1:]]
    return replace(made, strides=steps)


def _no_dilation(drawing: Drawing, made: Window) -> Window:
    drawing.wrong("a dilation of 0")
    return replace(made, dilations=[0] * made.rank)


def _negative_pads(drawing: Drawing, made: Window) -> Window:
    drawing.wrong("negative pads beyond the input")
    pads = [-(size + reach) for size, reach in zip(made.sizes, made.reach, strict=True)]
    return replace(made, auto_pad=None, pads=[*pads, *([0] * made.rank)])


def _too_few(drawing: Drawing, made: Window) -> Window:
    drawing.wrong("pads for an axis less than there are")
    return replace(made, auto_pad=None, pads=[0] * (2 * (made.rank - 1)))


def _pads_twice(drawing: Drawing, made: Window) -> Window:
    drawing.wrong("pads beside an auto_pad")
    return replace(made, auto_pad="SAME_UPPER", pads=[1] * (2 * made.rank))
