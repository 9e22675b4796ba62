"""Score models on a folder of images: accuracy and likeness to a float model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from mobilenet_edge import cpus
from mobilenet_edge.data import folders, images
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.errors import InputError, MnetError, UsageError
from mobilenet_edge.evaluation import alternatives, chunk, classifier, scoring
from mobilenet_edge.evaluation.classes import Classes, read_truth
from mobilenet_edge.evaluation.recording import Session
from mobilenet_edge.evaluation.scoring import Sample, Subject
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.place import Place
from mobilenet_edge.records import Evaluation
from mobilenet_edge.workers import processes
from mobilenet_edge.workers.pool import WorkerPool

INTEGERS: Final = frozenset(("int8", "uint8"))
# One job decodes while the device answers the other.
DEVICE_JOBS: Final = 2
# Peaks of a process that reads images and of an open model at alpha 1.0 and 224 pixels, rounded up.
READER_BYTES: Final = 90_000_000
MODEL_BYTES: Final = {"tflite": 100_000_000, "onnx": 130_000_000, "keras": 700_000_000}


def evaluate(
    paths: Sequence[Path],
    data: Path,
    *,
    labels: Path | None = None,
    truth: Path | None = None,
    reference: Path | None = None,
    threads: int = 1,
    limit: int | None = None,
    leave_out: int = 0,
    only: Sequence[str] | None = None,
    split: str = "",
    jobs: int | None = None,
    dask: str | None = None,
    options: PixelOptions = NOTHING,
    place: Place | None = None,
) -> list[Evaluation]:
    """Score models on a folder of images.

    Args:
        paths: `.keras`, `.tflite` and `.onnx` files, those of other tools too, and folders of the latter two.
        data: The folder of class folders, or one that holds it as `images`, or splits such as `train` and `val`.
        labels: The labels file; by default a model's own labels. Where it has none, or none that the class folders are
            named by, `labels.txt` in or beside the image folder, else the sorted class folders where there are as many
            as classes.
        truth: Which labels each image has, in place of class folders; by default `truth.csv` or `truth.json` in or
            beside the image folder.
        reference: A float model; the share of images with the same top-1 is then the agreement.
        threads: Threads within one inference.
        limit: Use at most so many images, evenly spread over the folder.
        leave_out: Do not score the images that `mnet export --calibrate` takes of this folder for so many.
        only: Score these images alone, named as `images.names` does, with which no model was made.
        split: What these are of the data set, in words.
        jobs: Processes on this machine that read images, each with the models open; by default as many as cores for
            `threads` each, 2 with a `place`, 1 with a delegate, and never more than memory allows. The figures do not
            depend on it.
        dask: Address of a Dask scheduler whose workers do it instead.
        options: What is stated of the models' pixels; it goes before what the files say.
        place: Where the models run, but for the reference; None for this machine. Images are prepared here, and where a
            model also runs here, its answers to the same tensors are compared.

    Returns:
        One evaluation for each path, in order.

    Raises:
        HostError: A runtime crashed or failed, a process was lost twice, or the cluster cannot be used.
        InputError: A model, the images or the labels cannot be used, or do not fit each other.
        MissingExtraError: A runtime, TensorFlow, Pillow or distributed is not installed.
        UsageError: `threads`, `limit` or `jobs` is below 1, or there are `jobs` and `dask`.
    """
    _require_positive(threads=threads, limit=limit, jobs=jobs)
    if dask is not None and (jobs is not None or place is not None):
        raise UsageError(
            "--jobs, --host, --runtime, --delegate and --provider are not for a cluster; leave them out with --dask"
        )
    models = [artifact.read(path) for path in artifact.find(paths)]
    judge = None if reference is None else _reference(reference)
    located = folders.locate(data)
    found = images.names(located.folder)
    kept = held_out(found, leave_out) if folders.locate(data, folders.FOR_CALIBRATION) == located else found
    if only is not None:
        named = set(only)
        kept = [name for name in found if name in named]
    sample = Sample(located.folder, found, images.spread(kept, limit))
    everything = models if judge is None else [*models, judge]
    for each in everything:
        contradictions.refuse(each)
    listed = read_truth(truth, located.folder)
    subjects = _subjects(everything, Classes(labels, located, sample, listed))
    if judge is not None:
        _check_comparable(subjects.values(), subjects[judge.path])
    asked = [replace(subjects[each.path], place=place) for each in models]
    here = {each.path: subjects[each.path] for each in models if place is None or _runs_here(each, threads, options)}
    everyone = _side_by_side(asked, here, None if judge is None else subjects[judge.path])
    with _pool(jobs, dask, threads, everyone, len(sample.chosen)) as pool:
        scored = scoring.score(everyone, sample, threads, pool, options, compared=judge is not None)
        better = alternatives.find(list(here.values()), scored, sample, threads, pool)
    left_out = leave_out if only is None and len(kept) < len(found) else 0
    session = Session(sample, scored, listed, judge, left_out, split or located.note, unseen=only is not None)
    hints = {path: {"better_pixels": str(rule)} for path, rule in better.items()}
    return [session.record(each, models, {"threads": threads, **hints.get(each.model.path, {})}) for each in asked]


def _require_positive(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise UsageError(f"{name} must be at least 1, got {number}")


def _side_by_side(asked: Iterable[Subject], here: Mapping[Path, Subject], judge: Subject | None) -> list[Subject]:
    """List every model once: each beside itself on this machine, since both are given the same tensors."""
    pairs = chain.from_iterable((each, here.get(each.model.path, each)) for each in asked)
    return list({each.key: each for each in (*pairs, *([] if judge is None else [judge]))}.values())


def _pool(jobs: int | None, dask: str | None, threads: int, subjects: Sequence[Subject], many: int) -> WorkerPool:
    if dask is not None:
        from mobilenet_edge.workers import dask as cluster

        return cluster.DaskPool(chunk.FUNCTION, dask)
    wanted = min(jobs or _default_jobs(subjects, threads), scoring.chunks(subjects, many))
    # Every group of models takes its turn in every process.
    dearest = sorted((MODEL_BYTES[each.model.format] for each in subjects), reverse=True)
    return processes.ProcessPool(
        chunk.FUNCTION, processes.choose_size(wanted, READER_BYTES + sum(dearest[: scoring.AT_ONCE]))
    )


def _default_jobs(subjects: Iterable[Subject], threads: int) -> int:
    """Choose a number of processes for the CPUs, but few for a device: an accelerator serves one at a time."""
    wanted = max(1, len(cpus.available()) // threads)
    for each in subjects:
        if each.place is not None:
            delegate = each.place.delegate_for(each.model.format, each.model.contents.ops)
            wanted = min(wanted, DEVICE_JOBS if delegate is None else 1)
    return wanted


def _runs_here(model: Artifact, threads: int, options: PixelOptions) -> bool:
    """Return whether this machine has what a model needs: its runtime, and its operators."""
    try:
        with classifier.start(model, threads, options):
            return True
    except MnetError:
        return False


def held_out(found: Sequence[str], leave_out: int) -> Sequence[str]:
    """Return the images without those that `mnet export --count` takes for calibration.

    Raises:
        UsageError: None are left.
    """
    calibrating = set(images.spread(found, leave_out)) if leave_out else set()
    if len(calibrating) == len(found):
        raise UsageError(f"all {len(found)} images are left out as calibration images; calibrate with fewer")
    return [name for name in found if name not in calibrating]


def _reference(path: Path) -> Artifact:
    model = artifact.read(path)
    if model.precision in INTEGERS:
        raise InputError(f"{path} is {model.precision}, but the reference must be a float model; give the float32 file")
    return model


def _subjects(models: Iterable[Artifact], known: Classes) -> dict[Path, Subject]:
    subjects = {}
    for each in models:
        try:
            labels = known.of(each)
            right = known.right(labels)
        except InputError as error:
            # A model without a classifier needs no classes.
            subjects[each.path] = Subject(each, unfit=error)
        else:
            subjects[each.path] = Subject(each, labels, right)
    return subjects


def _check_comparable(subjects: Iterable[Subject], judge: Subject) -> None:
    for each in subjects:
        if each.labels is None or judge.labels is None or each.truth is None or judge.truth is None:
            continue
        # Compared through the images, since one file may hold synsets and the other names.
        if not np.array_equal(each.truth, judge.truth):
            raise InputError(
                f"{each.model.path.name} and {judge.model.path.name} count their classes differently "
                f"({each.labels.source}, {judge.labels.source}); give the labels of both with --labels"
            )
