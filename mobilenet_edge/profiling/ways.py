"""Measure pictures from file to answer, in every way that a machine has: with Pillow, with OpenCV."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from mobilenet_edge.device.stages import WAYS
from mobilenet_edge.evaluation import classifier, head
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts import Host
from mobilenet_edge.profiling.job import Document, JobResult
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records.profile import STAGES
from mobilenet_edge.records.remark import Remark


def find(host: Host, plan: Plan) -> list[str]:
    """Return the ways that a machine has.

    Raises:
        HostError: It has none, or cannot be reached.
    """
    return list(host.run({**plan.request(1), "mode": "ways"}, limit_seconds=plan.limit_seconds)["ways"])


def run(results: Sequence[JobResult], ways: Sequence[str], plan: Plan, pace: Pace) -> None:
    """Measure every job in every way, in as many interleaved rounds as the latency.

    A way that fails becomes a remark of its result.

    Args:
        results: Results of jobs with pictures.
        ways: Ways that the machine has.
        plan: Settings of the measurement.
        pace: Runner of the processes.
    """
    turns = [(result, way) for result in results for way in ways]
    generator = random.Random(plan.seed)  # noqa: S311 - not used for security
    for _ in range(plan.round_count):
        pace.extend(len(turns))
        for result, way in generator.sample(turns, len(turns)):
            error = pace(f"{result.job.artifact.path.name}, {way}", partial(_measure, result, way))
            if error is not None:
                result.remarks.append(Remark("no-end-to-end", way=way, reason=str(error)))
                result.ways.pop(way, None)
                turns.remove((result, way))


def entries(result: JobResult) -> tuple[dict[str, Any], ...]:
    """Summarise the documents of all ways of one job for its profile."""
    return tuple(_entry(way, result.ways[way], result.job.artifact) for way in WAYS if way in result.ways)


def _measure(result: JobResult, way: str) -> None:
    documents = result.ways.setdefault(way, [])
    documents.append(result.job.measure_stages(way, compare=not documents))


def _entry(way: str, documents: Sequence[Document], artifact: Artifact) -> dict[str, Any]:
    first = documents[0]
    laps = [lap for document in documents for lap in document["times_ns"]]
    return {
        "way": way,
        **{name: first[name] for name in ("library", "version", "resize", "pictures")},
        "runs": len(laps),
        **_medians(laps),
        **{f"first_{name}": ms for name, ms in _medians([document["first_ns"] for document in documents]).items()},
        **{
            f"{name}_ms": statistics.median(document[f"{name}_ns"] for document in documents) / 1e6
            for name in ("import", "load")
        },
        **{name: first[name] for name in ("mean_difference", "max_difference", "equal")},
        "changed": _changed(first, artifact),
    }


def _medians(laps: Sequence[Sequence[int]]) -> dict[str, float]:
    columns = (*zip(*laps, strict=True), tuple(map(sum, laps)))
    return {name: statistics.median(times) / 1e6 for name, times in zip(STAGES, columns, strict=True)}


def _changed(document: Document, artifact: Artifact) -> int | None:
    """Count the pictures that are answered otherwise than mnet's own; None for features, which are no answers."""
    meaning = head.find(artifact, document["output"]["shape"])
    if meaning is Head.features:
        return None
    output = document["output"]
    grid = classifier.output_grid((output["scale"], output["zero_point"] or 0) if output["scale"] else None, artifact)
    made, own = (
        meaning.answers(classifier.real(np.array(document[name], output["dtype"]), grid))
        for name in ("outputs", "own_outputs")
    )
    return int((made != own).any(axis=1).sum())
