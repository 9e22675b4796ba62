"""The order of things on one machine: memory, rounds interleaved and shuffled, then operators and the machine's limit.

Interleaving makes the machine's drift fall on all artifacts alike. Memory comes first, so that a file that cannot run
is known before anything is timed. The limit comes last: its large products heat the CPU like nothing else, and they
then meet it as the models left it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from mobilenet_edge.hosts import Host
from mobilenet_edge.profiling.job import Document, Job, JobResult
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import interval
from mobilenet_edge.records.remark import Remark

# What is left of a budget is not worth a process below this.
LEAST_SECONDS: Final = 0.05


def run(jobs: Sequence[Job], plan: Plan, pace: Pace) -> list[JobResult]:
    """Measure all jobs of one machine.

    Args:
        jobs: What is measured, all on the same host by the same plan.
        plan: How.
        pace: Does each process's work.

    Returns:
        What each job brought, in order. A job that failed has its error, and is left out from there on.
    """
    results = [JobResult(job) for job in jobs]
    for result in results:
        result.error = pace(f"{_name(result)}, memory", partial(_measure_memory, result))
    order = random.Random(plan.seed)  # noqa: S311 - an order, not a secret
    for _ in range(plan.turns):
        _round(_sound(results), order, pace)
    while further := [each for each in _sound(results) if plan.until is not None and not settled(each, plan.until)]:
        pace.extend(len(further))
        _round(further, order, pace)
    if plan.ops:
        for each in _sound(results):
            error = pace(f"{_name(each)}, operators", partial(_profile_ops, each))
            if error is not None:
                each.remarks.append(Remark("no-ops", reason=str(error)))
    for each in results:
        # Another file under the same name explains any other error, too.
        each.error = each.job.changed() or each.error
    return results


def steps(jobs: Sequence[Job], plan: Plan) -> int:
    """Number of processes that `run` starts at least."""
    return len(jobs) * (1 + plan.turns + plan.ops)


def width(rounds: Sequence[Sequence[int]]) -> float | None:
    """Half the 95 % interval of the median, as a share of it; None where there are too few runs."""
    found = interval.median(rounds)
    return found and (found[1] - found[0]) / (found[1] + found[0])


def settled(result: JobResult, until: float) -> bool:
    """Whether a job needs no further round: its median is known well enough, or its time is used up."""
    if _left_seconds(result) < LEAST_SECONDS:
        return True
    reached = width(result.times_ns)
    return reached is not None and reached <= until


def limits(results: Iterable[JobResult], host: Host, plan: Plan, pace: Pace) -> dict[tuple[str, int], Document | str]:
    """Measure what the machine reaches in a matrix product, once for each runtime and thread count that was used.

    A file whose operators went to a delegate is not bound by it and has none.

    Returns:
        By runtime and thread count the worker's document, or why there is none.
    """
    found: dict[tuple[str, int], Document | str] = {}
    for result in results:
        key = _key(result)
        if key is None or key in found:
            continue
        pace.extend(1)
        error = pace(f"limit of {key[0]}", partial(_limit, found, key, host, plan))
        if error is not None:
            found[key] = str(error)
    return found


def limit_of(result: JobResult, found: dict[tuple[str, int], Document | str]) -> Document | str | None:
    """Return what `limits` found for a job, None where it has none."""
    key = _key(result)
    return None if key is None else found.get(key)


def _key(result: JobResult) -> tuple[str, int] | None:
    if result.error is not None or result.job.delegate is not None:
        return None
    return result.rounds[0]["runtime"], result.job.threads


def _sound(results: Sequence[JobResult]) -> list[JobResult]:
    return [result for result in results if result.error is None]


def _round(results: Sequence[JobResult], order: random.Random, pace: Pace) -> None:
    for result in order.sample(results, len(results)):
        result.error = pace(_name(result), partial(_time, result), result.job.plan.sustain_seconds or 0.0)


def _left_seconds(result: JobResult) -> float:
    return result.job.plan.budget_seconds - result.steady_seconds


def _measure_memory(result: JobResult) -> None:
    result.memory = result.job.measure_memory()


def _time(result: JobResult) -> None:
    # The first rounds have their shares; only further ones must mind what is left.
    first = len(result.rounds) < result.job.plan.turns
    result.rounds.append(result.job.time(math.inf if first else _left_seconds(result)))


def _profile_ops(result: JobResult) -> None:
    result.ops = result.job.profile_ops()


def _limit(found: dict[tuple[str, int], Document | str], key: tuple[str, int], host: Host, plan: Plan) -> None:
    runtime, threads = key
    request = {**plan.request(threads), "runtime": runtime, "mode": "limit"}
    found[key] = host.run(request, limit_seconds=plan.limit_seconds)


def _name(result: JobResult) -> str:
    return result.job.artifact.path.name
