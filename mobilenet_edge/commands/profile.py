"""`mnet profile`: latency and memory of artifacts on a machine."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import artifact, progress
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.doubts import doubts
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.records import Profile

LOCAL: Final = Local()
# Long enough for an on-demand governor to raise the clock.
WARMUP: Final[Mapping[str, Any]] = {"runs": 5, "seconds": 0.15}
# What a worker may take beside the phases that have a cap: start, opening the file, overstepping by slow runs.
SLACK_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Plan:
    """How one artifact at one thread count is measured, all rounds together.

    Attributes:
        runs: At least so many steady runs.
        seconds: And at least so long.
        max_seconds: But no longer, even where `runs` are not reached.
        rounds: In so many fresh processes, spread over the whole measurement.
        runtime: A runtime's name, or "auto".
        seed: Of the inputs and of the order.
        affinity: CPUs to run on; empty for all.
    """

    runs: int = 50
    seconds: float = 1.0
    max_seconds: float = 60.0
    rounds: int = 3
    runtime: str = "auto"
    seed: int = 0
    affinity: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.runs < 1:
            raise UsageError(f"--runs must be at least 1, got {self.runs}")
        if self.rounds < 1:
            raise UsageError(f"--rounds must be at least 1, got {self.rounds}")
        if not (self.seconds >= 0 and math.isfinite(self.seconds)):
            raise UsageError(f"--seconds must be 0 or more, got {self.seconds:g}")
        if not self.max_seconds > 0:
            raise UsageError(f"--max-seconds must be above 0, got {self.max_seconds:g}")

    def request(self, threads: int) -> dict[str, Any]:
        """Return what every worker is asked, whatever its mode."""
        common = {"runtime": self.runtime, "threads": threads, "seed": self.seed}
        return {**common, "affinity": list(self.affinity)} if self.affinity else common

    def timing(self) -> dict[str, Any]:
        """Return a round's share of the phases, as the worker takes them."""
        cap = self.max_seconds / self.rounds
        return {
            "warmup": {**WARMUP, "cap_seconds": cap},
            "steady": {
                "runs": math.ceil(self.runs / self.rounds),
                "seconds": min(self.seconds / self.rounds, cap),
                "cap_seconds": cap,
            },
        }


@dataclass(frozen=True)
class Job:
    """One artifact at one thread count."""

    artifact: Artifact
    threads: int
    plan: Plan
    host: Host

    def weigh(self) -> dict[str, Any]:
        """Measure memory, in a process of its own."""
        return self._ask({"mode": "memory"})

    def time(self) -> dict[str, Any]:
        """Measure one round."""
        return self._ask({"mode": "time", **self.plan.timing()})

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        # Warm-up and steady phase, each up to the cap of a round.
        limit = SLACK_SECONDS + 2 * self.plan.max_seconds / self.plan.rounds
        return self.host.run({**self.plan.request(self.threads), **request}, self.artifact.path, limit_seconds=limit)


def run(
    paths: Sequence[Path],
    *,
    threads: Sequence[int] = (1,),
    runs: int = Plan.runs,
    seconds: float = Plan.seconds,
    max_seconds: float = Plan.max_seconds,
    rounds: int = Plan.rounds,
    runtime: str = Plan.runtime,
    seed: int = Plan.seed,
    affinity: Sequence[int] = Plan.affinity,
    host: Host = LOCAL,
) -> list[Profile]:
    """Measure artifacts on one machine, interleaved, so that its drift falls on all alike.

    Each combination of artifact and thread count is measured in `rounds` fresh processes; their order is shuffled anew
    in each round. `runs`, `seconds` and `max_seconds` are of all rounds together. Memory comes first, in processes of
    its own, so that a file that cannot run is known before anything is timed.

    Args:
        paths: `.tflite` and `.onnx` files; one that is given twice is measured once.
        threads: Thread counts, likewise.
        runs: At least so many steady runs.
        seconds: And at least so long a steady phase.
        max_seconds: But no longer, even where `runs` are not reached; the profile then bears a doubt.
        rounds: Number of processes; never more than `runs`.
        runtime: A runtime's name, or "auto" for the best installed one that opens the file.
        seed: Of the inputs and of the order.
        affinity: CPUs to run on; empty for all.
        host: The machine.

    Returns:
        A profile for each artifact and thread count, in the order given.

    Raises:
        UsageError: A number is out of range, or the runtime does not exist or does not open a file.
        InputError: A file is missing or no model that can be run.
        MissingExtraError: A runtime is not installed.
        HostError: The machine or its worker failed.
    """
    plan = Plan(runs, seconds, max_seconds, min(rounds, max(runs, 1)), runtime, seed, tuple(affinity))
    if bad := [count for count in threads if count < 1]:
        raise UsageError(f"--threads must be at least 1, got {bad[0]}")
    jobs = [Job(each, count, plan, host) for each in _read(paths) for count in dict.fromkeys(threads)]
    return _measure(jobs, plan)


