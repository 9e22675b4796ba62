from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilenet_edge
from mobilenet_edge.device import busy, facts, measure, runtimes
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.device.measure import INPUT_SETS
from mobilenet_edge.device.runtimes import TensorInfo
from mobilenet_edge.device.timing import Stop
from mobilenet_edge.device.worker import Request

PICTURE = TensorInfo("x", (1, 2, 2, 3), "uint8")


class Model:
    """A session that keeps what it was fed, and the runtime that opens it."""

    runtime, version = "litert", "0"
    inputs = outputs = (PICTURE,)

    def __init__(self) -> None:
        self.fed: list[np.ndarray] = []
        self.delegate: Any = None

    def load(self) -> None:
        pass

    def open(self, path: Path, threads: int, delegate: Any) -> Model:
        self.delegate = delegate
        return self

    def feed(self, inputs: Sequence[np.ndarray]) -> None:
        self.fed.append(inputs[0].copy())

    def invoke(self) -> None:
        pass


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    model = Model()
    monkeypatch.setattr(runtimes, "choose", lambda path, runtime: model)
    yield model
    gc.enable()  # the worker leaves it off


def ask(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(Path(mobilenet_edge.__file__).parents[1]), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "mobilenet_edge.device"],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def save(path: Path, count: int = 3) -> np.ndarray:
    images = np.arange(count * 12, dtype=np.uint8).reshape(count, 1, 2, 2, 3)
    np.save(path, images)
    return images


def test_noise_takes_turns_through_all_phases(model: Model):
    measure.latency(Request("time", "a.tflite", warmup=Stop(3), steady=Stop(2 * INPUT_SETS - 4)))
    # One first run, 3 of warm-up and the rest: twice around.
    assert len(model.fed) == 2 * INPUT_SETS
    assert len({each.tobytes() for each in model.fed}) == INPUT_SETS
    np.testing.assert_array_equal(model.fed[:INPUT_SETS], model.fed[INPUT_SETS:])


def test_images_take_turns_through_all_phases(model: Model, tmp_path: Path):
    images = save(tmp_path / "images.npy")
    path = str(tmp_path / "images.npy")
    document = measure.latency(Request("time", "a.tflite", warmup=Stop(2), steady=Stop(4), inputs=path))
    np.testing.assert_array_equal(model.fed, images[[0, 1, 2, 0, 1, 2, 0]])
    assert document["fed"] == "3 real images, rotated"


def test_images_that_do_not_fit_are_refused(model: Model, tmp_path: Path):
    np.save(tmp_path / "images.npy", np.zeros((3, 2, 2, 3), np.uint8))
    with pytest.raises(RequestError, match="prepare the images for this model"):
        measure.latency(Request("time", "a.tflite", inputs=str(tmp_path / "images.npy")))


def test_memory_is_that_of_the_model_and_not_of_images(model: Model):
    measure.memory(Request("memory", "a.tflite", inputs="nowhere.npy"))
    assert len(model.fed) == INPUT_SETS


@pytest.mark.parametrize("mode", [measure.latency, measure.memory])
def test_delegate_reaches_the_runtime(model: Model, mode: Callable[[Request], dict[str, Any]]):
    asked = {"path": "libedgetpu.so.1", "options": {"device": "usb"}}
    document = mode(Request("time", "a.tflite", delegate=asked))
    assert model.delegate == asked
    assert document.get("delegate", asked) == asked


def test_only_the_steady_phase_is_paced(model: Model):
    # Eleven days from run to run: a warm-up at this pace would not end, and the cap is past before the second run.
    request = Request("time", "a.tflite", warmup=Stop(3), steady=Stop(9, cap_seconds=60), period_ns=10**15)
    document = measure.latency(request)
    assert document["warmup_runs"] == 3
    assert len(document["times_ns"]) == 1


