"""Which operators the models of packed cases have, read from the models themselves."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING

import onnx

from harness.corpus.packing import domain_name
from harness.wire.values import Blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cases import Case


def operators_of(cases: Iterable[Case]) -> dict[str, tuple[str, ...]]:
    """Return by case the operators of its model, subgraphs and functions included.

    One outside ONNX's own domain is told with its domain, as in ``ai.onnx.ml.Scaler``.
    """
    files: dict[str, memoryview] = {}
    found = {}
    for case in cases:
        blob = Blob.from_json(case.arguments["model"])
        if blob.file not in files:
            files[blob.file] = _mapped(blob.file)
        end = None if blob.size is None else blob.offset + blob.size
        found[case.id] = _operators(bytes(files[blob.file][blob.offset : end]))
    return found


def _mapped(file: str) -> memoryview:
    with Path(file).open("rb") as opened:
        return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))


def _operators(data: bytes) -> tuple[str, ...]:
    model = onnx.load_model_from_string(data)
    graphs = [model.graph.node, *(function.node for function in model.functions)]
    return tuple(sorted({name for nodes in graphs for name in _names(nodes)}))


def _names(nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    for node in nodes:
        domain = domain_name(node.domain)
        yield f"{domain}.{node.op_type}" if domain else node.op_type
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _names(graph.node)
