"""`mnet export` and `mnet inspect` for Arm's Ethos-U, with the real Vela."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge import cli
from mobilenet_edge.conversion import encode
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.conversion.assembly import Assembly, Settings
from mobilenet_edge.conversion.ethos import vela
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.tflite.write import float_tflite
from mobilenet_edge.formats.wire.flatbuffer import Table
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import synthetic
from mobilenet_edge.report import exports

TARGET = "ethos-u55-128"


def graph() -> Graph:
    """Like a block of MobileNet v3: hard swish, squeeze-and-excite, and a head."""
    random = np.random.default_rng(3)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    same = ((0, 1), (0, 1))
    nodes = (
        Node("conv1", "conv", ("image",), (16, 16, 8), normal(3, 3, 3, 8), normal(8), 2, same),
        Node("swish", "hard_swish", ("conv1",), (16, 16, 8)),
        Node("squeeze", "mean", ("swish",), (8,)),
        Node("excite", "dense", ("squeeze",), (8,), normal(8, 8), normal(8)),
        Node("gate", "hard_sigmoid", ("excite",), (8,)),
        Node("scaled", "multiply", ("swish", "gate"), (16, 16, 8)),
        Node("pool", "mean", ("scaled",), (8,)),
        Node("head", "dense", ("pool",), (4,), normal(8, 4), normal(4)),
        Node("predictions", "softmax", ("head",), (4,)),
    )
    return Graph("mine", "image", (32, 32, 3), nodes)


def about(made: Graph) -> Metadata:
    rule, weights = Preprocess((32, 32)), Weights("random", seed=3)
    return Metadata("mine", "float32", made.classes, made.macs, made.parameters, rule, weights, target=TARGET)


def write(out: Path, *, compact: bool = False) -> tuple[Artifact, Artifact]:
    made = graph()
    samples = calibration.Samples(synthetic.images(8, made.input_shape), "synthetic")
    one, other = Assembly(made, about(made), samples, Settings(("tflite",), ("int8",), out, compact=compact)).write()
    return one, other


@pytest.fixture
def files(tmp_path: Path, vela_command: list[str]) -> tuple[Artifact, Artifact]:
    return write(tmp_path / "out")


def run(*words: str) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(words))
    return caught.value.code


@pytest.mark.slow
@pytest.mark.vela
def test_the_compiled_file_stands_beside_ours(files: tuple[Artifact, Artifact]):
    plain, compiled = files
    assert plain.path.name == f"mine.int8-{TARGET}.tflite"
    assert compiled.path.name == f"mine.int8-{TARGET}_vela.tflite"
    assert compiled.contents.ops == {"ethos-u": 1}
    report = compiled.metadata.compilation
    assert encode.PAIRS not in plain.metadata.scheme
    assert replace(compiled.metadata, compilation=None) == plain.metadata
    # Hard swish and squeeze-and-excite are no reason to fall back.
    assert (report.mapped, report.on_cpu, report.fallbacks) == (len(plain.contents.operators), 0, ())
    assert report.mapped_macs == report.macs >= graph().macs
    # Vela's own scratch tensor is the SRAM that its summary tells of.
    scratch = next(each for name, each in compiled.contents.tensors.items() if "scratch" in name)
    assert report.estimate.sram_bytes == scratch.elements
    assert report.estimate.ms == pytest.approx(report.estimate.cycles / report.estimate.clock_mhz / 1e3)


@pytest.mark.slow
@pytest.mark.vela
def test_what_is_estimated_is_called_so(files: tuple[Artifact, Artifact], capsys: pytest.CaptureFixture[str]):
    shown = exports.table(files)
    assert f" for {TARGET}: " in shown
    assert "estimated by Vela: " in shown
    assert run("inspect", str(files[1].path)) == 0
    assert "estimated by Vela: " in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.vela
def test_the_driver_finds_commands_and_weights_at_multiples_of_16(files: tuple[Artifact, Artifact]):
    data = files[1].data
    buffers = [table.span(0, 1) for table in Table.root(data).tables(4)]
    assert any(size > 1000 for _, size in buffers)
    assert all(start % 16 == 0 for start, size in buffers if size)


@pytest.mark.slow
@pytest.mark.vela
def test_a_compact_file_gives_the_same_commands(tmp_path: Path, files: tuple[Artifact, Artifact]):
    _, compact = write(tmp_path / "compact", compact=True)
    honest = files[1].contents.tensors
    stored = {name: tensor for name, tensor in compact.contents.tensors.items() if tensor.constant_bytes}
    assert {"command_stream" in name for name in stored} == {True, False}
    for name, tensor in stored.items():
        same = np.frombuffer(tensor.constant, np.uint8) == np.frombuffer(honest[name].constant, np.uint8)
        # Scales are products of other floats, so that their last bits differ.
        assert same.all() if "command_stream" in name else same.mean() > 0.9
    assert compact.metadata.compilation.estimate == files[1].metadata.compilation.estimate


@pytest.mark.slow
@pytest.mark.vela
def test_nothing_here_runs_it_and_that_is_said(
    files: tuple[Artifact, Artifact], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from PIL import Image

    (tmp_path / "data/a").mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(tmp_path / "data/a/1.png")
    for line in (["profile", str(files[1].path)], ["evaluate", str(files[1].path), "--data", str(tmp_path / "data")]):
        assert run(*line) == 3
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert "is compiled for an Ethos-U, which no runtime here has; use the .tflite it was compiled from" in error


def test_without_vela_nothing_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vela, "find", lambda: None)
    made = graph()
    artifact.write(tmp_path / "m.tflite", float_tflite(made), about(made))
    with pytest.raises(MissingExtraError, match=r"needs Arm's compiler Vela.*'mobilenet-edge\[ethos\]'"):
        export.run(tmp_path / "m.tflite", calibrate="random", target=TARGET, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_inspect_predicts_without_vela(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(vela, "find", lambda: None)
    made = graph()
    artifact.write(tmp_path / "mine.tflite", float_tflite(made), about(made))
    assert run("inspect", str(tmp_path / "mine.tflite"), "--target", "ethos-u85-256") == 0
    shown = capsys.readouterr().out
    assert "ethos-u85-256: 0 of " in shown
    assert "by the rules of Vela 5.2.0" in shown
    assert "no: image is float32" in shown