def _read(paths: Iterable[Path]) -> list[Artifact]:
    once: dict[Path, Path] = {}
    for path in paths:
        once.setdefault(path.resolve(), path)
    found = [artifact.read(path) for path in once.values()]
    for each in found:
        if each.format == "keras":
            raise InputError(f"{each.path} is a Keras model, which no device runs; first: mnet export {each.path}")
    return found


def _measure(jobs: Sequence[Job], plan: Plan) -> list[Profile]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    order = random.Random(plan.seed)  # noqa: S311 - an order, not a secret
    rounds: list[list[dict[str, Any]]] = [[] for _ in jobs]
    with progress.bar("profile", len(jobs) * (plan.rounds + 1)) as advance:
        memory = []
        for job in jobs:
            memory.append(job.weigh())
            advance()
        for _ in range(plan.rounds):
            for index in order.sample(range(len(jobs)), len(jobs)):
                rounds[index].append(jobs[index].time())
                advance()
    return [_merge(*measured, started) for measured in zip(jobs, memory, rounds, strict=True)]


def _merge(job: Job, memory: Mapping[str, Any], rounds: Sequence[Mapping[str, Any]], started: str) -> Profile:
    first, last = rounds[0], rounds[-1]
    profile = Profile(
        **job.artifact.identity(),
        runtime=first["runtime"],
        runtime_version=first["runtime_version"],
        threads=job.threads,
        load_ms=statistics.median(each["load_ns"] for each in rounds) / 1e6,
        first_ms=statistics.median(each["first_ns"] for each in rounds) / 1e6,
        times_ns=tuple(time for each in rounds for time in each["times_ns"]),
        round_sizes=tuple(len(each["times_ns"]) for each in rounds),
        peak_rss_bytes=memory.get("peak_rss_bytes"),
        baseline_rss_bytes=memory.get("baseline_rss_bytes"),
        host={"name": job.host.name, **first["host"], "before": first["before"], "after": last["after"]},
        conditions=_conditions(job.plan, rounds, started),
    )
    return replace(profile, doubts=tuple(doubts(profile)))


def _conditions(plan: Plan, rounds: Sequence[Mapping[str, Any]], started: str) -> dict[str, Any]:
    return {
        "started": started,
        "rounds": len(rounds),
        "order": "shuffled in each round, a fresh process each",
        "runs": plan.runs,
        "seconds": plan.seconds,
        "max_seconds": plan.max_seconds,
        "warmup": dict(WARMUP),
        "warmup_runs": [each["warmup_runs"] for each in rounds],
        "inputs": rounds[0]["fed"],
        "input_shapes": [tensor["shape"] for tensor in rounds[0]["inputs"]],
        "input_dtypes": [tensor["dtype"] for tensor in rounds[0]["inputs"]],
        "seed": plan.seed,
        "affinity": list(plan.affinity) or None,
        "usage": _usage(rounds),
        "version": rounds[0]["version"],
    }


def _usage(rounds: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Sum what the steady phases took: by the worker itself, by other programs, by other virtual machines."""
    total = {name: sum(each["usage"][name] for each in rounds) for name in rounds[0]["usage"]}
    if "busy_ns" in rounds[0]["before"]:
        busy, stolen = (
            sum(each["after"][name] - each["before"][name] for each in rounds) for name in ("busy_ns", "stolen_ns")
        )
        total |= {"others_ns": max(busy - total["cpu_ns"], 0), "stolen_ns": stolen}
    return total
