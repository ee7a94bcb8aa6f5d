"""Cells as CI systems take them: one job for each, on a runner that has the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Cells = Iterable[Mapping[str, Any]]

ANY_RUNNER = "ubuntu-latest"
"""GitHub's own runner, for a variant that names no label."""


def for_github(cells: Cells) -> dict[str, Any]:
    """Return what ``strategy: matrix: ${{ fromJSON(…) }}`` takes; ``runs-on`` is the runner.

    Source: https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
    """
    return {
        "include": [
            {
                "cell": cell["cell"],
                "session": cell["variant"],
                "runner": cell["runner"] or [ANY_RUNNER],
            }
            for cell in cells
        ]
    }


def for_gitlab(cells: Cells) -> dict[str, Any]:
    """Return a child pipeline (JSON is YAML), to be triggered as an artifact of a job.

    Source: https://docs.gitlab.com/ci/pipelines/downstream_pipelines/#dynamic-child-pipelines
    """
    return {cell["cell"]: _gitlab_job(cell) for cell in cells}


def _gitlab_job(cell: Mapping[str, Any]) -> dict[str, Any]:
    name = cell["cell"]
    return {
        "tags": list(cell["runner"]),
        "variables": {"ORT_MATRIX_RUN": "nightly-$CI_PIPELINE_ID"},
        "script": [
            "python3 -m venv --without-pip .venv",
            "python3 -m pip --python .venv install --quiet nox uv",
            f".venv/bin/nox --session {cell['variant']} -- --junitxml=junit-{name}.xml",
        ],
        "artifacts": {
            "when": "always",
            "paths": ["runs/"],
            "reports": {"junit": f"junit-{name}.xml"},
        },
    }


BUILD_MATRICES: dict[str, Callable[[Cells], dict[str, Any]]] = {
    "github": for_github,
    "gitlab": for_gitlab,
}
