"""Measure all jobs of one machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from types import MappingProxyType

from mobilenet_edge.analysis import siblings
from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling import merge, rounds, ways
from mobilenet_edge.profiling.feed import Feed
from mobilenet_edge.profiling.job import Job
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.pack import Pack
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.progress import Board
from mobilenet_edge.records import Failure, Profile


@dataclass(frozen=True)
class Machine:
    """A machine and its delegate from the devices file."""

    host: Host
    delegate: Delegate | None = None


@dataclass(frozen=True)
class Result:
    """Records of one machine.

    Attributes:
        records: One record for each artifact, thread count and runtime, in order.
        error: Reason why there is no profile, or None if there is one.
    """

    records: tuple[Profile | Failure, ...]
    error: MnetError | None = None


def measure(
    machine: Machine,
    artifacts: Sequence[Artifact],
    threads: Sequence[int],
    plan: Plan,
    feeds: Mapping[Path, Feed],
    board: Board,
    runtimes: Sequence[str] = (),
    packs: Mapping[Path, Pack] = MappingProxyType({}),
) -> Result:
    """Measure every artifact at every thread count in every runtime that opens it; failures become records too.

    Args:
        machine: Machine to measure on.
        artifacts: Artifacts to measure.
        threads: Thread counts.
        plan: Settings of the measurement; its delegate overrides the machine's.
        feeds: Images by path of the artifact; artifacts without a feed run on noise.
        board: Display of the progress.
        runtimes: Runtimes that override the plan's, each for the files that it opens; empty for the plan's.
        packs: Pictures to measure from file to answer, by path of the artifact; empty for no such measurement.
    """
    plan = replace(plan, delegate=plan.delegate or machine.delegate)
    jobs = [
        Job(
            artifact,
            count,
            replace(plan, runtime=runtime),
            machine.host,
            feeds.get(artifact.path),
            packs.get(artifact.path),
        )
        for artifact, count in product(artifacts, threads)
        for runtime in _suited(runtimes or (plan.runtime,), artifact)
    ]
    where = "" if machine.host.name == LOCAL else f" on {machine.host.name}"
    pace = Pace(board(f"profile{where}", rounds.steps(jobs, plan)), plan.cooldown_seconds)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with machine.host:
            found = ways.find(machine.host, plan) if packs else []
            results = rounds.run(jobs, plan, pace)
            ways.run([result for result in results if not result.error], found, plan, pace)
            limits = rounds.measure_limits(results, machine.host, plan, pace) if plan.limit else {}
    except MnetError as error:
        return Result(tuple(_failure(job, error) for job in jobs), error)
    profiles = siblings.annotate(
        [merge.profile(result, started, rounds.limit_of(result, limits)) for result in results if not result.error]
    )
    remaining = iter(profiles)
    records = [_failure(result.job, result.error) if result.error else next(remaining) for result in results]
    return Result(tuple(records), None if profiles else results[0].error)


def _suited(runtimes: Sequence[str], artifact: Artifact) -> Sequence[str]:
    """Return the runtimes that open a file; the first, which says why it does not, if there are none."""
    suited = [name for name in runtimes if name not in RUNTIMES or RUNTIMES[name].format == artifact.format]
    return suited or runtimes[:1]


def _failure(job: Job, error: MnetError) -> Failure:
    return merge.failure(job, str(error), error.exit_code)
