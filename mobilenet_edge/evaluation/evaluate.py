"""Score models on a folder of images: top-1, top-5 and agreement with a float model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import cpus
from mobilenet_edge.data import images
from mobilenet_edge.data import labels as classes
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.evaluation import chunk, scoring
from mobilenet_edge.evaluation.scores import wilson
from mobilenet_edge.evaluation.scoring import Sample, Score, Subject
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.records import Evaluation
from mobilenet_edge.workers import processes
from mobilenet_edge.workers.pool import WorkerPool

INTEGERS: Final = frozenset(("int8", "uint8"))
# Peaks of a process that reads images and of an open model at alpha 1.0 and 224 pixels, rounded up.
READER_BYTES: Final = 90_000_000
MODEL_BYTES: Final = {"tflite": 100_000_000, "onnx": 130_000_000, "keras": 700_000_000}


def evaluate(
    paths: Sequence[Path],
    data: Path,
    *,
    labels: Path | None = None,
    reference: Path | None = None,
    threads: int = 1,
    limit: int | None = None,
    leave_out: int = 0,
    jobs: int | None = None,
    dask: str | None = None,
) -> list[Evaluation]:
    """Score models on a folder of images.

    Args:
        paths: `.keras`, `.tflite` and `.onnx` files, those of other tools too.
        data: The folder of class folders, or one that holds it as `images`.
        labels: The labels file; by default a model's own labels, else `labels.txt` in or beside the image folder, else
            the sorted class folders where there are as many as classes.
        reference: A float model; the share of images with the same top-1 is then the agreement.
        threads: Threads within one inference.
        limit: Use at most so many images, evenly spread over the folder.
        leave_out: Do not score the images that `mnet export --calibrate` takes of this folder for so many.
        jobs: Processes on this machine that read images, each with the models open; by default as many as cores for
            `threads` each, and never more than memory allows. The figures do not depend on it.
        dask: Address of a Dask scheduler whose workers do it instead.

    Returns:
        One evaluation for each path, in order.

    Raises:
        HostError: A runtime crashed or failed, a process was lost twice, or the cluster cannot be used.
        InputError: A model, the images or the labels cannot be used, or do not fit each other.
        MissingExtraError: A runtime, TensorFlow, Pillow or distributed is not installed.
        UsageError: `threads`, `limit` or `jobs` is below 1, or there are `jobs` and `dask`.
    """
    for name, number in (("threads", threads), ("limit", limit), ("jobs", jobs)):
        if number is not None and number < 1:
            raise UsageError(f"{name} must be at least 1, got {number}")
    if jobs is not None and dask is not None:
        raise UsageError("--jobs is for this machine; leave it out with --dask")
    models = [artifact.read(path) for path in paths]
    judge = None if reference is None else _reference(reference)
    folder, beside = classes.locate(data)
    found = images.names(folder)
    sample = Sample(folder, found, images.spread(_held_out(found, leave_out), limit))
    everything = models if judge is None else [*models, judge]
    for each in everything:
        contradictions.refuse(each)
    subjects = _subjects(everything, labels, beside, sample)
    if judge is not None:
        _check_comparable(subjects.values(), subjects[judge.path])
    with _pool(jobs, dask, threads, list(subjects), len(sample.chosen)) as pool:
        scored = scoring.score(list(subjects.values()), sample, threads, pool)
    records = []
    for each in models:
        agreement = None if judge is None else scored[each.path].agreement(scored[judge.path])
        records.append(_record(subjects[each.path], scored[each.path], sample, agreement, reference, threads))
    return records


def _pool(jobs: int | None, dask: str | None, threads: int, models: Sequence[Path], many: int) -> WorkerPool:
    if dask is not None:
        from mobilenet_edge.workers import dask as cluster

        return cluster.DaskPool(chunk.FUNCTION, dask)
    wanted = min(jobs or max(1, len(cpus.available()) // threads), scoring.chunks(len(models), many))
    # Every group of models takes its turn in every process.
    dearest = sorted((MODEL_BYTES[path.suffix.removeprefix(".")] for path in models), reverse=True)
    return processes.ProcessPool(
        chunk.FUNCTION, processes.fitting(wanted, READER_BYTES + sum(dearest[: scoring.AT_ONCE]))
    )


def _held_out(found: Sequence[str], leave_out: int) -> Sequence[str]:
    calibrating = set(images.spread(found, leave_out)) if leave_out else set()
    if len(calibrating) == len(found):
        raise UsageError(f"all {len(found)} images are left out as calibration images; calibrate with fewer")
    return [name for name in found if name not in calibrating]


def _reference(path: Path) -> Artifact:
    model = artifact.read(path)
    if model.precision in INTEGERS:
        raise InputError(f"{path} is {model.precision}, but the reference must be a float model; give the float32 file")
    return model


def _subjects(
    models: Iterable[Artifact], given: Path | None, beside: Path | None, sample: Sample
) -> dict[Path, Subject]:
    truths: dict[tuple[str, ...], NDArray[np.intp]] = {}
    subjects = {}
    for each in models:
        labels = _labels(each, given, beside, sample)
        if labels.lines not in truths:
            truths[labels.lines] = np.array(classes.match(sample.folder, sample.chosen, labels))
        subjects[each.path] = Subject(each, labels, truths[labels.lines])
    return subjects


def _labels(model: Artifact, given: Path | None, beside: Path | None, sample: Sample) -> classes.Labels:
    if given is not None:
        return classes.read(given)
    if model.metadata is not None and model.metadata.labels:
        return classes.Labels(model.metadata.labels, f"the labels in {model.path.name}")
    if beside is not None:
        return classes.read(beside)
    return classes.of_folders(sample.folder, sample.found)


def _check_comparable(subjects: Iterable[Subject], judge: Subject) -> None:
    for each in subjects:
        # Compared through the images, since one file may hold synsets and the other names.
        if not np.array_equal(each.truth, judge.truth):
            raise InputError(
                f"{each.model.path.name} and {judge.model.path.name} count their classes differently "
                f"({each.labels.source}, {judge.labels.source}); give the labels of both with --labels"
            )


def _assumed(subject: Subject, score: Score) -> tuple[str, ...]:
    said = list(score.facts["assumed"])
    if subject.labels.assumed:
        said.append("class names (assumed: the image folders in sorted order)")
    if score.shift == 1:
        said.append(f"the first of its {score.facts['classes']} outputs (assumed: background)")
    return tuple(said)


def _record(
    subject: Subject, score: Score, sample: Sample, agreement: float | None, reference: Path | None, threads: int
) -> Evaluation:
    n = int(score.readable.sum())
    identity = subject.model.identity()
    return Evaluation(
        **{**identity, "lacks": (*identity.get("lacks", ()), *_assumed(subject, score))},
        top1=score.top1 / n,
        top5=score.top5 / n,
        n=n,
        interval=wilson(score.top1, n),
        agreement=agreement,
        reference=None if reference is None else str(reference),
        data=str(sample.folder),
        unreadable=tuple(sample.chosen[place] for place in np.flatnonzero(~score.readable).tolist()),
        runtime=score.facts["runtime"],
        runtime_version=score.facts["version"],
        conditions={
            "threads": threads,
            "images_found": len(sample.found),
            "labels": subject.labels.source,
            "preprocess": score.facts["rule"],
        },
    )
