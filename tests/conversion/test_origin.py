"""The graph of a Keras file is held against Keras itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_edge import cli
from mobilenet_edge.conversion import creation, origin
from mobilenet_edge.errors import BuildError
from mobilenet_edge.model import read
from mobilenet_edge.model.spec import ModelSpec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory):
    return creation.create(ModelSpec(0.25, 32, 5), out=tmp_path_factory.mktemp("model"))


def test_the_graph_is_that_of_keras(source, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    origin.compare_with_keras(source, read.read(source.path))
    with pytest.raises(SystemExit) as stop:
        cli.main(["export", str(source.path), "--precision", "float32", "--check-keras", "--out", str(tmp_path)])
    assert stop.value.code in (None, 0)


def test_a_wrong_weight_is_found(source):
    model = read.read(source.path)
    last = [node for node in model.graph.nodes if node.weight is not None][-1]
    wrong = model.graph.replace({last.name: replace(last, weight=last.kernel[..., ::-1].copy())})
    with pytest.raises(BuildError, match="differs from what Keras computes by"):
        origin.compare_with_keras(source, replace(model, graph=wrong))
