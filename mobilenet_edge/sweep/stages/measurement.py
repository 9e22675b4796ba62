"""Measure the latency and accuracy of the artifacts of a sweep, one after the other and after all exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from mobilenet_edge.analysis.forecast import Query, forecast
from mobilenet_edge.errors import MnetError
from mobilenet_edge.evaluation import evaluate
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.profiling import latency, targets
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Failure, Profile, Record
from mobilenet_edge.sweep.preconditions import as_keys
from mobilenet_edge.sweep.stages.work import Work

# Jobs that are interleaved before their records are written; sixteen take a minute, which is all a kill can lose.
GROUP_SIZE: Final = 16


def measure_latency(work: Work, artifacts: Sequence[Artifact]) -> list[Record]:
    """Run the stale profile stages, in groups of artifacts.

    Returns:
        All profiles, and predictions for the artifacts that were not chosen to be measured.
    """
    settings = work.plan.sweep.profile
    plan = Plan(runs=settings.runs, seconds=settings.seconds, rounds=settings.rounds)
    stages = {
        (str(artifact.path), host, threads): work.plan.profile(artifact.path, artifact.sha256, host, threads)
        for artifact in artifacts
        for host in settings.hosts
        for threads in settings.threads
    }
    chosen = {str(artifact.path) for artifact in artifacts if _variant(artifact) in work.chosen}
    stale = {key for key, stage in stages.items() if key[0] in chosen and work.manifest.stale_reason(stage) is not None}
    todo = [artifact for artifact in artifacts if any(key[0] == str(artifact.path) for key in stale)]
    size = max(1, GROUP_SIZE // len(settings.threads))
    for start in range(0, len(todo), size):
        group = todo[start : start + size]
        paths = {str(artifact.path) for artifact in group}
        hosts = [host for host in settings.hosts if any(key[0] in paths and key[1] == host for key in stale)]
        for record in _profile(group, plan, settings.threads, hosts):
            if isinstance(record, Failure):
                work.fail(record)
            else:
                work.write(stages[(record.artifact, record.host["name"], record.threads)], record)
    profiles = work.read(stages.values())
    rest = {
        key: stage
        for key, stage in stages.items()
        if key[0] not in chosen and work.manifest.stale_reason(stage) is not None
    }
    return [*profiles, *_predict(work, artifacts, profiles, rest)]


def _predict(
    work: Work, artifacts: Sequence[Artifact], profiles: Sequence[Record], rest: Iterable[tuple[str, str, int]]
) -> list[Record]:
    """Predict the latency of the artifacts without a fresh profile."""
    identities = {str(artifact.path): artifact.identity() for artifact in artifacts}
    queries = [Query(identities[path], host, threads) for path, host, threads in rest]
    predictions = forecast([profile for profile in profiles if isinstance(profile, Profile)], queries)
    for query, prediction in zip(queries, predictions, strict=True):
        if isinstance(prediction, str):
            work.fail(
                Failure.of(
                    query.identity,
                    host=query.host,
                    stage="profile",
                    reason=prediction,
                    exit_code=MnetError.exit_code,
                    threads=query.threads,
                )
            )
    return [prediction for prediction in predictions if not isinstance(prediction, str)]


def _profile(
    group: Sequence[Artifact], plan: Plan, threads: Sequence[int], hosts: Sequence[str]
) -> list[Profile | Failure]:
    try:
        return latency.profile(
            [artifact.path for artifact in group], plan, threads=threads, machines=targets.find(hosts)
        )
    except MnetError as error:
        # The only machine gave no profile of this group; continue with the next group.
        return [
            Failure.of(
                artifact.identity(), stage="profile", reason=str(error), exit_code=error.exit_code, host=hosts[0]
            )
            for artifact in group
        ]


def measure_accuracy(work: Work, artifacts: Sequence[Artifact]) -> list[Record]:
    """Run the stale evaluate stages, by variant, and return all evaluations."""
    scoring = work.plan.scoring
    if scoring is None:
        return []
    stages = []
    for variant, group in groupby(artifacts, key=_variant):
        members = list(group)
        # The float32 file needs no TensorFlow, and its export verified that it equals the Keras model within 1e-5.
        reference = next((artifact for artifact in members if artifact.precision == "float32"), None)
        pairs = [(artifact, work.plan.evaluate(artifact, reference)) for artifact in members]
        stale = [(artifact, stage) for artifact, stage in pairs if work.manifest.stale_reason(stage) is not None]
        stages += [stage for _, stage in pairs]
        if not stale:
            continue
        try:
            evaluations = evaluate.evaluate(
                [artifact.path for artifact, _ in stale], reference=reference.path if reference else None, **scoring
            )
        except MnetError as error:
            work.fail(Failure(variant=variant, stage="evaluate", reason=as_keys(str(error)), exit_code=error.exit_code))
            continue
        for (_, stage), record in zip(stale, evaluations, strict=True):
            work.write(stage, record)
    return work.read(stages)


def _variant(artifact: Artifact) -> str:
    return str(artifact.identity()["variant"])
