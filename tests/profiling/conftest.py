"""A machine that answers at once, and artifacts that nobody opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import NO_FILES
from mobilenet_edge.profiling.job import Job
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Plan

MS = 1_000_000


@dataclass
class FakeHost:
    """Answers at once. Round n takes n ms for each inference, and 10 n ms to load.

    Attributes:
        name: Of the host.
        times: Round to the time of each of its inferences, instead of n ms.
        fails: Error by file name, or by (file name, mode).
        extra: What a mode's document has beside, or instead.
        asked: (file name, threads, mode) of each request.
        requests: Each request.
        files: The files of each request.
        limits: The limits of each request in seconds.
        open: How often it was entered and not left.
    """

    name: str = "fake"
    times: Callable[[int], int] = lambda turn: turn * MS
    fails: dict[Any, MnetError] = field(default_factory=dict)
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, int, str]] = field(default_factory=list)
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    files: list[Mapping[str, Path]] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    open: int = 0

    def __enter__(self) -> FakeHost:
        self.open += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.open -= 1

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        assert self.open == 1
        mode, name = request["mode"], files["artifact"].name if "artifact" in files else ""
        key = (name, request["threads"], mode)
        turn = self.asked.count(key) + 1
        self.asked.append(key)
        self.requests.append(request)
        self.files.append(files)
        self.limits.append(limit_seconds)
        if error := self.fails.get(name) or self.fails.get((name, mode)):
            raise error
        runtime = {"version": "0", "runtime": "onnxruntime" if name.endswith("onnx") else "litert"}
        if request["runtime"] != "auto":
            runtime["runtime"] = request["runtime"]
        made = {"memory": self._memory, "time": self._time}.get(mode)
        answer = made(request, turn) if made else {}
        return {**runtime, "runtime_version": "2.3.0", **answer, **self.extra.get(mode, {})}

    def _memory(self, *_: Any) -> dict[str, Any]:
        return {"baseline_rss_bytes": 40, "peak_rss_bytes": 50}

    def _time(self, request: Mapping[str, Any], turn: int) -> dict[str, Any]:
        return {
            "delegate": None,
            "inputs": [{"name": "x", "shape": [1, 8, 8, 3], "dtype": "int8", "scale": 0.1, "zero_point": 0}],
            "outputs": [],
            "fed": "noise",
            "import_ns": 1,
            "load_ns": 10 * turn * MS,
            "first_ns": 20 * turn * MS,
            "warmup_runs": 5,
            "times_ns": [self.times(turn)] * request["steady"]["runs"],
            "samples": [{"at_ns": 1000 * MS, "runs": 2, "load": 0.5}],
            "usage": {"wall_ns": 1000 * MS, "cpu_ns": 900 * MS, "involuntary_switches": 2},
            "host": {"cpu": "Fake", "cores": 2},
            "before": {"load": turn, "busy_ns": 0, "stolen_ns": 0},
            "after": {"load": turn + 0.5, "busy_ns": 1000 * MS, "stolen_ns": 10 * MS},
            "concurrent": turn - 1,
        }


@dataclass
class FakeBar:
    """Counts."""

    total: int = 0
    done: int = 0
    said: list[str] = field(default_factory=list)

    def advance(self) -> None:
        self.done += 1

    def extend(self, steps: int) -> None:
        self.total += steps

    def now(self, what: str, seconds: float = 0.0) -> None:
        self.said.append(what)


@pytest.fixture
def fake_host() -> type[FakeHost]:
    return FakeHost


@pytest.fixture
def bar() -> FakeBar:
    return FakeBar()


@pytest.fixture
def pace(bar: FakeBar) -> Pace:
    return Pace(bar)


@pytest.fixture
def artifact(tmp_path: Path) -> Callable[..., Any]:
    """Make an artifact that is nothing but its name and seven bytes."""

    def make(name: str = "a.int8.tflite", **changes: Any) -> Any:
        variant, precision, kind = name.split(".")
        known = {
            "artifact": name,
            "sha256": name,
            "size_bytes": 7,
            "format": kind,
            "precision": precision,
            "variant": variant,
        }
        contents = SimpleNamespace(ops=changes.pop("ops", {"CONV_2D": 1}), operators=(), tensors={}, inputs=())
        whole = {**known, **changes}
        path, data = tmp_path / name, b"7 bytes"
        path.write_bytes(data)
        return SimpleNamespace(path=path, data=data, format=kind, contents=contents, identity=lambda: whole)

    return make


@pytest.fixture
def job(artifact: Callable[..., Any]) -> Callable[..., Job]:
    """Make a job on a fake host."""

    def make(host: FakeHost, plan: Plan | None = None, *, threads: int = 1, name: str = "a.int8.tflite") -> Job:
        return Job(artifact(name), threads, plan or Plan(), host)

    return make
