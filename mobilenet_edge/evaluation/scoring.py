"""Putting images to models in the processes of a pool, chunk by chunk, and counting what they say.

An image's answer depends on nothing but the image and the model, and is kept at its place in the list, so the figures
are the same whatever the number of processes and whichever is done first.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import progress
from mobilenet_edge.data import labels as classes
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.errors import HostError, InputError, MnetError
from mobilenet_edge.evaluation import chunk
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.score import Score, begin
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.place import Place
from mobilenet_edge.workers.pool import Answer, Request, WorkerPool, check

# The file, and whether it runs at a `Place`.
Key = tuple[Path, bool]
AT_ONCE: Final = 8  # models that are open in one process at a time
AT_ONCE_THERE: Final = 2  # and on a device, which has less memory: one there and the same one here
CHUNK: Final = 50  # images: seconds of work, and what is done again where a process is lost


@dataclass(frozen=True)
class Sample:
    """The images that are asked about.

    Attributes:
        folder: Where the class folders are.
        found: Names of all its images, as `images.names` gives them.
        chosen: Those to use.
    """

    folder: Path
    found: Sequence[str]
    chosen: Sequence[str]


@dataclass(frozen=True)
class Subject:
    """A model, and what is right.

    Attributes:
        model: Its file.
        labels: Its classes, None where nobody names any.
        truth: (n,) class index of each chosen image, or (n, labels) marks; None with no labels.
        unfit: Why there are none.
        place: Where it runs; None for this machine and its best runtime.
    """

    model: Artifact
    labels: classes.Labels | None = None
    truth: NDArray[Any] | None = None
    unfit: InputError | None = None
    place: Place | None = None

    @property
    def key(self) -> Key:
        """What tells it from the other subjects."""
        return self.model.path, self.place is not None

    @property
    def several(self) -> bool:
        """Whether an image may have several labels."""
        return self.truth is not None and self.truth.ndim == 2


@dataclass(frozen=True)
class _Question:
    """Chosen images `start` to `stop`, none to open the models alone; with the bytes of what the process lacked."""

    group: int
    start: int = 0
    stop: int = 0
    models: bool = False
    images: bool = False


@dataclass
class _Asking:
    groups: Sequence[Sequence[Subject]]
    sample: Sample
    threads: int
    pool: WorkerPool
    options: PixelOptions = NOTHING
    others: Sequence[PixelOptions] = ()
    # Once one process did not see the images, most will not.
    blind: bool = False

    def ask(self, questions: Sequence[_Question]) -> Generator[tuple[_Question, Answer]]:
        """Have questions answered, again with the bytes where a process does not see the files."""
        waiting = deque(questions)
        while waiting:
            asked: dict[int, _Question] = {}
            for index, answer in self.pool.run(self._requests(waiting, asked)):
                question = asked.pop(index)
                lacks = self._checked(question, answer).get("lacks")
                if lacks is None:
                    yield question, answer
                else:
                    waiting.appendleft(self._with_bytes(question, lacks))

    def _requests(self, waiting: deque[_Question], asked: dict[int, _Question]) -> Iterator[Request]:
        place = 0
        while waiting:
            asked[place] = question = waiting.popleft()
            place += 1
            yield self._request(question)

    def _request(self, question: _Question) -> Request:
        group, folder = self.groups[question.group], self.sample.folder
        names = self.sample.chosen[question.start : question.stop]
        request: dict[str, Any] = {
            "models": [_abroad(each.model.path) for each in group],
            "digests": [each.model.sha256 for each in group],
            "places": [each.place and asdict(each.place) for each in group],
            "threads": self.threads,
            "folder": _abroad(folder),
            "names": names,
            "options": self.options.to_dict(),
            "others": [each.to_dict() for each in self.others],
            "whole": any(each.several for each in group),
        }
        if question.models:
            request["files"] = [each.model.data for each in group]
        if question.images or self.blind:
            request["images"] = [_bytes(folder / name) for name in names]
        elif self.pool.remote:
            request["sizes"] = chunk.sizes(folder, names)
        return request

    def _with_bytes(self, question: _Question, lacks: str) -> _Question:
        if not self.pool.remote:
            names = ", ".join(each.model.path.name for each in self.groups[question.group])
            raise InputError(f"one of {names} changed while it was evaluated; run it again")
        self.blind = self.blind or lacks == "images"
        return replace(question, **{lacks: True})

    def _checked(self, question: _Question, answer: Answer) -> Answer:
        try:
            return check(answer)
        except MnetError as error:
            if answer.get("lost") and question.stop:
                first, last = self.sample.chosen[question.start], self.sample.chosen[question.stop - 1]
                raise HostError(f"images {first} to {last}: {error}") from error
            if self.pool.remote:
                told = MnetError(f"on a worker of the cluster: {error}")
                told.exit_code = error.exit_code
                raise told from error
            raise


def chunks(subjects: Sequence[Subject], images: int) -> int:
    """Say how many pieces of work there are, which is how many processes have something to do."""
    return len(_groups(subjects)) * math.ceil(images / CHUNK)


def _groups(subjects: Sequence[Subject]) -> list[Sequence[Subject]]:
    size = AT_ONCE if all(each.place is None for each in subjects) else AT_ONCE_THERE
    return [subjects[start : start + size] for start in range(0, len(subjects), size)]


def score(
    subjects: Sequence[Subject],
    sample: Sample,
    threads: int,
    pool: WorkerPool,
    options: PixelOptions = NOTHING,
    *,
    compared: bool,
) -> dict[Key, Score]:
    """Put the chosen images to models.

    `options` state what the models' pixels are; `compared` tells whether there is a reference among them. Every model
    is opened before the first image is asked about, so that one which cannot be used is told at once.

    Returns:
        A score for the key of each model.

    Raises:
        HostError: A runtime crashed or failed, a process was lost again and again, or processes run different versions.
        InputError: A model cannot be used, its classes are not those of the labels, or no image can be read.
        MissingExtraError: A runtime, TensorFlow or Pillow is not installed.
    """
    groups = _groups(subjects)
    asking = _Asking(groups, sample, threads, pool, options)
    found: dict[Key, Score] = {}
    with closing(asking.ask([_Question(group) for group in range(len(groups))])) as answers:
        for question, answer in answers:
            for subject, facts in zip(groups[question.group], answer["facts"], strict=True):
                found[subject.key] = _begin(subject, facts, len(sample.chosen), compared)
    questions = _questions(len(groups), len(sample.chosen))
    reasons: dict[int, str] = {}
    with (
        progress.bar("evaluating", len(sample.chosen) * len(groups)) as advance,
        closing(asking.ask(questions)) as answers,
    ):
        for question, answer in answers:
            _count(groups[question.group], found, question, answer)
            if answer["reason"]:
                reasons[question.start] = answer["reason"]
            for _ in answer["readable"]:
                advance()
    if not all(each.readable.any() for each in found.values()):
        first = reasons[min(reasons)]
        raise InputError(f"none of {len(sample.chosen)} image files can be read; the first: {first}")
    return found


def first_answers(
    subjects: Sequence[Subject], sample: Sample, threads: int, pool: WorkerPool, others: Sequence[PixelOptions]
) -> dict[Key, NDArray[np.int32]]:
    """Put the chosen images to models under several rules for pixels.

    Returns:
        For the key of each model the best outputs, (images, rules); -1 where an image cannot be read, or a rule does
        not fit the model.

    Raises:
        MnetError: As `score`.
    """
    groups = _groups(subjects)
    asking = _Asking(groups, sample, threads, pool, others=others)
    shape = len(sample.chosen), len(others)
    found = {each.key: np.full(shape, -1, np.int32) for each in subjects}
    with closing(asking.ask(_questions(len(groups), len(sample.chosen)))) as answers:
        for question, answer in answers:
            readable = question.start + np.flatnonzero(answer["readable"])
            for place, subject in enumerate(groups[question.group]):
                for index, image in zip(readable, answer["others"], strict=True):
                    best = [rule[place] for rule in image]
                    found[subject.key][index] = [-1 if each is None else each for each in best]
    return found


def _questions(groups: int, images: int) -> list[_Question]:
    return [
        _Question(group, start, min(start + CHUNK, images))
        for group in range(groups)
        for start in range(0, images, CHUNK)
    ]


def _begin(subject: Subject, facts: dict[str, Any], many: int, compared: bool) -> Score:
    name = subject.model.path.name
    own = begin(facts, subject.labels, subject.truth, many, name)
    if own.truth is not None:
        return own
    if own.head is not Head.features and subject.unfit is not None:
        raise subject.unfit
    if not compared:
        raise InputError(
            f"{name} returns features of shape {facts['shape']} and no classes; judge them by their cosine: "
            "add --reference with the float file of the same model"
        )
    return own


def _count(group: Sequence[Subject], found: dict[Key, Score], question: _Question, answer: Answer) -> None:
    readable = np.array(answer["readable"], np.bool_)
    for place, (subject, facts) in enumerate(zip(group, answer["facts"], strict=True)):
        own = found[subject.key]
        if facts != own.facts:
            raise HostError(
                f"{subject.model.path.name} was run by {own.facts['runtime']} {own.facts['version']} and by "
                f"{facts['runtime']} {facts['version']}; give all workers the same version"
            )
        if readable.any():
            top = np.array([image[place] for image in answer["top"]], np.intp)
            outputs = np.array([image[place] or () for image in answer["outputs"]], np.float32)
            own.count(question.start, readable, top, outputs)


def _abroad(path: Path) -> str:
    """Name a file for another process; links are kept, since they are what machines that share files agree on."""
    return os.path.abspath(path)  # noqa: PTH100


def _bytes(path: Path) -> bytes | None:
    with suppress(OSError):
        return path.read_bytes()
    return None
