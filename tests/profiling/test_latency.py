from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mobilenet_edge import records
from mobilenet_edge.errors import HostError, InputError, MissingExtraError, MnetError, UsageError
from mobilenet_edge.formats.contents import Contents, Tensor
from mobilenet_edge.hosts import NO_FILES, Unreachable, environment
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.machine import Machine
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records.failure import exit_code
from mobilenet_edge.report import rows

MS = 1_000_000
REFERENCE = "reference/mobilenet_v1_0.25_128_quant.tflite"


@dataclass
class FakeHost:
    """Answers at once, each inference in `ms`.

    Attributes:
        name: Of the host.
        ms: Of each inference.
        fails: Error by file name or runtime; "" for all files that have none.
        gate: What the first answer waits for.
        asked: (file name, threads, mode) of each request.
    """

    name: str = "fake"
    ms: int = 1
    fails: dict[str, MnetError] = field(default_factory=dict)
    gate: threading.Event | None = None
    asked: list[tuple[str, int, str]] = field(default_factory=list)

    def __enter__(self) -> FakeHost:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        if self.gate is not None:
            assert self.gate.wait(10)
        name = files["artifact"].name if "artifact" in files else ""
        self.asked.append((name, request["threads"], request["mode"]))
        if error := self.fails.get(name) or self.fails.get(request["runtime"]):
            raise error
        if request["mode"] == "memory":
            return {"version": "0", "baseline_rss_bytes": 40, "peak_rss_bytes": 50}
        if request["mode"] == "limit":
            return {"version": "0", "float32_gmacs": 40.0, "int8_gmacs": 80.0, "shape": [8, 8, 8], "how": "a product"}
        return {
            "version": "0",
            "runtime": "litert" if request["runtime"] == "auto" else request["runtime"],
            "runtime_version": "2.3.0",
            "inputs": [{"name": "x", "shape": [1, 8, 8, 3], "dtype": "int8"}],
            "fed": "noise",
            "load_ns": MS,
            "first_ns": MS,
            "warmup_runs": 5,
            "times_ns": [self.ms * MS] * request["steady"]["runs"],
            "usage": {"wall_ns": 1000 * MS, "cpu_ns": 900 * MS, "involuntary_switches": 2},
            "host": {"cpu": "Fake", "cores": 2},
            "before": {},
            "after": {},
        }


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two artifacts that nobody opens."""

    def read(path: Path) -> SimpleNamespace:
        known = {
            "artifact": str(path),
            "sha256": path.name,
            "size_bytes": 7,
            "format": path.suffix[1:],
            "precision": "int8",
            "variant": path.stem,
        }
        empty = Contents({}, (), (), (), {})
        made = {"path": path, "format": path.suffix[1:], "data": b"7 bytes", "contents": empty, "metadata": None}
        return SimpleNamespace(**made, identity=lambda: known)

    monkeypatch.setattr(latency.artifact, "read", read)
    paths = [tmp_path / "a.tflite", tmp_path / "b.onnx"]
    for path in paths:
        path.write_bytes(b"7 bytes")
    return paths


def on(*hosts: FakeHost) -> list[Machine]:
    return [Machine(host) for host in hosts]


def test_every_combination_is_measured_in_the_order_given(models: list[Path]):
    found = latency.profile(models, threads=[2, 1], machines=on(FakeHost()))
    assert [(Path(each.artifact).name, each.threads) for each in found] == [
        ("a.tflite", 2), ("a.tflite", 1), ("b.onnx", 2), ("b.onnx", 1),
    ]  # fmt: skip
    assert exit_code(found) == 0


def test_what_is_given_twice_is_measured_once(models: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(models[0].parent)
    found = latency.profile([*models, Path("a.tflite")], threads=[1, 1], machines=on(FakeHost()))
    assert [each.artifact for each in found] == [str(path) for path in models]


def test_every_file_runs_in_each_runtime_that_opens_it(models: list[Path]):
    runtimes = ["onnxruntime", "litert", "openvino", "litert"]
    found = latency.profile(models, runtimes=runtimes, machines=on(FakeHost()))
    assert [(Path(each.artifact).name, each.runtime) for each in found] == [
        ("a.tflite", "litert"), ("b.onnx", "onnxruntime"), ("b.onnx", "openvino"),
    ]  # fmt: skip
    assert len({each.conditions["started"] for each in found}) == 1


def test_a_runtime_that_is_not_there_is_a_record_of_its_own(models: list[Path]):
    absent = MissingExtraError("OpenVINO is not installed", "openvino")
    host = FakeHost(fails={"openvino": absent})
    good, failure = latency.profile(models[1:], runtimes=["onnxruntime", "openvino"], machines=on(host))
    assert (good.runtime, failure.runtime, failure.reason) == ("onnxruntime", "openvino", str(absent))
    # The table has a row for it, although the same file was measured with as many threads.
    assert [row.failures for row in rows.join([good, failure])] == [(), (failure,)]


def test_a_file_that_no_given_runtime_opens_is_asked_of_the_first(models: list[Path]):
    host = FakeHost(fails={"onnxruntime": UsageError("onnxruntime does not open a.tflite")})
    with pytest.raises(UsageError, match="does not open"):
        latency.profile(models[:1], runtimes=["onnxruntime", "openvino"], machines=on(host))


def test_a_keras_model_is_sent_to_export(models: list[Path], tmp_path: Path):
    host = FakeHost()
    with pytest.raises(
        InputError, match=r"m\.keras is a Keras model, which devices cannot run; first: mnet export .*m\.ker"
    ):
        latency.profile([*models, tmp_path / "m.keras"], machines=on(host))
    assert host.asked == []


@pytest.mark.parametrize(("batch", "refused"), [(-1, False), (1, False), (0, True), (4, True)])
def test_a_batch_that_is_not_one_is_refused(
    batch: int, refused: bool, models: list[Path], monkeypatch: pytest.MonkeyPatch
):
    tensor = Tensor("image", (batch, 8, 8, 3), "float32")
    contents = Contents({"image": tensor}, (), ("image",), (), {})
    read = latency.artifact.read
    monkeypatch.setattr(
        latency.artifact, "read", lambda path: SimpleNamespace(**{**vars(read(path)), "contents": contents})
    )
    if refused:
        with pytest.raises(InputError, match=f"takes a batch of {batch} images.*; export it with batch 1"):
            latency.profile(models, machines=on(FakeHost()))
    else:
        assert len(latency.profile(models, machines=on(FakeHost()))) == 2


def test_a_folder_means_what_is_in_it(models: list[Path], tmp_path: Path):
    (tmp_path / "m.keras").touch()
    assert [each.artifact for each in latency.profile([tmp_path], machines=on(FakeHost()))] == list(map(str, models))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty is a folder without \.tflite or \.onnx files"):
        latency.profile([tmp_path / "empty"])


def test_no_threads_are_refused(models: list[Path]):
    host = FakeHost()
    with pytest.raises(UsageError, match="--threads must be at least 1, got 0"):
        latency.profile(models, threads=[1, 0], machines=on(host))
    assert host.asked == []


def test_auto_beside_a_name_is_refused(models: list[Path]):
    host = FakeHost()
    with pytest.raises(UsageError, match="--runtime auto would measure one of the others twice"):
        latency.profile(models, runtimes=["auto", "litert"], machines=on(host))
    assert host.asked == []


def test_images_are_looked_at_before_anything_is_measured(models: list[Path], tmp_path: Path):
    host = FakeHost()
    with pytest.raises(InputError, match="is not a folder"):
        latency.profile(models, machines=on(host), images=tmp_path / "none")
    assert host.asked == []


def test_a_profile_survives_its_file(models: list[Path], tmp_path: Path):
    found = latency.profile(models, machines=on(FakeHost(fails={"b.onnx": InputError("corrupt")})))
    path = tmp_path / "profiles.json"
    records.write(path, found)
    again = records.read(path)
    assert [each.kind for each in again] == ["profile", "failure"]
    assert again[0].to_dict()["median_ms"] == found[0].median_ms
    assert again[1] == found[1]


# Failures


@pytest.mark.parametrize("error", [InputError("corrupt"), UsageError("no such"), MissingExtraError("none", "onnx")])
def test_the_only_artifact_that_fails_is_the_error(models: list[Path], error: MnetError):
    with pytest.raises(type(error)) as caught:
        latency.profile(models[:1], machines=on(FakeHost(fails={"a.tflite": error})))
    assert caught.value is error


def test_one_of_several_artifacts_that_fails_is_a_record(models: list[Path]):
    found = latency.profile(models, machines=on(FakeHost(fails={"a.tflite": InputError("cut\n off")})))
    failure, good = found
    assert failure == records.Failure(
        variant="a",
        format="tflite",
        precision="int8",
        artifact=str(models[0]),
        host="fake",
        stage="profile",
        reason="cut off",
        exit_code=3,
        threads=1,
    )
    assert good.median_ms == 1
    assert exit_code(found) == 6


def test_several_artifacts_that_all_fail_are_the_first_error(models: list[Path]):
    fails = {"a.tflite": InputError("first"), "b.onnx": InputError("second")}
    with pytest.raises(InputError, match="first"):
        latency.profile(models, machines=on(FakeHost(fails=fails)))


def test_the_only_machine_out_of_reach_is_the_error(models: list[Path]):
    host = FakeHost(fails={"a.tflite": Unreachable("off")})
    with pytest.raises(HostError, match="off"):
        latency.profile(models, machines=on(host))
    # It was called once, not for each artifact.
    assert len(host.asked) == 1


def test_a_bug_in_one_machine_keeps_its_traceback(models: list[Path]):
    broken: Any = FakeHost(fails={"a.tflite": ZeroDivisionError()})
    with pytest.raises(ZeroDivisionError):
        latency.profile(models, machines=on(FakeHost("one"), broken))


# Several machines


def test_results_are_saved_as_each_machine_is_done(models: list[Path]):
    slow, fast, saved = FakeHost("slow", ms=9, gate=threading.Event()), FakeHost("fast"), []

    def save(made: Any) -> None:
        saved.append([(each.host["name"], Path(each.artifact).name) for each in made])
        slow.gate.set()  # only now

    found = latency.profile(models, machines=on(slow, fast), save=save)
    of_fast = [("fast", "a.tflite"), ("fast", "b.onnx")]
    assert saved == [of_fast, [("slow", "a.tflite"), ("slow", "b.onnx"), *of_fast]]
    assert [each.median_ms for each in found] == [9, 9, 1, 1]


def test_a_machine_out_of_reach_does_not_end_the_others(models: list[Path]):
    away = FakeHost("away", fails={"a.tflite": Unreachable("it is off")})
    found = latency.profile(models, machines=on(away, FakeHost("here")))
    assert [each.kind for each in found] == ["failure", "failure", "profile", "profile"]
    assert [(each.host, each.reason, each.exit_code) for each in found[:2]] == [("away", "it is off", 6)] * 2
    assert exit_code(found) == 6


def test_no_machine_within_reach_leaves_the_reasons(models: list[Path]):
    hosts = [FakeHost(name, fails={"a.tflite": Unreachable(f"{name} is off")}) for name in ("one", "two")]
    found = latency.profile(models[:1], machines=on(*hosts))
    assert [each.reason for each in found] == ["one is off", "two is off"]


def test_each_machine_has_a_bar(models: list[Path], monkeypatch: pytest.MonkeyPatch):
    bars: dict[str, tuple[int, Iterator[int]]] = {}

    @contextmanager
    def board() -> Iterator[Any]:
        def show(name: str, total: int) -> SimpleNamespace:
            steps = count()
            bars[name] = total, steps
            return SimpleNamespace(advance=lambda: next(steps), extend=lambda _: None, now=lambda *_: None)

        yield show

    monkeypatch.setattr(latency.progress, "board", board)
    latency.profile(
        models, Plan(limit=False, rounds=3), threads=[1, 2], machines=on(FakeHost("local"), FakeHost("pi4"))
    )
    # Four jobs, each in a memory pass and three rounds.
    assert {name: (total, next(done)) for name, (total, done) in bars.items()} == {
        "profile": (16, 16),
        "profile on pi4": (16, 16),
    }


# Real processes


@pytest.mark.slow
@pytest.mark.data
def test_a_real_profile_on_this_machine(data: Path):
    (one,) = latency.profile([data / REFERENCE], Plan(runs=12, seconds=0, rounds=2))
    assert one.round_sizes == (6, 6)
    assert one.runtime == "litert"
    # 13.6 M MACs in uint8: between 500 GMAC/s and 5 MMAC/s on whatever runs the tests.
    assert 0.025 < one.median_ms < 3000
    assert one.peak_rss_bytes > one.baseline_rss_bytes > 10e6
    assert one.host["name"] == "local"
    assert one.host["cores"] >= 1
    assert one.limit["float32_gmacs"] > 0


@pytest.mark.slow
@pytest.mark.data
def test_the_command_imports_nothing_heavy(data: Path):
    code = (
        "import sys; from pathlib import Path; from mobilenet_edge.profiling import latency\n"
        "from mobilenet_edge.profiling.settings import Plan\n"
        f"latency.profile([Path({str(data / REFERENCE)!r})], Plan(runs=1, seconds=0, limit=False))\n"
        "heavy = {'tensorflow', 'keras', 'onnx', 'onnxruntime', 'ai_edge_litert', 'PIL'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment.of_package(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
