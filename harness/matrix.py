"""The matrix as records: matrix.toml's variants, and the builds and cells that they expand to."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.errors import ConfigurationError
from harness.strict_toml import Table, nearest, read_toml
from harness.versions import (
    canonical_release,
    python_order,
    why_no_python,
    why_no_release,
    why_no_requirement,
)
from harness.wire.providers import CHAINS, DeviceRequest, ExecutionProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PLATFORMS = ("linux-x86_64", "linux-aarch64")
SUITES = ("onnx", "models", "fallback", "concurrency", "malformed", "leaks", "shapes")
"""The built-in suites, besides those that the matrix's corpora add."""

_VARIANT = re.compile(r"[a-z][a-z0-9_]*")
_CELL = re.compile(
    r"(?P<variant>[A-Za-z]\w*)(-(?P<release>\d[^-]*))?(-py(?P<major>\d)(?P<minor>\d+))?"
)


class Tag(StrEnum):
    """When a variant's cells are run without being named."""

    DEFAULT = "default"
    NIGHTLY = "nightly"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one case and one worker may take."""

    deadline_s: float
    memory_mib: int


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What the releases in a range need besides the variant's own requirements."""

    releases: SpecifierSet
    require: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    """The only Pythons that these releases have wheels for; empty where they have the variant's."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way ONNX Runtime is built and shipped."""

    name: str
    distribution: str
    release: str
    """The pinned one."""
    device: DeviceRequest
    pythons: tuple[str, ...]
    """Versions in the spelling '3.11' that the pinned release can be installed on."""
    platforms: tuple[str, ...]
    limits: Limits
    requirements: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    providers: Mapping[ExecutionProvider, Mapping[str, str]] = field(
        default_factory=dict, hash=False
    )
    """Options to add to those that a provider has in the device request's chain."""
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    libraries: tuple[str, ...] = ()
    host_devices: tuple[str, ...] = ()
    """Device files, any one of which shows that the device is there; empty where none is needed."""
    runner: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    suites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Build:
    """A variant at one release: what can be installed."""

    variant: Variant
    release: str

    @property
    def id(self) -> str:
        """The build's name, as in 'cuda-1.31.1'."""
        return f"{self.variant.name}-{self.release}"

    @property
    def requirements(self) -> tuple[str, ...]:
        """Everything to install, as in ('onnxruntime==1.16.3', 'numpy<2')."""
        pinned = f"{self.variant.distribution}=={self.release}"
        required = [text for constraint in self._constraints for text in constraint.require]
        return (pinned, *self.variant.requirements, *required)

    @property
    def pythons(self) -> tuple[str, ...]:
        """The Python versions that this release can be installed on."""
        pythons = self.variant.pythons
        for constraint in self._constraints:
            allowed = constraint.pythons or pythons
            pythons = tuple(python for python in pythons if python in allowed)
        return pythons

    @property
    def _constraints(self) -> list[Constraint]:
        return [
            constraint
            for constraint in self.variant.constraints
            if constraint.releases.contains(self.release, prereleases=True)
        ]