def test_the_machine_is_looked_at_between_runs(model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(facts, "volatile", lambda: {"looked_after": len(model.fed)})
    document = measure.latency(Request("time", "a.tflite", steady=Stop(4), sample_seconds=1e-9))
    # The first run and that of the warm-up are before all; no sample follows the last run but `after`.
    assert document["before"] == {"looked_after": 2}
    assert [(each["runs"], each["looked_after"]) for each in document["samples"]] == [(1, 3), (2, 4), (3, 5)]
    assert document["after"] == {"looked_after": 6}
    times = [each["at_ns"] for each in document["samples"]]
    assert times == sorted(set(times))
    assert times[0] > 0
    assert times[-1] < document["usage"]["wall_ns"]


def test_samples_keep_their_distance():
    samples: list[dict[str, Any]] = []
    for runs, tenths in enumerate((4, 9, 12, 19, 22, 50, 59, 60), 1):
        measure._sample(samples, 1.0, runs, tenths * 10**8)
    # A second after the beginning, then a second or more after the sample before: 1.2, 2.2, 5.0 and 6.0 s.
    assert [(each["at_ns"], each["runs"]) for each in samples] == [
        (1_200_000_000, 3), (2_200_000_000, 5), (5_000_000_000, 6), (6_000_000_000, 8),
    ]  # fmt: skip


@pytest.mark.slow
def test_timing_an_onnx_model(make_onnx: Callable[..., Path], tmp_path: Path):
    request = {
        "mode": "time",
        "artifact": str(make_onnx()),
        "warmup": {"runs": 3},
        "steady": {"runs": 7},
        "affinity": [min(os.sched_getaffinity(0))],
    }
    document = ask(request, tmp_path)
    assert document["version"] == mobilenet_edge.__version__
    assert document["runtime"] == "onnxruntime"
    assert document["delegate"] is None
    assert document["warmup_runs"] == 3
    assert len(document["times_ns"]) == 7
    assert all(isinstance(time_ns, int) and time_ns > 0 for time_ns in document["times_ns"])
    assert document["usage"]["wall_ns"] >= sum(document["times_ns"])
    assert document["load_ns"] > 0
    assert document["first_ns"] > 0
    assert document["inputs"][0] == {
        "name": "x", "shape": [1, 8, 8, 3], "dtype": "float32", "scale": None, "zero_point": None,
    }  # fmt: skip
    assert document["host"]["cores"] == 1  # where it was pinned
    assert "busy_ns" in document["before"].keys() & document["after"].keys()
    assert document["concurrent"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]


@pytest.mark.slow
def test_a_pace_is_kept(make_onnx: Callable[..., Path], tmp_path: Path):
    request = {"mode": "time", "artifact": str(make_onnx()), "steady": {"runs": 6}, "period_ns": 20_000_000}
    document = ask({**request, "sample_seconds": 1e-9}, tmp_path)
    # Five periods lie between six starts; it may be more on a busy machine, never less.
    assert document["usage"]["wall_ns"] >= 5 * 20_000_000
    assert [each["runs"] for each in document["samples"]] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_images_reach_onnxruntime(make_onnx: Callable[..., Path], tmp_path: Path):
    np.save(tmp_path / "images.npy", np.zeros((2, 1, 8, 8, 3), np.float32))
    request = {"mode": "time", "artifact": str(make_onnx()), "inputs": str(tmp_path / "images.npy")}
    assert ask(request, tmp_path)["fed"] == "2 real images, rotated"
    np.save(tmp_path / "images.npy", np.zeros((2, 8, 8, 3), np.float32))
    assert ask(request, tmp_path)["error"]["kind"] == "request"


@pytest.mark.slow
def test_another_measuring_worker_is_seen(make_onnx: Callable[..., Path], tmp_path: Path):
    with busy.measuring(tmp_path):
        assert ask({"mode": "time", "artifact": str(make_onnx())}, tmp_path)["concurrent"] == 1


@pytest.mark.slow
@pytest.mark.data
def test_memory_of_a_model(reference: Path, tmp_path: Path):
    document = ask({"mode": "memory", "artifact": str(reference)}, tmp_path)
    grown = document["peak_rss_bytes"] - document["baseline_rss_bytes"]
    # Weights of 0.48 MB, their packed copy, and activations of at most 2 x 128 KB; far below 100 MB in any case.
    assert 0.48e6 < grown < 100e6


@pytest.mark.slow
@pytest.mark.data
def test_memory_does_not_count_that_of_the_starter(reference: Path, tmp_path: Path):
    """`ru_maxrss` would: Linux hands the starter's peak down."""
    ballast = bytearray(os.urandom(1)) * 300_000_000
    document = ask({"mode": "memory", "artifact": str(reference)}, tmp_path)
    assert document["peak_rss_bytes"] < len(ballast)
