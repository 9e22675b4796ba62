"""Putting images to models in the processes of a pool, chunk by chunk, and counting what they say.

An image's answer depends on nothing but the image and the model, and all that is kept of it are counts and its place in
the list, so the figures are the same whatever the number of processes and whichever is done first.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import progress
from mobilenet_edge.data import labels as classes
from mobilenet_edge.errors import HostError, InputError, MnetError
from mobilenet_edge.evaluation import chunk, scores
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.workers.pool import Answer, Request, WorkerPool, check

AT_ONCE: Final = 8  # models that are open in one process at a time
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
    """A model, and what is right: `truth` holds the class index of each chosen image, (n,)."""

    model: Artifact
    labels: classes.Labels
    truth: NDArray[np.intp]


@dataclass
class Score:
    """What a model said, counted.

    Attributes:
        facts: What runs it and how, as `model_pool.ModelPool.facts` says.
        shift: How many of its outputs lie before the one of class 0.
        readable: (n,) which of the chosen images could be read.
        first: (n,) class index of the first answer for each readable image; -1 is a background class.
        top1: How many of the first answers are right.
        top5: How many of the first five hold the right one.
    """

    facts: dict[str, Any]
    shift: int
    readable: NDArray[np.bool_]
    first: NDArray[np.int32]
    top1: int = 0
    top5: int = 0

    def count(self, start: int, readable: NDArray[np.bool_], top: NDArray[np.intp], truth: NDArray[np.intp]) -> None:
        """Count a chunk that begins at `start`: its (m,) images, (r, k) outputs of the readable, (m,) right classes."""
        own = slice(start, start + len(readable))
        answers = top - self.shift
        self.readable[own] = readable
        self.first[own][readable] = answers[:, 0]
        self.top1 += scores.hits(answers[:, :1], truth[readable])
        self.top5 += scores.hits(answers, truth[readable])

    def agreement(self, other: Score) -> float:
        """Give the share of images with the same first answer."""
        both = self.readable & other.readable
        return scores.agreement(self.first[both, None], other.first[both, None])


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
            "threads": self.threads,
            "folder": _abroad(folder),
            "names": names,
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


def chunks(models: int, images: int) -> int:
    """Say how many pieces of work there are, which is how many processes have something to do."""
    return math.ceil(models / AT_ONCE) * math.ceil(images / CHUNK)


def score(subjects: Sequence[Subject], sample: Sample, threads: int, pool: WorkerPool) -> dict[Path, Score]:
    """Put the chosen images to models.

    Every model is opened before the first image is asked about, so that one which cannot be used is told at once.

    Returns:
        A score for the path of each model.

    Raises:
        HostError: A runtime crashed or failed, a process was lost again and again, or processes run different versions.
        InputError: A model cannot be used, its classes are not those of the labels, or no image can be read.
        MissingExtraError: A runtime, TensorFlow or Pillow is not installed.
    """
    groups = [subjects[start : start + AT_ONCE] for start in range(0, len(subjects), AT_ONCE)]
    asking = _Asking(groups, sample, threads, pool)
    found: dict[Path, Score] = {}
    with closing(asking.ask([_Question(group) for group in range(len(groups))])) as answers:
        for question, answer in answers:
            for subject, facts in zip(groups[question.group], answer["facts"], strict=True):
                found[subject.model.path] = _score(subject, facts, len(sample.chosen))
    starts = range(0, len(sample.chosen), CHUNK)
    questions = [
        _Question(group, start, min(start + CHUNK, len(sample.chosen)))
        for group in range(len(groups))
        for start in starts
    ]
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


def _score(subject: Subject, facts: dict[str, Any], many: int) -> Score:
    shift = classes.shift(facts["classes"], subject.labels, subject.model.path.name)
    return Score(facts, shift, np.zeros(many, np.bool_), np.zeros(many, np.int32))


def _count(group: Sequence[Subject], found: dict[Path, Score], question: _Question, answer: Answer) -> None:
    readable = np.array(answer["readable"], np.bool_)
    for place, (subject, facts) in enumerate(zip(group, answer["facts"], strict=True)):
        own = found[subject.model.path]
        if facts != own.facts:
            raise HostError(
                f"{subject.model.path.name} was run by {own.facts['runtime']} {own.facts['version']} and by "
                f"{facts['runtime']} {facts['version']}; give all workers the same version"
            )
        if readable.any():
            top = np.array([image[place] for image in answer["top"]], np.intp)
            own.count(question.start, readable, top, subject.truth[question.start : question.stop])


def _abroad(path: Path) -> str:
    """Name a file for another process; links are kept, since they are what machines that share files agree on."""
    return os.path.abspath(path)  # noqa: PTH100


def _bytes(path: Path) -> bytes | None:
    with suppress(OSError):
        return path.read_bytes()
    return None