ON_CPU: Mapping[str, Any] = MappingProxyType({"device": DeviceRequest.CPU, "host_devices": ()})
"""What a variant's fields become where its build is asked on the CPU EP, which each has."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A build on a Python: one point of the matrix."""

    build: Build
    python: str

    @property
    def id(self) -> str:
        """The cell's name, as in 'cuda-1.31.1-py311'."""
        return f"{self.build.id}-py{self.python.replace('.', '')}"

    @property
    def variant(self) -> Variant:
        """The build's variant."""
        return self.build.variant

    def turned(self, changes: Mapping[str, Any]) -> Cell:
        """Return the cell with some fields of its variant in place of its own."""
        return replace(self, build=replace(self.build, variant=replace(self.variant, **changes)))


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A folder in the ONNX test-data layout whose cases are a suite of this name."""

    name: str
    path: Path
    rtol: float | None
    """None for the layout's usual tolerance."""
    atol: float | None


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Everything that matrix.toml says."""

    variants: Mapping[str, Variant]
    corpora: Mapping[str, Corpus]
    suite_deadlines_s: Mapping[str, float]

    def cells(self, tag: Tag | None = None) -> tuple[Cell, ...]:
        """Return the pinned build of every variant (with this tag) on every Python it lists."""
        builds = [
            Build(variant=variant, release=variant.release)
            for variant in self.variants.values()
            if tag is None or tag in variant.tags
        ]
        return tuple(
            Cell(build=build, python=python) for build in builds for python in build.pythons
        )

    def cell(self, name: str) -> Cell:
        """Return the cell called `name`: 'cpu', 'cpu-1.24.4', 'cpu-py312' or 'cpu-1.24.4-py311'.

        Left out, the release is the pinned one, and the Python is the running one where the build
        has it, else its newest.

        Raises:
            ConfigurationError: there is no such variant, or such a cell cannot exist.

        """
        match = _CELL.fullmatch(name)
        if match is None:
            raise ConfigurationError(f"'{name}' names no cell: its form is cpu-1.24.4-py311.")
        variant = self.variants.get(match["variant"])
        if variant is None:
            hint = nearest(match["variant"], self.variants)
            raise ConfigurationError(f"'{name}': unknown variant '{match['variant']}'. {hint}")
        release = match["release"] or variant.release
        if wrong := why_no_release(release):
            raise ConfigurationError(f"'{name}': '{release}' {wrong}.")
        build = Build(variant=variant, release=canonical_release(release))
        python = f"{match['major']}.{match['minor']}" if match["minor"] else default_python(build)
        if wrong := why_impossible(build, python):
            raise ConfigurationError(f"'{name}': {wrong}")
        return Cell(build=build, python=python)

    def limits(self, cell: Cell, suite: str) -> Limits:
        """Return what a case of `suite` may take on `cell`; a suite's own deadline goes first."""
        limits = cell.variant.limits
        deadline_s = self.suite_deadlines_s.get(suite, limits.deadline_s)
        return Limits(deadline_s=deadline_s, memory_mib=limits.memory_mib)


def default_python(build: Build) -> str:
    """Return the running interpreter's version where the build has it, else the build's newest."""
    running = "{}.{}".format(*sys.version_info)
    # Where constraints leave a release no Python, the variant's serve to say so.
    pythons = build.pythons or build.variant.pythons
    return running if running in pythons else max(pythons, key=python_order)


def why_impossible(build: Build, python: str) -> str | None:
    """Return why there can be no cell of `build` on `python` on any host; None if there can."""
    if python in build.pythons:
        return None
    if wrong := why_no_python(python):
        return f"Python '{python}' {wrong}."
    pythons = ", ".join(build.pythons) or "none"
    return f"{build.id} has no wheel for Python {python}, only for {pythons}."


_LIMIT_KEYS = tuple(part.name for part in fields(Limits))
_VARIANT_KEYS = tuple(part.name for part in fields(Variant) if part.name != "name")
_CONSTRAINT_KEYS = tuple(part.name for part in fields(Constraint))


def read_matrix(path: Path) -> Matrix:
    """Return what the matrix file at `path` says.

    Raises:
        ConfigurationError: it cannot be read, or says something unknown or impossible.

    """
    root = read_toml(path, keys=("variant", "limits", "suites", "corpora"))
    corpora = {
        name: _corpus(table, name, path.parent)
        for name, table in root.table("corpora").tables(keys=("path", "rtol", "atol")).items()
    }
    suites = (*SUITES, *corpora)
    limits = _limits(root.table("limits", keys=_LIMIT_KEYS), None)
    variants = {
        name: _variant(table, name, limits, suites)
        for name, table in root.table("variant").tables(keys=_VARIANT_KEYS).items()
    }
    if not variants:
        raise root.error("there is no [variant.<name>]")
    deadlines_s = {
        name: table.number("deadline_s", least=1)
        for name, table in root.table("suites", keys=suites).tables(keys=("deadline_s",)).items()
    }
    return Matrix(variants=variants, corpora=corpora, suite_deadlines_s=deadlines_s)


