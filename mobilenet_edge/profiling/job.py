"""Measure one artifact at one thread count on one machine."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files as storage
from mobilenet_edge.device.energy import PAIRS
from mobilenet_edge.errors import InputError, MnetError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling import power
from mobilenet_edge.profiling.feed import Feed
from mobilenet_edge.profiling.pack import Pack
from mobilenet_edge.profiling.settings import WARMUP, Plan
from mobilenet_edge.records.remark import Remark

Document = Mapping[str, Any]
# Minimum duration of several processes at once, so that every one of them makes some runs.
PARALLEL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Job:
    """One artifact at one thread count on one machine.

    Each `measure` or `profile` method starts a fresh process on the machine and raises the errors of `Host.run`.
    """

    artifact: Artifact
    threads: int
    plan: Plan
    host: Host
    feed: Feed | None = None
    pack: Pack | None = None

    @property
    def delegate(self) -> Delegate | None:
        """Delegate of the plan, or None if it cannot run this file."""
        delegate = self.plan.delegate
        if delegate is None or not delegate.suits(self.artifact.format, self.artifact.contents.ops):
            return None
        return delegate

    def measure_memory(self) -> Document:
        """Measure the peak memory."""
        return self._run({"mode": "memory"})

    def measure_round(self, max_seconds: float = math.inf) -> Document:
        """Measure the latency in one round of at most `max_seconds`."""
        return self._run({"mode": "time", **self.plan.timing(max_seconds)})

    def profile_ops(self) -> Document:
        """Measure the time of every operator."""
        return self._run({"mode": "ops", **self.plan.timing()})

    def measure_parallel(self) -> Document:
        """Measure several processes that run the file at once, for as long as all rounds."""
        seconds = min(max(self.plan.seconds, PARALLEL_SECONDS), self.plan.max_seconds)
        timing = {"warmup": dict(WARMUP), "steady": {"seconds": seconds}}
        return self._run({"mode": "parallel", **timing, "processes": self.plan.processes})

    def measure_stages(self, way: str, *, compare: bool) -> Document:
        """Measure the packed pictures from file to answer in one way, and `compare` them with those of mnet."""
        if self.pack is None:
            raise ValueError("the job has no pictures")
        timing = replace(self.plan, sustain_seconds=None).timing()
        steady = dict(timing["steady"])
        steady["runs"] = max(steady["runs"], self.pack.count)
        request = {"mode": "stages", "way": way, **self.pack.request(), **timing, "steady": steady}
        paths = {"pictures": self.pack.archive, **({"inputs": self.pack.pixels} if compare else {})}
        return self._ask(request, paths)

    def measure_energy(self) -> dict[str, Any]:
        """Measure the energy of an inference, as `power.summarise` returns it."""
        seconds = self.plan.energy_seconds
        request = {"mode": "energy", "warmup": dict(WARMUP), "steady": {"seconds": seconds}}
        document = self._run({**request, "external": self.plan.power is not None}, 2 * PAIRS * seconds)
        log = self.plan.power
        samples = document["samples"] if log is None else power.log_samples(log, document, time.time())
        return power.summarise(document, samples)

    def file_error(self) -> InputError | None:
        """Return an error if the file has changed since the measurement began, else None."""
        path = self.artifact.path
        try:
            same = storage.read_bytes(path) == self.artifact.data
        except InputError:
            return InputError(f"{path} was removed during the measurement; put it back and run again")
        return None if same else InputError(f"{path} was changed during the measurement; run again")

    def _run(self, request: Document, more_seconds: float = 0.0) -> Document:
        return self._ask(request, {} if self.feed is None else {"inputs": self.feed.path}, more_seconds)

    def _ask(self, request: Document, paths: Mapping[str, Path], more_seconds: float = 0.0) -> Document:
        delegate = {} if self.delegate is None else {"delegate": self.delegate.request()}
        full_request = {**self.plan.request(self.threads), **delegate, **request}
        files = {"artifact": self.artifact.path, **paths}
        return self.host.run(full_request, files, limit_seconds=self.plan.limit_seconds + more_seconds)


@dataclass
class JobResult:
    """Documents of the worker for one job so far.

    Attributes:
        job: Job that they belong to.
        memory: Document of the memory pass, or None before it.
        rounds: Documents of the rounds.
        ops: Document of the operators, or None if not measured.
        parallel: Document of several processes at once, or None if not measured.
        energy: Energy of an inference, as `power.summarise` returns it, or None if not measured.
        ways: Documents of the rounds of each way from picture to answer.
        error: Error that ended the job, or None.
        remarks: Remarks about optional measurements that failed.
    """

    job: Job
    memory: Document | None = None
    rounds: list[Document] = field(default_factory=list)
    ops: Document | None = None
    parallel: Document | None = None
    energy: dict[str, Any] | None = None
    ways: dict[str, list[Document]] = field(default_factory=dict)
    error: MnetError | None = None
    remarks: list[Remark] = field(default_factory=list)

    @property
    def steady_seconds(self) -> float:
        """Wall time of all steady phases in seconds."""
        return sum(int(document["usage"]["wall_ns"]) for document in self.rounds) / 1e9

    @property
    def times_ns(self) -> list[list[int]]:
        """Times of each round in nanoseconds."""
        return [document["times_ns"] for document in self.rounds]
