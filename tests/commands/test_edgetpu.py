"""`mnet export --target edgetpu` and `mnet inspect --target edgetpu`, without TensorFlow and the compiler."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from mobilenet_edge import cli
from mobilenet_edge.commands import inspect
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.conversion.assembly import Assembly, Settings
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.tflite.write import float_tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import synthetic
from mobilenet_edge.report import exports

ROWS = "CONV_2D                        2          Mapped to Edge TPU"
COMPILER = """#!{python}
import pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out_dir") + 1])
model = pathlib.Path(sys.argv[-1])
name = model.name.removesuffix(".tflite")
(out / f"{{name}}_edgetpu.tflite").write_bytes(model.read_bytes())
(out / f"{{name}}_edgetpu.log").write_text("Operator  Count  Status\\n\\n{rows}\\n")
print("Edge TPU Compiler version 16.0.384591198")
print("On-chip memory used for caching model parameters: 1.50KiB")
print("Off-chip memory used for streaming uncached model parameters: 0.00B")
print("Number of Edge TPU subgraphs: 1")
"""


def graph(classes: int = 4) -> Graph:
    random = np.random.default_rng(3)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    same = ((0, 1), (0, 1))
    nodes = (
        Node("conv1", "conv", ("image",), (16, 16, 8), normal(3, 3, 3, 8), normal(8), 2, same, "relu6"),
        Node("pool", "mean", ("conv1",), (8,)),
        Node("head", "dense", ("pool",), (classes,), normal(8, classes), normal(classes)),
        Node("predictions", "softmax", ("head",), (classes,)),
    )
    return Graph("mine", "image", (32, 32, 3), nodes)


def about(made: Graph) -> Metadata:
    return Metadata(
        variant="mine",
        precision="float32",
        classes=made.classes,
        macs=made.macs,
        parameters=made.parameters,
        preprocess=Preprocess((32, 32)),
        weights=Weights("random", seed=3),
        target="edgetpu",
    )


def write(out, made: Graph, io=None):
    samples = calibration.Samples(synthetic.images(8, made.input_shape), "synthetic")
    return list(Assembly(made, about(made), samples, Settings(("tflite",), ("int8",), out, io)).write())


@pytest.fixture
def no_compiler(tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    def install(rows=ROWS):
        program = tmp_path / "bin" / "edgetpu_compiler"
        program.parent.mkdir()
        program.write_text(COMPILER.format(python=sys.executable, rows=rows))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))

    return install


@pytest.mark.slow
@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("io", ["int8", "uint8"])
def test_our_own_file_is_mapped_whole(tmp_path, io):
    (made,) = write(tmp_path / "out", graph(), io)
    assert made.path.name == "mine.int8-edgetpu.tflite"
    assert (made.metadata.target, made.metadata.io, made.metadata.compilation) == ("edgetpu", io, None)
    (record,) = inspect.run([made.path], "edgetpu")
    found = record.preflight
    assert found["mapped"] == found["total"] == len(made.contents.operators)
    assert (found["cut"], found["fits"], found["runtime"]) == (None, "yes", 13)


@pytest.mark.slow
@pytest.mark.usefixtures("no_compiler")
def test_without_the_compiler_the_command_to_run_elsewhere_is_told(tmp_path):
    shown = exports.table(write(tmp_path / "out", graph()))
    assert "edgetpu_compiler is not on PATH" in shown
    assert "edgetpu_compiler --min_runtime_version 13 --out_dir . mine.int8-edgetpu.tflite" in shown


@pytest.mark.slow
def test_with_the_compiler_its_file_carries_the_report(tmp_path, compiler):
    compiler()
    plain, compiled = write(tmp_path / "out", graph())
    assert compiled.path.name == "mine.int8_edgetpu.tflite"
    report = compiled.metadata.compilation
    assert (report.compiler, report.mapped, report.on_cpu) == ("edgetpu_compiler 16.0.384591198", 2, 0)
    assert (report.on_chip_bytes, report.off_chip_bytes, report.on_chip_free_bytes) == (1536, 0, None)
    assert replace(compiled.metadata, compilation=None) == plain.metadata
    assert plain.metadata.compilation is None
    assert "not on PATH" not in exports.table([plain, compiled])


@pytest.mark.slow
def test_an_operator_left_on_the_cpu_leaves_no_file(tmp_path, compiler):
    compiler(ROWS + "\\nSOFTMAX    1     Operation version not supported")
    with pytest.raises(BuildError, match=r"1 SOFTMAX \(Operation version not supported\)"):
        write(tmp_path / "out", graph())
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.slow
def test_a_preflight_that_fails_leaves_no_file_and_starts_no_compiler(tmp_path, compiler):
    compiler("never read")
    with pytest.raises(BuildError, match=r"SOFTMAX.*16,001 elements"):
        write(tmp_path / "out", graph(16_001))
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["onnx"]}, "takes --format tflite"),
        ({"precisions": ["float32"]}, "takes --precision int8"),
        ({"io": "float32"}, "takes --io int8 or uint8"),
        ({"calibrate": None}, "int8 needs calibration"),
    ],
)
def test_what_the_edge_tpu_cannot_take_is_refused_at_once(tmp_path, options, message):
    made = graph()
    artifact.write(tmp_path / "m.tflite", float_tflite(made), about(made))
    with pytest.raises(UsageError, match=message):
        export.run(tmp_path / "m.tflite", **{"calibrate": "random", **options}, target="edgetpu", out=tmp_path)


def test_only_tflite_files_have_a_preflight(tmp_path, capsys):
    from mobilenet_edge.formats.onnx.write import float_onnx

    made = graph()
    artifact.write(tmp_path / "mine.onnx", float_onnx(made), about(made))
    with pytest.raises(SystemExit) as caught:
        cli.main(["inspect", str(tmp_path / "mine.onnx"), "--target", "edgetpu"])
    assert caught.value.code == 2
    assert "is not a .tflite file" in capsys.readouterr().err


@pytest.mark.data
def test_inspect_tells_of_googles_model(data, capsys, tmp_path):
    model = data / "reference/mobilenet_v1_0.25_128_quant.tflite"
    with pytest.raises(SystemExit) as caught:
        cli.main(["inspect", str(model), "--target", "edgetpu", "--json", str(tmp_path / "r.json")])
    assert caught.value.code == 0
    assert "31 of 31 operators are mapped" in capsys.readouterr().out
    (record,) = json.loads((tmp_path / "r.json").read_text())
    assert record["preflight"]["mapped"] == 31


def test_without_a_target_there_is_no_preflight(tmp_path):

    made = graph()
    artifact.write(tmp_path / "mine.tflite", float_tflite(made), about(made))
    (record,) = inspect.run([tmp_path / "mine.tflite"])
    assert record.preflight is None
