"""`mnet evaluate` through a delegate, with one whose answers are known to be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mobilenet_edge import cli
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.evaluation import evaluate
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.place import Delegate, Place
from tests.evaluation.test_evaluate import colour_model

HERE = Device(LOCAL, LOCAL)


def test_a_cluster_has_no_device(tmp_path: Path):
    with pytest.raises(UsageError, match="leave them out with --dask"):
        evaluate.evaluate([], tmp_path, dask="tcp://x", place=Place(HERE, "litert"))


@pytest.mark.slow
@pytest.mark.data
def test_a_compiled_file_is_scored_through_a_delegate(data: Path, compile_library: Callable[..., Path]):
    compiled = data / "reference/mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    library = str(compile_library("stand_in"))
    with pytest.raises(InputError, match="is compiled for the Edge TPU: give --delegate"):
        evaluate.evaluate([compiled], data / "images", limit=5)
    place = Place(HERE, delegate=Delegate(library, (("latency_us", "1"),)))
    (record,) = evaluate.evaluate([compiled], data / "images", limit=20, place=place)
    assert (record.host, record.runtime, record.workstation) == ("local", "litert", None)
    assert record.delegate == {
        "path": library, "options": {"latency_us": "1"}, "nodes": 1, "total": 1, "kind": "edgetpu",
    }  # fmt: skip
    # It computes nothing, so every picture is answered alike.
    assert len({each.answer for each in record.confusions}) == 1


@pytest.mark.slow
@pytest.mark.data
def test_other_answers_than_here_are_counted(data: Path, compile_library: Callable[..., Path]):
    model = data / "reference/mobilenet_v1_0.25_128_quant.tflite"
    pooling = "1"  # BuiltinOperator of AVERAGE_POOL_2D: what comes out has nothing of the picture
    place = Place(HERE, delegate=Delegate(str(compile_library("stand_in")), (("take", pooling),)))
    (there,) = evaluate.evaluate([model], data / "images", limit=20, place=place)
    (here,) = evaluate.evaluate([model], data / "images", limit=20)
    assert here.top1 > there.top1
    assert there.delegate["nodes"] == 1
    assert there.workstation["agreement"] <= 0.1


@pytest.mark.slow
def test_the_command_line_names_runtime_and_delegate(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = colour_model(tmp_path / "m.onnx")
    for name in ("red", "green", "blue"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (20, 30), name).save(tmp_path / "photos" / name / "1.png")
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    words = ["evaluate", str(model), "--data", str(tmp_path / "photos"), "--json", str(tmp_path / "out.json")]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--runtime", "onnxruntime"])
    assert not ended.value.code
    (record,) = json.loads((tmp_path / "out.json").read_text())
    assert (record["host"], record["workstation"]["agreement"]) == ("local", 1.0)
    assert "given the same tensors: 100.0% of the answers" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--delegate", "/nowhere/lib.so"])
    assert ended.value.code == UsageError.exit_code
