"""Schedule the measurements on one machine: memory, interleaved rounds in random order, operators, machine limit.

Interleaving spreads the drift of the machine over all artifacts. Memory comes first, so that a file that cannot run
fails before anything is timed. The limit comes last because its large products heat the CPU most, and because it then
runs at the temperature that the models caused.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from mobilenet_edge.device.energy import PAIRS
from mobilenet_edge.hosts import Host
from mobilenet_edge.profiling.job import Document, Job, JobResult
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import interval
from mobilenet_edge.records.remark import Remark

# A shorter rest of the time budget does not justify another process.
MIN_SECONDS: Final = 0.05


def run(jobs: Sequence[Job], plan: Plan, pace: Pace) -> list[JobResult]:
    """Measure all jobs of one machine.

    Args:
        jobs: Jobs with the same host and plan.
        plan: Settings of the measurement.
        pace: Runner of the processes.

    Returns:
        Result of each job, in order. A failed job has its error and is skipped from then on.
    """
    results = [JobResult(job) for job in jobs]
    for result in results:
        result.error = pace(f"{_name(result)}, memory", partial(_measure_memory, result))
    generator = random.Random(plan.seed)  # noqa: S311 - not used for security
    for _ in range(plan.round_count):
        _round(_successful(results), generator, pace)
    while unsettled := [
        result for result in _successful(results) if plan.until is not None and not is_settled(result, plan.until)
    ]:
        pace.extend(len(unsettled))
        _round(unsettled, generator, pace)
    for result in _successful(results):
        _measure_more(result, pace)
    for result in results:
        # A changed file explains any other error.
        result.error = result.job.file_error() or result.error
    return results


def steps(jobs: Sequence[Job], plan: Plan) -> int:
    """Return the minimum number of processes that `run` starts."""
    return len(jobs) * (1 + plan.round_count + plan.ops + (plan.processes is not None) + plan.energy)


def width(rounds: Sequence[Sequence[int]]) -> float | None:
    """Return half the 95 % interval of the median, relative to its centre, or None if there are too few runs."""
    ends = interval.median(rounds)
    return ends and (ends[1] - ends[0]) / (ends[1] + ends[0])


def is_settled(result: JobResult, until: float) -> bool:
    """Return whether a job needs no further round, because of its accuracy or its time budget."""
    if _remaining_seconds(result) < MIN_SECONDS:
        return True
    reached = width(result.times_ns)
    return reached is not None and reached <= until


def measure_limits(
    results: Iterable[JobResult], host: Host, plan: Plan, pace: Pace
) -> dict[tuple[str, int], Document | str]:
    """Measure the speed of a matrix product, once for each runtime and thread count in the results.

    Results with a delegate are skipped, because the limit of the CPU does not apply to them.

    Returns:
        Document of the worker, or the reason why there is none, by runtime and thread count.
    """
    limits: dict[tuple[str, int], Document | str] = {}
    for result in results:
        key = _key(result)
        if key is None or key in limits:
            continue
        pace.extend(1)
        error = pace(f"limit of {key[0]}", partial(_measure_limit, limits, key, host, plan))
        if error is not None:
            limits[key] = str(error)
    return limits


def limit_of(result: JobResult, limits: dict[tuple[str, int], Document | str]) -> Document | str | None:
    """Return the limit of a job from the result of `measure_limits`, or None if it has none."""
    key = _key(result)
    return None if key is None else limits.get(key)


def _key(result: JobResult) -> tuple[str, int] | None:
    if result.error is not None or result.job.delegate is not None:
        return None
    return result.rounds[0]["runtime"], result.job.threads


def _successful(results: Sequence[JobResult]) -> list[JobResult]:
    return [result for result in results if result.error is None]


def _round(results: Sequence[JobResult], generator: random.Random, pace: Pace) -> None:
    for result in generator.sample(results, len(results)):
        result.error = pace(_name(result), partial(_measure_round, result), result.job.plan.sustain_seconds or 0.0)


def _remaining_seconds(result: JobResult) -> float:
    return result.job.plan.budget_seconds - result.steady_seconds


def _measure_more(result: JobResult, pace: Pace) -> None:
    """Measure what is not part of the latency; without it, the profile has a note."""
    plan, name = result.job.plan, _name(result)
    if plan.ops:
        error = pace(f"{name}, operators", partial(_profile_ops, result))
        if error is not None:
            result.remarks.append(Remark("no-ops", reason=str(error)))
    if plan.processes is not None:
        error = pace(f"{name}, {plan.processes} processes", partial(_measure_parallel, result))
        if error is not None:
            result.remarks.append(Remark("no-parallel", reason=str(error)))
    if plan.energy:
        error = pace(f"{name}, energy", partial(_measure_energy, result), 2 * PAIRS * plan.energy_seconds)
        if error is not None:
            result.remarks.append(Remark("no-energy", reason=str(error)))


def _measure_memory(result: JobResult) -> None:
    result.memory = result.job.measure_memory()


def _measure_round(result: JobResult) -> None:
    # The planned rounds divide the time budget between them; additional ones get the rest of it.
    planned = len(result.rounds) < result.job.plan.round_count
    result.rounds.append(result.job.measure_round(math.inf if planned else _remaining_seconds(result)))


def _measure_parallel(result: JobResult) -> None:
    result.parallel = result.job.measure_parallel()


def _measure_energy(result: JobResult) -> None:
    result.energy = result.job.measure_energy()


def _profile_ops(result: JobResult) -> None:
    result.ops = result.job.profile_ops()


def _measure_limit(limits: dict[tuple[str, int], Document | str], key: tuple[str, int], host: Host, plan: Plan) -> None:
    runtime, threads = key
    request = {**plan.request(threads), "runtime": runtime, "mode": "limit"}
    limits[key] = host.run(request, limit_seconds=plan.limit_seconds)


def _name(result: JobResult) -> str:
    return result.job.artifact.path.name
