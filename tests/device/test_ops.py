from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mobilenet_edge
from mobilenet_edge.device import ops
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.timing import Stop
from mobilenet_edge.device.worker import Request
from mobilenet_edge.formats.tflite import read as tflite

PACKAGE = Path(mobilenet_edge.__file__).parents[1]


@pytest.fixture(autouse=True)
def _collecting():
    """The mode is the last thing a worker does and leaves the collector off; tests go on."""
    import gc

    yield
    gc.enable()


def request(path: Path, **fields: Any) -> Request:
    return Request("ops", str(path), **{"steady": Stop(runs=3), **fields})


@pytest.fixture(params=["tflite", "onnx"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"small.{request.param}"
    path.write_bytes(request.getfixturevalue(f"small_{request.param}"))
    return path


def test_every_operator_is_timed(small: Path):
    made = ops.run(request(small))
    assert [each["index"] for each in made["ops"]] == list(range(len(made["ops"])))
    assert made["sum_ns"] == sum(each["ns"] for each in made["ops"])
    assert made["total_ns"] > 0
    for each in made["ops"]:
        low, high = each["interval_ns"]
        # The interpolated median of whole microseconds lies inside, too.
        assert low <= each["ns"] <= high
    assert made["runtime"] == ("litert" if small.suffix == ".tflite" else "onnxruntime")
    assert f"{made['sum_ns'] / made['total_ns']:.0%} of the median of the whole model" in made["how"]
    json.dumps(made, allow_nan=False)


def test_few_runs_are_made_more_and_the_cap_is_kept(small: Path):
    assert f"median of {ops.MIN_ROUNDS} r" in ops.run(request(small, steady=Stop(runs=2)))["how"]
    assert "median of 1 r" in ops.run(request(small, steady=Stop(runs=50, cap_seconds=0)))["how"]


def test_operators_of_a_tflite_file_have_the_indexes_of_the_file(small_tflite: bytes, tmp_path: Path):
    path = tmp_path / "small.tflite"
    path.write_bytes(small_tflite)
    made = ops.run(request(path))
    assert [each["name"] for each in made["ops"]] == [
        each.outputs[0] for each in tflite.contents(small_tflite).operators
    ]


def test_a_float16_file_has_its_conversions_once(small_graph, tmp_path: Path):
    from mobilenet_edge.formats.tflite.write import float16_tflite

    path = tmp_path / "small.tflite"
    path.write_bytes(float16_tflite(small_graph))
    made = ops.run(request(path))["ops"]
    conversions = [each for each in made if each["kind"] == "BUILTIN_6"]
    assert conversions
    assert all(each["ns"] == 0 and each["interval_ns"] is None for each in conversions)
    assert all(each["interval_ns"] for each in made if each not in conversions)


def test_a_delegate_is_refused(small: Path):
    with pytest.raises(RequestError, match="leave out the delegate"):
        ops.run(request(small, delegate={"path": "/lib/libedgetpu.so.1", "options": {}}))


def test_a_missing_file_is_said(tmp_path: Path):
    with pytest.raises(InvalidModel, match=r"absent\.tflite cannot be read: No such file"):
        ops.run(request(tmp_path / "absent.tflite"))


def test_a_damaged_file_is_said(small_tflite: bytes, tmp_path: Path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(small_tflite[:200])
    with pytest.raises((InvalidModel, RequestError)):
        ops.run(request(path))


@pytest.mark.slow
def test_the_worker_answers(small: Path):
    done = subprocess.run(
        [sys.executable, "-m", "mobilenet_edge.device"],
        input=json.dumps({"mode": "ops", "artifact": str(small), "threads": 2, "steady": {"runs": 2}}) + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
    )
    made = json.loads(done.stdout)
    assert "error" not in made
    assert len(made["ops"]) >= 6


@pytest.mark.data
def test_a_foreign_file_is_taken_apart(reference: Path):
    made = ops.run(request(reference))
    # 27 convolutions, pooling, the head as a convolution, RESHAPE and SOFTMAX.
    assert len(made["ops"]) == 31
    assert made["runtime"] == "litert"
