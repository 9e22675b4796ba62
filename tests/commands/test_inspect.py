"""`mnet inspect` on files that are written here: every byte and every operator is accounted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge import records
from mobilenet_edge.commands import inspect
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import synthetic
from mobilenet_edge.quantise.solve import Options, solve

WRITERS: dict[str, Any] = {
    "tflite": (tflite.float_tflite, tflite.int8_tflite),
    "onnx": (onnx.float_onnx, onnx.int8_onnx),
}
LABELS = ("red", "green", "blue", "none")


@pytest.fixture(scope="module")
def graph() -> Graph:
    random = np.random.default_rng(0)
    weight, bias = (np.asarray(random.normal(size=shape), np.float32) for shape in ((1, 1, 3, 4), (4,)))
    nodes = (
        Node("conv", "conv", ("image",), (8, 8, 4), weight, bias),
        Node("pool", "mean", ("conv",), (4,)),
        Node("predictions", "softmax", ("pool",), (4,)),
    )
    return Graph("tiny", "image", (8, 8, 3), nodes)


@pytest.fixture(scope="module")
def about(graph: Graph) -> Metadata:
    rule, weights = Preprocess((8, 8)), Weights("random", 0)
    return Metadata("tiny", "float32", 4, graph.macs, graph.parameters, rule, weights, labels=LABELS)


@pytest.fixture(scope="module", params=["tflite", "onnx"])
def files(
    request: pytest.FixtureRequest, graph: Graph, about: Metadata, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """A float file, its int8 sibling, and the float file as somebody else would have made it."""
    folder, kind = tmp_path_factory.mktemp("files"), request.param
    write_float, write_int8 = WRITERS[kind]
    quantised = solve(graph, synthetic.images(8, graph.input_shape), Options())
    paths = [folder / f"tiny.{name}.{kind}" for name in ("float32", "int8", "foreign")]
    artifact.write(paths[0], write_float(graph), about)
    artifact.write(paths[1], write_int8(quantised, io="int8"), replace(about, precision="int8", io="int8"))
    paths[2].write_bytes(write_float(graph))
    return paths


def test_files_are_told_in_the_order_given(files: list[Path]) -> None:
    found = inspect.run(files)
    assert [each.artifact for each in found] == [str(path) for path in files]
    assert [each.precision for each in found] == ["float32", "int8", "float32"]


def test_every_byte_is_accounted_for(files: list[Path]) -> None:
    for found, path in zip(inspect.run(files), files, strict=True):
        assert sum(found.bytes.values()) == found.size_bytes == path.stat().st_size
        assert min(found.bytes.values()) >= 0


def test_weights_shrink_fourfold(files: list[Path], graph: Graph) -> None:
    whole, small, _ = inspect.run(files)
    assert whole.bytes["weights"] == 4 * graph["conv"].kernel.size
    assert small.bytes["weights"] == graph["conv"].kernel.size


def test_ends_are_described(files: list[Path]) -> None:
    whole, small, _ = inspect.run(files)
    (image,), (scores,) = small.inputs, small.outputs
    assert sorted(image["shape"]) == [1, 3, 8, 8]
    assert (image["dtype"], scores["dtype"], scores["shape"]) == ("int8", "int8", [1, 4])
    assert whole.inputs[0]["dtype"] == "float32"
    assert (whole.inputs[0]["scale"], whole.inputs[0]["zero_point"]) == (None, None)


def test_metadata_and_labels_are_whole(files: list[Path], about: Metadata) -> None:
    whole, small, foreign = inspect.run(files)
    assert whole.metadata == json.loads(about.to_json())
    assert whole.metadata["labels"] == list(LABELS)
    assert small.metadata is not None
    assert small.metadata["precision"] == "int8"
    assert foreign.metadata is None


def test_a_foreign_file_says_what_it_lacks(files: list[Path]) -> None:
    whole, _, foreign = inspect.run(files)
    assert whole.lacks == ()
    assert (foreign.variant, foreign.macs) == ("tiny.foreign", None)
    assert "carries no metadata" in foreign.lacks[0]


def test_operators_are_counted(files: list[Path]) -> None:
    whole = inspect.run(files)[0]
    assert {name.upper().replace("_2D", "") for name in whole.ops} >= {"CONV", "SOFTMAX"}
    assert all(count > 0 for count in whole.ops.values())


def test_records_survive_the_file(files: list[Path], tmp_path: Path) -> None:
    found = inspect.run(files)
    records.write(tmp_path / "records.json", found)
    assert records.read(tmp_path / "records.json") == found


def test_one_bad_file_ends_it(files: list[Path], tmp_path: Path) -> None:
    cut = tmp_path / files[0].name
    cut.write_bytes(files[0].read_bytes()[:100])
    with pytest.raises(InputError, match="is not a whole"):
        inspect.run([*files, cut])


@pytest.mark.data
def test_a_file_of_google(data: Path) -> None:
    (found,) = inspect.run([data / "reference" / "mobilenet_v1_0.25_128_quant.tflite"])
    assert (found.precision, found.ops["CONV_2D"], found.ops["DEPTHWISE_CONV_2D"]) == ("uint8", 15, 13)
    assert found.outputs[0]["shape"][-1] == 1001
    assert sum(found.bytes.values()) == found.size_bytes