def _corpus(table: Table, name: str, folder: Path) -> Corpus:
    if name in SUITES:
        raise table.error(f"'{name}' is a built-in suite; give the corpus a name of its own")
    return Corpus(
        name=name,
        path=folder / table.text("path"),
        rtol=table.number("rtol", least=0) if "rtol" in table else None,
        atol=table.number("atol", least=0) if "atol" in table else None,
    )


def _limits(table: Table, default: Limits | None) -> Limits:
    return Limits(
        deadline_s=table.number(
            "deadline_s", least=1, default=default.deadline_s if default else None
        ),
        memory_mib=table.whole_number(
            "memory_mib", least=1, default=default.memory_mib if default else None
        ),
    )


def _variant(table: Table, name: str, limits: Limits, suites: tuple[str, ...]) -> Variant:
    device = table.member("device", DeviceRequest)
    variant = Variant(
        name=name,
        distribution=table.text("distribution"),
        release=table.text("release"),
        device=device,
        pythons=table.texts("pythons", wrong=why_no_python),
        platforms=table.texts("platforms", wrong=_not_in(PLATFORMS)),
        limits=_limits(table.table("limits", keys=_LIMIT_KEYS), limits),
        requirements=table.texts("requirements", wrong=why_no_requirement),
        constraints=tuple(
            _constraint(inner) for inner in table.table_list("constraints", keys=_CONSTRAINT_KEYS)
        ),
        providers=_providers(table, device),
        environment=table.table("environment").strings(),
        libraries=table.texts("libraries"),
        host_devices=table.texts("host_devices", wrong=_path_fault),
        runner=table.texts("runner"),
        tags=table.members("tags", Tag),
        suites=table.texts("suites", wrong=_not_in(suites)),
    )
    _refuse_impossible(variant, table)
    return variant


def _refuse_impossible(variant: Variant, table: Table) -> None:
    if not _VARIANT.fullmatch(variant.name):
        raise table.error("a variant's name is lower-case letters, digits and '_'")
    release = variant.release
    if wrong := why_no_release(release):
        raise table.error(f"'{release}' {wrong}", key="release")
    if release != canonical_release(release):
        raise table.error(f"write '{release}' as '{canonical_release(release)}'", key="release")
    if not Build(variant=variant, release=release).pythons:
        raise table.error(f"no Python is left for {release}", key="pythons")
    if not variant.platforms:
        raise table.error(f"name at least one of {', '.join(PLATFORMS)}", key="platforms")


def _constraint(table: Table) -> Constraint:
    releases = table.text("releases")
    try:
        specifiers = SpecifierSet(releases)
    except InvalidSpecifier as error:
        raise table.error(f"'{releases}' is no range like '<1.19'", key="releases") from error
    constraint = Constraint(
        releases=specifiers,
        require=table.texts("require", wrong=why_no_requirement),
        pythons=table.texts("pythons", wrong=why_no_python),
    )
    if not constraint.require and not constraint.pythons:
        raise table.error("constrains nothing: give 'require' or 'pythons'")
    return constraint


def _providers(
    table: Table, device: DeviceRequest
) -> Mapping[ExecutionProvider, Mapping[str, str]]:
    # Options for a provider outside the device's chain would never be used.
    chain = [candidate.provider for candidate in CHAINS[device]]
    inner = table.table("providers", keys=chain).tables()
    return {ExecutionProvider(name): options.strings() for name, options in inner.items()}


def _path_fault(text: str) -> str | None:
    return None if text.startswith("/") else "is no absolute path"


def _not_in(known: tuple[str, ...]) -> Callable[[str], str | None]:
    return lambda text: None if text in known else f"is unknown. {nearest(text, known)}"
