"""A candidate that was found is there whole or not at all, whatever the disk says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import parser

from harness.errors import ConfigurationError
from harness.reducing.kept import keep, kept
from harness.triage.graph_passes.candidate import Candidate

if TYPE_CHECKING:
    from pathlib import Path

MODEL = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2] x, float[2] z) => (float[2] y) { y = Add(x, z) }"""


def candidate() -> Candidate:
    """Return a model with an input that is there and one that is absent."""
    inputs = {"x": np.ones(2, np.float32), "z": None}
    return Candidate(model=parser.parse_model(MODEL), inputs=inputs)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    """Model and inputs are as they were, absent ones too, and nothing else is left."""
    file = tmp_path / "below" / "one.zip"

    keep(candidate(), file)
    found = kept(file)

    assert found is not None
    assert found.digest == candidate().digest
    assert [path.name for path in file.parent.iterdir()] == ["one.zip"]


def test_a_part_of_a_file_counts_as_none(tmp_path: Path) -> None:
    """However little is missing at the end, the reduction begins anew."""
    file = tmp_path / "one.zip"
    keep(candidate(), file)
    whole = file.read_bytes()

    found = []
    for size in range(0, len(whole), 7):
        file.write_bytes(whole[:size])
        found.append(kept(file))

    assert set(found) == {None}


def test_what_cannot_be_kept_is_told_in_one_line(tmp_path: Path) -> None:
    """A place that takes no file is named, with what the system says of it."""
    tmp_path.joinpath("below").touch()

    with pytest.raises(ConfigurationError, match=r"one\.zip: what was found cannot be kept"):
        keep(candidate(), tmp_path / "below" / "one.zip")
