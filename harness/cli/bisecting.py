"""Since which release a case does what it does, and on which builds."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_wheelhouse,
    command,
    show_json,
    sources_of,
    tell,
)
from harness.cli.subject import add_subject, kept_probes, the_subject
from harness.environments.releases import releases
from harness.errors import ConfigurationError, EnvironmentUnusableError, NothingSelectedError
from harness.investigation.asking import Asked, Asking, follow
from harness.matrix import read_matrix
from harness.report.bisected import (
    asked_line,
    builds_lines,
    builds_to_json,
    found_lines,
    to_json,
)
from harness.triage.bisection import Bisection, alike, last_of_each_minor
from harness.triage.readings import By
from harness.versions import canonical_release, why_no_python, why_no_release

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from harness.matrix import Matrix
    from harness.triage.bisection import Answer

ANSWERED, GOES_BOTH_WAYS = 0, 1


class Across(StrEnum):
    """Over what a case is followed."""

    RELEASES = "releases"
    BUILDS = "builds"


def bisect(arguments: argparse.Namespace) -> int:
    """Find the releases at which a case changes, or the builds that differ in it."""
    _refuse_contradictions(arguments)
    read = read_matrix(arguments.matrix)
    sources = sources_of(arguments)
    if Across(arguments.across) is Across.RELEASES:
        state = _start(read, arguments)
    subject = the_subject(arguments, read, sources)
    with kept_probes(read, sources, "bisect", subject) as probes:
        asking = Asking(probes, subject, By(arguments.by))
        if Across(arguments.across) is Across.BUILDS:
            return _across_builds(read, asking, arguments)
        return _across_releases(read, state, asking, arguments)


def _across_releases(
    read: Matrix, state: Bisection, asking: Asking, arguments: argparse.Namespace
) -> int:
    told = _Told(as_talk=arguments.json)
    state = follow(
        state,
        asking,
        lambda release: read.cell(f"{arguments.variant}-{release}{_python(arguments)}"),
        told.tell,
    )
    if arguments.json:
        show_json(to_json(state, told.found))
    else:
        print("\n".join(found_lines(state)))
    if not state.seen:
        return EnvironmentUnusableError.exit_code
    return GOES_BOTH_WAYS if state.flaky or state.undecided else ANSWERED


def _across_builds(read: Matrix, asking: Asking, arguments: argparse.Namespace) -> int:
    told = _Told(as_talk=arguments.json)
    answers: dict[str, Answer] = {}
    for variant in read.variants:
        name = variant
        try:
            cell = read.cell(f"{variant}{_python(arguments)}")
            name, asked = cell.build.id, asking.ask(cell)
        except (ConfigurationError, EnvironmentUnusableError) as error:
            asked = Asked.impossible(error)
        told.tell(name, asked)
        answers[name] = asked.answer
        asking.keep_only(())
    if arguments.json:
        show_json(builds_to_json(answers, told.found))
    else:
        print("\n".join(builds_lines(answers)))
    return ANSWERED if alike(answers) else EnvironmentUnusableError.exit_code


def _python(arguments: argparse.Namespace) -> str:
    """Return what a cell's name ends in where a Python is asked for."""
    if arguments.python is None:
        return ""
    if wrong := why_no_python(arguments.python):
        raise ConfigurationError(f"--python: '{arguments.python}' {wrong}")
    return f"-py{arguments.python.replace('.', '')}"


def _start(read: Matrix, arguments: argparse.Namespace) -> Bisection:
    """Return a bisection of which nothing is known, over the releases that were asked for."""
    variant = read.cell(arguments.variant).variant
    served = releases(variant, prereleases=arguments.prereleases, wheelhouse=arguments.wheelhouse)
    if not served:
        raise NothingSelectedError(f"{variant.name}: no release is served that can be asked")
    good, bad = (_known(getattr(arguments, name), name, served) for name in ("good", "bad"))
    low, high = sorted(served.index(one) for one in (good or served[0], bad or served[-1]))
    points = served[low : high + 1]
    return Bisection(
        points=points,
        landmarks=last_of_each_minor(points),
        thorough=arguments.thorough,
        repeats=not By(arguments.by).needs_repeats,
        good=good,
        bad=bad,
    )


def _known(release: str | None, name: str, served: Sequence[str]) -> str:
    """Return a release as the index has it; raise ConfigurationError where it does not."""
    if release is None:
        return ""
    if wrong := why_no_release(release):
        raise ConfigurationError(f"--{name}: '{release}' {wrong}")
    release = canonical_release(release)
    if release not in served:
        near = ", ".join(difflib.get_close_matches(release, served, n=3)) or ", ".join(served[-3:])
        raise ConfigurationError(f"--{name}: no release {release} is served. Near it: {near}.")
    return release


class _Told:
    """Tells each answer as it comes: as data, or as talk where the data is JSON."""

    def __init__(self, *, as_talk: bool) -> None:
        self._as_talk = as_talk
        self.found: list[tuple[str, Asked]] = []
        """Every answer, in the order in which they came."""

    def tell(self, point: str, asked: Asked) -> None:
        """Keep and show an answer."""
        self.found.append((point, asked))
        line = asked_line(point, asked)
        if self._as_talk:
            tell(line)
        else:
            print(line, flush=True)


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    if Across(arguments.across) is Across.RELEASES:
        if not arguments.variant:
            raise ConfigurationError("--variant is missing: name one of matrix.toml, as in cpu")
        return
    given = [name for name in ("variant", "good", "bad") if getattr(arguments, name)]
    given += [name for name in ("prereleases", "thorough") if getattr(arguments, name)]
    if given:
        raise ConfigurationError(f"--{given[0]}: says nothing of builds; leave it out")
    if By(arguments.by) in (By.SPEED, By.SLOPE):
        raise ConfigurationError(f"--by {arguments.by}: compares releases, not builds")


def add_to(commands: Any) -> None:
    """Add the command that finds a change."""
    one = command(commands, bisect)
    add_subject(one)
    one.add_argument("--variant", help="whose releases, as in cpu or openvino")
    one.add_argument(
        "--good", metavar="RELEASE", help="one that is right (default: the oldest served)"
    )
    one.add_argument(
        "--bad", metavar="RELEASE", help="one that is wrong (default: the newest served)"
    )
    one.add_argument(
        "--across",
        choices=[str(across) for across in Across],
        default=str(Across.RELEASES),
        help="find when it changed, or which variants' pinned builds differ (default: releases)",
    )
    one.add_argument(
        "--by",
        choices=[str(by) for by in By],
        default=str(By.OUTCOME),
        help="what is looked at (default: outcome)",
    )
    one.add_argument(
        "--prereleases", action="store_true", help="ask candidates and nightly builds as well"
    )
    one.add_argument(
        "--thorough",
        action="store_true",
        help="ask the last release of every minor even where both ends differ: finds what "
        "changed and changed back",
    )
    one.add_argument(
        "--python", metavar="VERSION", help="as in 3.11 (default: the running one, where possible)"
    )
    add_wheelhouse(one)
    add_json(one)
