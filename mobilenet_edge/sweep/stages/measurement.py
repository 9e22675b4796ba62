"""Measuring and scoring the artifacts of a sweep: never beside the making, nor each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from mobilenet_edge.analysis.forecast import Query, forecast
from mobilenet_edge.errors import MnetError
from mobilenet_edge.evaluation import evaluate
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.profiling import latency, targets
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Failure, Profile, Record
from mobilenet_edge.sweep.stages.work import Work

# What is measured at a time, interleaved: sixteen take a minute, which is all that a kill can lose.
TOGETHER: Final = 16
# The option's counterpart in a sweep's file.
LABELS_KEY: Final = 'labels = "FILE" under [evaluate]'


def measure_latency(work: Work, artifacts: Sequence[Artifact]) -> list[Record]:
    """Measure what is not fresh, some artifacts at a time; return the profiles of all, and predictions of the rest."""
    how = work.plan.sweep.profile
    plan = Plan(runs=how.runs, seconds=how.seconds, rounds=how.rounds)
    stages = {
        (str(artifact.path), host, threads): work.plan.profile(artifact.path, artifact.sha256, host, threads)
        for artifact in artifacts
        for host in how.hosts
        for threads in how.threads
    }
    few = {str(artifact.path) for artifact in artifacts if _variant(artifact) in work.chosen}
    stale = {key for key, stage in stages.items() if key[0] in few and work.manifest.stale_reason(stage) is not None}
    todo = [artifact for artifact in artifacts if any(key[0] == str(artifact.path) for key in stale)]
    size = max(1, TOGETHER // len(how.threads))
    for start in range(0, len(todo), size):
        group = todo[start : start + size]
        paths = {str(artifact.path) for artifact in group}
        hosts = [host for host in how.hosts if any(key[0] in paths and key[1] == host for key in stale)]
        for made in _measured(group, plan, how.threads, hosts):
            if isinstance(made, Failure):
                work.fail(made)
            else:
                work.keep(stages[(made.artifact, made.host["name"], made.threads)], made)
    profiles = work.kept(stages.values())
    rest = {
        key: stage
        for key, stage in stages.items()
        if key[0] not in few and work.manifest.stale_reason(stage) is not None
    }
    return [*profiles, *_predict(work, artifacts, profiles, rest)]


def _predict(
    work: Work, artifacts: Sequence[Artifact], profiles: Sequence[Record], rest: Iterable[tuple[str, str, int]]
) -> list[Record]:
    """Predict what was not chosen to be measured, nor was before."""
    identities = {str(artifact.path): artifact.identity() for artifact in artifacts}
    wanted = [Query(identities[path], host, threads) for path, host, threads in rest]
    found = forecast([profile for profile in profiles if isinstance(profile, Profile)], wanted)
    for each, made in zip(wanted, found, strict=True):
        if isinstance(made, str):
            work.fail(
                Failure.of(
                    each.identity,
                    host=each.host,
                    stage="profile",
                    reason=made,
                    exit_code=MnetError.exit_code,
                    threads=each.threads,
                )
            )
    return [each for each in found if not isinstance(each, str)]


def _measured(
    group: Sequence[Artifact], plan: Plan, threads: Sequence[int], hosts: Sequence[str]
) -> list[Profile | Failure]:
    try:
        return latency.profile(
            [artifact.path for artifact in group], plan, threads=threads, machines=targets.find(hosts)
        )
    except MnetError as error:
        # The only machine brought nothing; the other groups may be better off.
        return [
            Failure.of(
                artifact.identity(), stage="profile", reason=str(error), exit_code=error.exit_code, host=hosts[0]
            )
            for artifact in group
        ]


def measure_accuracy(work: Work, artifacts: Sequence[Artifact]) -> list[Record]:
    """Score what is not fresh, the artifacts of one variant together; return the evaluations of all."""
    how = work.plan.sweep.evaluate
    if how.data is None:
        return []
    stages = []
    for variant, group in groupby(artifacts, key=_variant):
        own = list(group)
        # The float file equals the Keras model within 1e-5, or its export would have failed, and needs no TensorFlow.
        reference = next((each for each in own if each.precision == "float32"), None)
        pairs = [(each, work.plan.evaluate(each, reference)) for each in own]
        stale = [each for each in pairs if work.manifest.stale_reason(each[1]) is not None]
        stages += [stage for _, stage in pairs]
        if not stale:
            continue
        try:
            made = evaluate.evaluate(
                [each.path for each, _ in stale],
                Path(how.data),
                labels=Path(how.labels) if how.labels else None,
                reference=reference.path if reference else None,
                leave_out=work.plan.leave_out,
            )
        except MnetError as error:
            reason = str(error).replace("--labels FILE", "--labels").replace("--labels", LABELS_KEY)
            work.fail(Failure(variant=variant, stage="evaluate", reason=reason, exit_code=error.exit_code))
            continue
        for (_, stage), record in zip(stale, made, strict=True):
            work.keep(stage, record)
    return work.kept(stages)


def _variant(made: Artifact) -> str:
    return str(made.identity()["variant"])
