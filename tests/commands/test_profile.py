from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mobilenet_edge import records
from mobilenet_edge.commands import profile
from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts.local import environment

MS = 1_000_000
REFERENCE = "reference/mobilenet_v1_0.25_128_quant.tflite"


@dataclass
class FakeHost:
    """Answers at once. Round n takes n ms for each inference, and 10 n ms to load."""

    name: str = "fake"
    asked: list[tuple[str, int, str]] = field(default_factory=list)
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    fails: str = ""

    def run(self, request: Mapping[str, Any], artifact: Path, *, limit_seconds: float) -> dict[str, Any]:
        key = (artifact.name, request["threads"], request["mode"])
        turn = self.asked.count(key) + 1
        self.asked.append(key)
        self.requests.append(request)
        self.limits.append(limit_seconds)
        if artifact.name == self.fails:
            raise HostError("crashed")
        if request["mode"] == "memory":
            return {"version": "0", "baseline_rss_bytes": 40, "peak_rss_bytes": 50}
        runs = request["steady"]["runs"]
        return {
            "version": "0",
            "runtime": "litert",
            "runtime_version": "2.3.0",
            "inputs": [{"name": "x", "shape": [1, 8, 8, 3], "dtype": "int8", "scale": 0.1, "zero_point": 0}],
            "outputs": [],
            "fed": "noise",
            "import_ns": 1,
            "load_ns": 10 * turn * MS,
            "first_ns": 20 * turn * MS,
            "warmup_runs": 5,
            "times_ns": [turn * MS] * runs,
            "usage": {"wall_ns": 1000 * MS, "cpu_ns": 900 * MS, "involuntary_switches": 2},
            "host": {"cpu": "Fake", "cores": 2},
            "before": {"load": turn, "busy_ns": 0, "stolen_ns": 0},
            "after": {"load": turn + 0.5, "busy_ns": 1000 * MS, "stolen_ns": 10 * MS},
        }


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two artifacts that nobody opens."""

    def read(path: Path) -> SimpleNamespace:
        known = {
            "artifact": str(path),
            "sha256": "0",
            "size_bytes": 7,
            "format": path.suffix[1:],
            "precision": "int8",
            "variant": path.stem,
        }
        return SimpleNamespace(path=path, format=path.suffix[1:], identity=lambda: known)

    monkeypatch.setattr(profile.artifact, "read", read)
    return [tmp_path / "a.tflite", tmp_path / "b.onnx"]


def test_rounds_are_merged(models: list[Path]):
    host = FakeHost()
    (one,) = profile.run(models[:1], runs=10, rounds=3, host=host)
    # 10 runs in 3 rounds: 4 each, so that there are at least as many as asked.
    assert one.times_ns == (MS,) * 4 + (2 * MS,) * 4 + (3 * MS,) * 4
    assert one.round_sizes == (4, 4, 4)
    assert one.median_ms == 2
    assert (one.load_ms, one.first_ms) == (20, 40)
    assert (one.baseline_rss_bytes, one.peak_rss_bytes) == (40, 50)
    assert (one.runtime, one.runtime_version, one.threads) == ("litert", "2.3.0", 1)
    assert one.host == {
        "name": "fake",
        "cpu": "Fake",
        "cores": 2,
        "before": {"load": 1, "busy_ns": 0, "stolen_ns": 0},
        "after": {"load": 3.5, "busy_ns": 1000 * MS, "stolen_ns": 10 * MS},
    }


def test_conditions_say_how_it_was_measured(models: list[Path]):
    (one,) = profile.run(models[:1], runs=10, rounds=3, seconds=2, seed=5, affinity=(1,), host=FakeHost())
    conditions = dict(one.conditions)
    assert conditions.pop("started").endswith("+00:00")
    assert conditions.pop("order") == "shuffled in each round, a fresh process each"
    assert conditions == {
        "rounds": 3,
        "runs": 10,
        "seconds": 2,
        "max_seconds": 60,
        "warmup": {"runs": 5, "seconds": 0.15},
        "warmup_runs": [5, 5, 5],
        "inputs": "noise",
        "input_shapes": [[1, 8, 8, 3]],
        "input_dtypes": ["int8"],
        "seed": 5,
        "affinity": [1],
        # Of 3 x 1000 ms that all processes took, 3 x 900 were the worker's own.
        "usage": {
            "wall_ns": 3000 * MS,
            "cpu_ns": 2700 * MS,
            "involuntary_switches": 6,
            "others_ns": 300 * MS,
            "stolen_ns": 30 * MS,
        },
        "version": "0",
    }


def test_doubts_are_in_the_record(models: list[Path]):
    (one,) = profile.run(models[:1], runs=30, rounds=3, threads=[4], host=FakeHost())
    assert "4 threads share 2 cores: ask for at most 2 with --threads" in one.doubts


def test_every_combination_is_measured_in_the_order_given(models: list[Path]):
    found = profile.run(models, threads=[2, 1], host=FakeHost())
    assert [(Path(each.artifact).name, each.threads) for each in found] == [
        ("a.tflite", 2), ("a.tflite", 1), ("b.onnx", 2), ("b.onnx", 1),
    ]  # fmt: skip


def test_memory_comes_first_and_rounds_are_interleaved(models: list[Path]):
    host = FakeHost()
    profile.run(models, threads=[1, 2], rounds=4, host=host)
    modes = [mode for _, _, mode in host.asked]
    assert modes == ["memory"] * 4 + ["time"] * 16
    rounds = [host.asked[start : start + 4] for start in range(4, 20, 4)]
    # Each round holds each job once, and the four are not all in one order.
    assert all(sorted(each) == sorted(rounds[0]) for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1


def test_a_seed_fixes_the_order(models: list[Path]):
    hosts = [FakeHost(), FakeHost(), FakeHost()]
    for host, seed in zip(hosts, (3, 3, 4), strict=True):
        profile.run(models, threads=[1, 2], rounds=6, seed=seed, host=host)
    assert hosts[0].asked == hosts[1].asked
    assert hosts[0].asked != hosts[2].asked


def test_what_is_given_twice_is_measured_once(models: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(models[0].parent)
    found = profile.run([*models, Path("a.tflite")], threads=[1, 1], host=FakeHost())
    assert [each.artifact for each in found] == [str(path) for path in models]


def test_phases_are_shared_out_over_rounds(models: list[Path]):
    host = FakeHost()
    profile.run(models[:1], runs=50, seconds=3, max_seconds=30, rounds=3, seed=9, runtime="litert", host=host)
    assert host.requests[0] == {"mode": "memory", "runtime": "litert", "threads": 1, "seed": 9}
    assert host.requests[1] == {
        "mode": "time",
        "runtime": "litert",
        "threads": 1,
        "seed": 9,
        "warmup": {"runs": 5, "seconds": 0.15, "cap_seconds": 10},
        "steady": {"runs": 17, "seconds": 1, "cap_seconds": 10},
    }
    # Both phases up to their cap must fit in.
    assert min(host.limits) > 20


def test_there_are_no_more_rounds_than_runs(models: list[Path]):
    (one,) = profile.run(models[:1], runs=2, rounds=5, host=FakeHost())
    assert one.round_sizes == (1, 1)


def test_affinity_is_asked_for_in_both_passes(models: list[Path]):
    host = FakeHost()
    profile.run(models[:1], affinity=(0, 1), host=host)
    assert {tuple(each["affinity"]) for each in host.requests} == {(0, 1)}


def test_a_failure_is_seen_before_anything_is_timed(models: list[Path]):
    host = FakeHost(fails="b.onnx")
    with pytest.raises(HostError, match="crashed"):
        profile.run(models, host=host)
    assert {mode for _, _, mode in host.asked} == {"memory"}


def test_a_keras_model_is_sent_to_export(models: list[Path], tmp_path: Path):
    host = FakeHost()
    with pytest.raises(
        InputError, match=r"m\.keras is a Keras model, which no device runs; first: mnet export .*m\.ker"
    ):
        profile.run([*models, tmp_path / "m.keras"], host=host)
    assert host.asked == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": [1, 0]}, "--threads must be at least 1, got 0"),
        ({"runs": 0}, "--runs must be at least 1, got 0"),
        ({"rounds": 0}, "--rounds must be at least 1, got 0"),
        ({"seconds": -1}, "--seconds must be 0 or more, got -1"),
        ({"seconds": float("nan")}, "--seconds must be 0 or more, got nan"),
        ({"max_seconds": 0}, "--max-seconds must be above 0, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(models: list[Path], options: dict[str, Any], message: str):
    host = FakeHost()
    with pytest.raises(UsageError, match=message):
        profile.run(models, host=host, **options)
    assert host.asked == []


def test_a_profile_survives_its_file(models: list[Path], tmp_path: Path):
    found = profile.run(models, host=FakeHost())
    path = tmp_path / "profiles.json"
    records.write(path, found)
    again = records.read(path)
    assert [each.to_dict()["median_ms"] for each in again] == [each.median_ms for each in found]
    assert [each.doubts for each in again] == [each.doubts for each in found]


def test_progress_goes_over_every_worker(models: list[Path], monkeypatch: pytest.MonkeyPatch):
    from contextlib import contextmanager

    steps, totals = count(), []

    @contextmanager
    def bar(_: str, total: int):
        totals.append(total)
        yield lambda: next(steps)

    monkeypatch.setattr(profile.progress, "bar", bar)
    profile.run(models, threads=[1, 2], rounds=3, host=FakeHost())
    # Four jobs, each in a memory pass and three rounds.
    assert totals == [16]
    assert next(steps) == 16


@pytest.mark.slow
@pytest.mark.data
def test_a_real_profile_on_this_machine(data: Path):
    (one,) = profile.run([data / REFERENCE], runs=12, seconds=0, rounds=2)
    assert one.round_sizes == (6, 6)
    assert one.runtime == "litert"
    # 13.6 M MACs in uint8: between 500 GMAC/s and 5 MMAC/s on whatever runs the tests.
    assert 0.025 < one.median_ms < 3000
    assert one.peak_rss_bytes > one.baseline_rss_bytes > 10e6
    assert one.host["name"] == "local"
    assert one.host["cores"] >= 1


@pytest.mark.slow
@pytest.mark.data
def test_the_command_imports_nothing_heavy(data: Path):
    code = (
        "import sys; from pathlib import Path; from mobilenet_edge.commands import profile\n"
        f"profile.run([Path({str(data / REFERENCE)!r})], runs=1, seconds=0)\n"
        "heavy = {'tensorflow', 'keras', 'onnx', 'onnxruntime', 'ai_edge_litert'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
