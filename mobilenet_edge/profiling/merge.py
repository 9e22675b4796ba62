"""Merge the documents of a worker into one record."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mobilenet_edge.analysis.doubts import doubts, invalid
from mobilenet_edge.device.runtimes import AUTO
from mobilenet_edge.formats import costs
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling.job import Document, Job, JobResult
from mobilenet_edge.profiling.rounds import width
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.profiling.trace import minutes
from mobilenet_edge.profiling.ways import entries
from mobilenet_edge.records import Failure, Profile
from mobilenet_edge.records.remark import Remark

# Keys of a document that the profile already has.
_KNOWN: Final = frozenset(("version", "runtime", "runtime_version"))
# Single late runs are jitter; above this share, the requested rate was not reached.
MAX_LATE_SHARE: Final = 0.1


def profile(result: JobResult, started: str, limit: Document | str | None = None) -> Profile:
    """Merge the documents of one job into a profile.

    Args:
        result: Documents of a job without an error.
        started: Start of the measurement, UTC, ISO 8601.
        limit: Document of the machine's limit, or the reason why there is none.
    """
    job, rounds = result.job, result.rounds
    first, last = rounds[0], rounds[-1]
    memory = result.memory or {}
    base = Profile(
        **job.artifact.identity(),
        runtime=first["runtime"],
        runtime_version=first["runtime_version"],
        threads=job.threads,
        load_ms=statistics.median(document["load_ns"] for document in rounds) / 1e6,
        first_ms=statistics.median(document["first_ns"] for document in rounds) / 1e6,
        times_ns=tuple(itertools.chain.from_iterable(result.times_ns)),
        round_sizes=tuple(len(document["times_ns"]) for document in rounds),
        preprocess_ms=job.feed.preprocess_ms if job.feed and isinstance(job.host, Local) else None,
        peak_rss_bytes=memory.get("peak_rss_bytes"),
        baseline_rss_bytes=memory.get("baseline_rss_bytes"),
        host={"name": job.host.name, **first["host"], "before": first["before"], "after": last["after"]},
        delegate=first.get("delegate"),
        conditions=_conditions(result, started),
        ops=None if result.ops is None else costs.join(result.ops["ops"], job.artifact.contents, job.artifact.format),
        parallel=None if result.parallel is None else _parallel(result.parallel),
        end_to_end=entries(result),
        energy=result.energy,
        limit={key: value for key, value in limit.items() if key not in _KNOWN} if isinstance(limit, Mapping) else None,
        trace=tuple(_trace(result)),
        notes=tuple(_notes(result, limit)),
    )
    return replace(base, doubts=(*doubts(base), *_plan_doubts(base, job.plan)), invalid=invalid(base))


def failure(job: Job, reason: str, exit_code: int) -> Failure:
    """Create the failure of a job without a profile."""
    return Failure.of(
        job.artifact.identity(),
        host=job.host.name,
        stage="profile",
        reason=" ".join(reason.split()),
        exit_code=exit_code,
        threads=job.threads,
        runtime=None if job.plan.runtime == AUTO else job.plan.runtime,
    )


def _conditions(result: JobResult, started: str) -> dict[str, Any]:
    rounds, first = result.rounds, result.rounds[0]
    samples = [
        {"round": number, **sample}
        for number, document in enumerate(rounds, start=1)
        for sample in document.get("samples", ())
    ]
    return {
        "started": started,
        "rounds": len(rounds),
        **result.job.plan.conditions(),
        "warmup_runs": [document["warmup_runs"] for document in rounds],
        "inputs": first["fed"],
        "input_shapes": [tensor["shape"] for tensor in first["inputs"]],
        "input_dtypes": [tensor["dtype"] for tensor in first["inputs"]],
        **(result.job.feed.conditions() if result.job.feed else {}),
        "usage": _usage(rounds),
        "samples": samples,
        "concurrent": max(document.get("concurrent", 0) for document in rounds),
        **({"ops": {"how": result.ops["how"], "whole_ms": result.ops["total_ns"] / 1e6}} if result.ops else {}),
        "version": first["version"],
    }


def _usage(rounds: Sequence[Document]) -> dict[str, int]:
    """Sum the CPU time of the steady phases: of the worker, of other programs and of other virtual machines."""
    total = {name: sum(document["usage"][name] for document in rounds) for name in rounds[0]["usage"]}
    if all("busy_ns" in document[when] for document in rounds for when in ("before", "after")):
        busy, stolen = (
            sum(document["after"][name] - document["before"][name] for document in rounds)
            for name in ("busy_ns", "stolen_ns")
        )
        total |= {"others_ns": max(busy - total["cpu_ns"], 0), "stolen_ns": stolen}
    return total


def _parallel(document: Document) -> dict[str, Any]:
    """Summarise several processes at once: their rate in total, and the latency that each run had."""
    members = [member["times_ns"] for member in document["members"]]
    times = sorted(itertools.chain.from_iterable(members))
    seconds = document["window_ns"] / 1e9
    return {
        "processes": len(members),
        "seconds": seconds,
        "runs": [len(member) for member in members],
        "images_per_s": len(times) / seconds,
        "median_ms": statistics.median(times) / 1e6 if times else None,
        "p90_ms": times[math.ceil(len(times) * 0.9) - 1] / 1e6 if times else None,
        "late_ms": max(member["late_ns"] for member in document["members"]) / 1e6,
    }


def _trace(result: JobResult) -> list[dict[str, Any]]:
    if result.job.plan.sustain_seconds is None:
        return []
    (document,) = result.rounds
    return minutes(document["times_ns"], document.get("samples", ()), result.job.plan.period_ns)


def _notes(result: JobResult, limit: Document | str | None) -> Iterator[Remark]:
    yield from result.remarks
    if isinstance(limit, str):
        yield Remark("no-limit", reason=limit)
    feed = result.job.feed
    pictures = feed or result.job.pack
    if pictures is not None:
        yield from (Remark("assumed", what=what) for what in pictures.assumed)
    if feed is not None:
        local = isinstance(result.job.host, Local)
        yield Remark("preprocessing", preprocess_ms=feed.preprocess_ms) if local else Remark("preprocessing-elsewhere")


def _plan_doubts(profile: Profile, plan: Plan) -> Iterator[Remark]:
    """Check whether the requested accuracy and rate were reached."""
    reached = None if plan.until is None else width(profile.rounds)
    if plan.until is not None and (reached is None or reached > plan.until):
        unknown = Remark("median-unknown", asked=plan.until)
        yield unknown if reached is None else Remark("median-wide", reached=reached, asked=plan.until)
    if plan.rate is not None:
        late = sum(time_ns > 1e9 / plan.rate for time_ns in profile.times_ns) / len(profile.times_ns)
        if late > MAX_LATE_SHARE:
            median_ms = profile.median_ms
            yield Remark("rate-missed", rate_per_s=plan.rate, median_ms=median_ms, reachable_per_s=1e3 / median_ms)
