"""`mnet evaluate`: top-1, top-5 and agreement with a float model, on a folder of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import artifact, images, progress, scores
from mobilenet_edge import labels as classes
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.classify import classifier
from mobilenet_edge.classify.classifier import Classifier
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.records import Evaluation

AT_ONCE: Final = 8  # open models: each is a process of about 100 MB
INTEGERS: Final = frozenset(("int8", "uint8"))


@dataclass(frozen=True)
class Sample:
    """The images that are asked about.

    Attributes:
        folder: Where the class folders are.
        found: All its images.
        chosen: Those to use.
    """

    folder: Path
    found: Sequence[Path]
    chosen: Sequence[Path]


@dataclass(frozen=True)
class Subject:
    """A model, and what is right: `truth` holds the class index of each chosen image, (n,)."""

    model: Artifact
    labels: classes.Labels
    truth: NDArray[np.intp]


@dataclass(frozen=True)
class Answers:
    """What a model said.

    Attributes:
        classifier: How it was run; closed by now.
        readable: (n,) which of the chosen images could be read.
        top: (m, up to 5) class indexes for each readable one, best first; -1 is a background class.
        assumed: What had to be assumed, in words.
    """

    classifier: Classifier
    readable: NDArray[np.bool_]
    top: NDArray[np.intp]
    assumed: tuple[str, ...]


def run(
    paths: Sequence[Path],
    data: Path,
    *,
    labels: Path | None = None,
    reference: Path | None = None,
    threads: int = 1,
    limit: int | None = None,
    leave_out: int = 0,
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

    Returns:
        One evaluation for each path, in order.

    Raises:
        HostError: A runtime crashed or failed.
        InputError: A model, the images or the labels cannot be used, or do not fit each other.
        MissingExtraError: A runtime, TensorFlow or Pillow is not installed.
        UsageError: `threads` or `limit` is below 1.
    """
    for name, number in (("threads", threads), ("limit", limit)):
        if number is not None and number < 1:
            raise UsageError(f"{name} must be at least 1, got {number}")
    models = [artifact.read(path) for path in paths]
    judge = None if reference is None else _reference(reference)
    folder, beside = classes.locate(data)
    found = images.find(folder)
    sample = Sample(folder, found, images.spread(_held_out(found, leave_out), limit))
    everything = models if judge is None else [*models, judge]
    subjects = {each.path: _subject(each, labels, beside, sample) for each in everything}
    if judge is not None:
        _check_comparable(subjects.values(), subjects[judge.path])
    answers = _answers(list(subjects.values()), sample, threads)
    records = []
    for each in models:
        own = answers[each.path]
        agreement = None if judge is None else scores.agreement(own.top, answers[judge.path].top)
        records.append(_record(subjects[each.path], own, sample, agreement, reference, threads))
    return records


def _held_out(found: Sequence[Path], leave_out: int) -> Sequence[Path]:
    calibrating = set(images.spread(found, leave_out)) if leave_out else set()
    if len(calibrating) == len(found):
        raise UsageError(f"all {len(found)} images are left out as calibration images; calibrate with fewer")
    return [path for path in found if path not in calibrating]


def _reference(path: Path) -> Artifact:
    model = artifact.read(path)
    if model.precision in INTEGERS:
        raise InputError(f"{path} is {model.precision}, but the reference must be a float model; give the float32 file")
    return model


def _subject(model: Artifact, given: Path | None, beside: Path | None, sample: Sample) -> Subject:
    if given is not None:
        labels = classes.read(given)
    elif model.metadata is not None and model.metadata.labels:
        labels = classes.Labels(model.metadata.labels, f"the labels in {model.path.name}")
    elif beside is not None:
        labels = classes.read(beside)
    else:
        labels = classes.of_folders(sample.folder, sample.found)
    return Subject(model, labels, np.array(classes.match(sample.folder, sample.chosen, labels)))


def _check_comparable(subjects: Iterable[Subject], judge: Subject) -> None:
    for each in subjects:
        # Compared through the images, since one file may hold synsets and the other names.
        if not np.array_equal(each.truth, judge.truth):
            raise InputError(
                f"{each.model.path.name} and {judge.model.path.name} count their classes differently "
                f"({each.labels.source}, {judge.labels.source}); give the labels of both with --labels"
            )


def _answers(subjects: Sequence[Subject], sample: Sample, threads: int) -> dict[Path, Answers]:
    groups = [subjects[start : start + AT_ONCE] for start in range(0, len(subjects), AT_ONCE)]
    answers = {}
    with progress.bar("evaluating", len(sample.chosen) * len(groups)) as advance:
        for group in groups:
            for subject, given in zip(group, _answer(group, sample.chosen, threads, advance), strict=True):
                answers[subject.model.path] = given
    return answers


def _answer(
    group: Sequence[Subject], chosen: Sequence[Path], threads: int, advance: progress.Advance
) -> Iterator[Answers]:
    """Decode each image once and put it to all models of the group at the same time."""
    with ExitStack() as stack:
        open_models = [stack.enter_context(classifier.start(each.model, threads)) for each in group]
        shifts = [
            classes.shift(model.process.classes, each.labels, each.model.path.name)
            for model, each in zip(open_models, group, strict=True)
        ]
        readable: list[bool] = []
        top: list[list[NDArray[np.intp]]] = [[] for _ in group]
        for _, image in images.decoded(chosen):
            readable.append(image is not None)
            if image is not None:
                inputs = {rule: images.preprocess(image, rule) for rule in {model.rule for model in open_models}}
                for model in open_models:
                    model.ask(inputs[model.rule])
                for model, rows in zip(open_models, top, strict=True):
                    rows.append(model.answer())
            advance()
    for subject, model, rows, shift in zip(group, open_models, top, shifts, strict=True):
        yield Answers(model, np.array(readable), np.stack(rows) - shift, _assumed(subject, model, shift))


def _assumed(subject: Subject, model: Classifier, shift: int) -> tuple[str, ...]:
    said = list(model.assumed)
    if subject.labels.assumed:
        said.append("class names (assumed: the image folders in sorted order)")
    if shift == 1:
        said.append(f"the first of its {model.process.classes} outputs (assumed: background)")
    return tuple(said)


def _record(
    subject: Subject, answers: Answers, sample: Sample, agreement: float | None, reference: Path | None, threads: int
) -> Evaluation:
    truth = subject.truth[answers.readable]
    right = scores.hits(answers.top[:, :1], truth)
    identity = subject.model.identity()
    unreadable = (path for path, good in zip(sample.chosen, answers.readable, strict=True) if not good)
    return Evaluation(
        **{**identity, "lacks": (*identity.get("lacks", ()), *answers.assumed)},
        top1=right / len(truth),
        top5=scores.hits(answers.top, truth) / len(truth),
        n=len(truth),
        interval=scores.wilson(right, len(truth)),
        agreement=agreement,
        reference=None if reference is None else str(reference),
        data=str(sample.folder),
        unreadable=tuple(path.relative_to(sample.folder).as_posix() for path in unreadable),
        runtime=answers.classifier.process.runtime,
        runtime_version=answers.classifier.process.version,
        conditions={
            "threads": threads,
            "images_found": len(sample.found),
            "labels": subject.labels.source,
            "preprocess": asdict(answers.classifier.rule),
        },
    )
