"""One artifact at one thread count on one machine, and what was found out about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mobilenet_edge import files
from mobilenet_edge.device.delegate import EDGETPU_OP
from mobilenet_edge.errors import InputError, MnetError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import Host
from mobilenet_edge.profiling.feed import Feed
from mobilenet_edge.profiling.settings import Delegate, Plan
from mobilenet_edge.records.remark import Remark

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """What is to be measured; each method is one fresh process on the machine and raises as `Host.run`."""

    artifact: Artifact
    threads: int
    plan: Plan
    host: Host
    feed: Feed | None = None

    @property
    def delegate(self) -> Delegate | None:
        """The plan's delegate, as far as it is meant for this file."""
        chosen = self.plan.delegate
        if chosen is None or not chosen.of_device:
            return chosen
        wants = EDGETPU_OP in self.artifact.contents.ops
        of_edgetpu = "edgetpu" in chosen.path.rpartition("/")[2]
        return chosen if self.artifact.format == "tflite" and (wants or not of_edgetpu) else None

    def measure_memory(self) -> Document:
        """Measure memory."""
        return self._ask({"mode": "memory"})

    def time(self, left_seconds: float = math.inf) -> Document:
        """Measure one round of at most `left_seconds`."""
        return self._ask({"mode": "time", **self.plan.timing(left_seconds)})

    def profile_ops(self) -> Document:
        """Measure every operator."""
        return self._ask({"mode": "ops", **self.plan.timing()})

    def changed(self) -> InputError | None:
        """Say that the file is not the one that was read when the measurement began; None where it is."""
        path = self.artifact.path
        try:
            same = files.read_bytes(path) == self.artifact.data
        except InputError:
            return InputError(f"{path} was removed while it was measured; put it back and run it again")
        return None if same else InputError(f"{path} was changed while it was measured; run it again")

    def _ask(self, request: Document) -> Document:
        held = {"artifact": self.artifact.path}
        if self.feed is not None:
            held["inputs"] = self.feed.path
        extra = {} if self.delegate is None else {"delegate": self.delegate.request()}
        whole = {**self.plan.request(self.threads), **extra, **request}
        return self.host.run(whole, held, limit_seconds=self.plan.limit_seconds)


@dataclass
class JobResult:
    """What a job has brought so far.

    Attributes:
        job: What is measured.
        memory: The document of the memory pass, None before it.
        rounds: Those of the rounds.
        ops: That of the operators, None where not asked.
        error: What ended it, None while nothing has.
        remarks: What could not be measured beside it.
    """

    job: Job
    memory: Document | None = None
    rounds: list[Document] = field(default_factory=list)
    ops: Document | None = None
    error: MnetError | None = None
    remarks: list[Remark] = field(default_factory=list)

    @property
    def steady_seconds(self) -> float:
        """Wall time of the steady phases so far."""
        return sum(int(document["usage"]["wall_ns"]) for document in self.rounds) / 1e9

    @property
    def times_ns(self) -> list[list[int]]:
        """The times of each round."""
        return [document["times_ns"] for document in self.rounds]
