"""Everything that one machine is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from mobilenet_edge.analysis import siblings
from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.profiling import merge, rounds
from mobilenet_edge.profiling.feed import Feed
from mobilenet_edge.profiling.job import Job
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Delegate, Plan
from mobilenet_edge.progress import Board
from mobilenet_edge.records import Failure, Profile


@dataclass(frozen=True)
class Machine:
    """A machine, and the delegate that the devices file gives it."""

    host: Host
    delegate: Delegate | None = None


@dataclass(frozen=True)
class Result:
    """What a machine brought.

    Attributes:
        records: One for each artifact and thread count, in order.
        error: Why none of them is a profile, None where one is.
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
) -> Result:
    """Measure every artifact at every thread count; what fails is a record, too.

    Args:
        machine: The machine.
        artifacts: What is measured.
        threads: Thread counts.
        plan: How; its delegate goes before the machine's own.
        feeds: Images by the artifact's path; those without one are fed with noise.
        board: Where progress is shown.
    """
    plan = replace(plan, delegate=plan.delegate or machine.delegate)
    jobs = [Job(each, count, plan, machine.host, feeds.get(each.path)) for each, count in product(artifacts, threads)]
    where = "" if machine.host.name == LOCAL else f" on {machine.host.name}"
    pace = Pace(board(f"profile{where}", rounds.steps(jobs, plan)), plan.cooldown_seconds)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with machine.host:
            results = rounds.run(jobs, plan, pace)
            limits = rounds.limits(results, machine.host, plan, pace) if plan.limit else {}
    except MnetError as error:
        return Result(tuple(_failure(job, error) for job in jobs), error)
    good = siblings.annotate(
        [merge.profile(result, started, rounds.limit_of(result, limits)) for result in results if not result.error]
    )
    made = iter(good)
    records = [_failure(result.job, result.error) if result.error else next(made) for result in results]
    return Result(tuple(records), None if good else results[0].error)


def _failure(job: Job, error: MnetError) -> Failure:
    return merge.failure(job, str(error), error.exit_code)
