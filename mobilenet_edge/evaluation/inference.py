"""Put pictures to models one by one: named answers, and the time of each part."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from mobilenet_edge.data import labels as classes
from mobilenet_edge.data import prepare
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.data.stream import Picture
from mobilenet_edge.device.runtimes import AUTO
from mobilenet_edge.evaluation import classifier, head, interpret
from mobilenet_edge.evaluation.adapt import adapt
from mobilenet_edge.evaluation.classes import own_labels
from mobilenet_edge.evaluation.classifier import Answer, Classifier
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.remote import RemoteModel, Run
from mobilenet_edge.evaluation.tensors import ImageInput, image_input
from mobilenet_edge.formats import contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.place import Place
from mobilenet_edge.records import Classification

if TYPE_CHECKING:
    from mobilenet_edge.data.pixel_options import PixelOptions

# Decoded pictures that wait for a device at one time.
CHUNK: Final = 64


@dataclass(frozen=True)
class Question:
    """What is asked of every model.

    Attributes:
        threads: Threads within one inference.
        options: What is stated of the models' pixels.
        labels: File of class names, None for those of each model.
        top: Number of classes in an answer.
        runtime: Runtime that runs the models, "auto" for the best that is installed.
    """

    threads: int
    options: PixelOptions
    labels: Path | None = None
    top: int = 3
    runtime: str = AUTO

    @property
    def place(self) -> Place | None:
        """This machine with the runtime that is asked for, None for its best."""
        return None if self.runtime == AUTO else Place(Device(LOCAL, LOCAL), self.runtime)

    def labels_of(self, model: Artifact) -> Labels | None:
        """Return the class names of a model, None where it has none and none are given."""
        return own_labels(model) if self.labels is None else classes.read(self.labels)


def here(models: Sequence[Artifact], pictures: Iterable[Picture], question: Question) -> Iterator[list[Classification]]:
    """Classify pictures on this machine, with each model in a process of its own.

    Yields:
        For each picture, one record for each model.

    Raises:
        MnetError: As `classifier.start` says, or the labels do not fit.
    """
    for model in models:
        contradictions.refuse(model)
    with ExitStack() as stack:
        subjects = [
            _Here(
                model,
                stack.enter_context(classifier.start(model, question.threads, question.options, question.place)),
                question,
            )
            for model in models
        ]
        for picture in pictures:
            yield [subject.classify(picture) for subject in subjects]


def there(
    models: Sequence[RemoteModel], pictures: Iterable[Picture], question: Question
) -> Iterator[list[Classification]]:
    """Classify pictures on another machine; they are decoded and prepared on this one.

    Yields:
        For each picture, one record for each model.

    Raises:
        MnetError: As `Host.run` says, or a model does not take pictures, or the labels do not fit.
    """
    for model in models:
        contradictions.refuse(model.artifact)
    subjects = [_There(model, question) for model in models]
    waiting = iter(pictures)
    while chunk := list(islice(waiting, CHUNK)):
        yield from map(list, zip(*(subject.classify(chunk) for subject in subjects), strict=True))


class _Here:
    """A model in a process on this machine."""

    def __init__(self, artifact: Artifact, model: Classifier, question: Question) -> None:
        self._model, self._artifact, self._top = model, artifact, question.top
        shape = model.process.shape
        self._names = interpret.names(question.labels_of(artifact), model.head, shape, artifact.path.name)
        self._facts = _facts(artifact, model.rule, model.assumed, question.threads) | {
            "runtime": model.process.runtime,
            "runtime_version": model.process.version,
        }

    def classify(self, picture: Picture) -> Classification:
        tensor, prepare_ns = _prepare(picture, self._model.rule, self._model.input)
        start = time.perf_counter_ns()
        self._model.process.send(tensor)
        answer = self._model.answer(whole=True, k=self._top)
        times = (prepare_ns, time.perf_counter_ns() - start)
        return _record(self._facts, picture, times, self._model.head, answer, self._names)


class _There:
    """A model on another machine."""

    def __init__(self, model: RemoteModel, question: Question) -> None:
        self._model, self._question = model, question
        artifact = model.artifact
        self._rule, self._input, assumed = adapt(image_input(artifact), artifact, question.options)
        self._facts = _facts(artifact, self._rule, assumed, question.threads) | {"host": model.host.name}

    def classify(self, pictures: Sequence[Picture]) -> Iterator[Classification]:
        prepared = [_prepare(picture, self._rule, self._input) for picture in pictures]
        runs = self._model.run([tensor for tensor, _ in prepared])
        for picture, (_, prepare_ns), run in zip(pictures, prepared, runs, strict=True):
            yield self._read(picture, prepare_ns, run)

    def _read(self, picture: Picture, prepare_ns: int, run: Run) -> Classification:
        artifact, shape = self._model.artifact, run.document["output"]["shape"]
        meaning = head.find(artifact, shape)
        names = interpret.names(self._question.labels_of(artifact), meaning, shape, artifact.path.name)
        grid = classifier.output_grid(run.grid, artifact)
        answer = classifier.read_outputs(run.outputs, grid, self._question.top)
        facts = self._facts | {name: run.document[name] for name in ("runtime", "runtime_version")}
        return _record(facts, picture, (prepare_ns, run.time_ns), meaning, answer, names)


def _prepare(picture: Picture, rule: Preprocess, taken: ImageInput) -> tuple[NDArray[Any], int]:
    start = time.perf_counter_ns()
    tensor = taken.fill(prepare.prepare(picture.image, rule))
    return tensor, time.perf_counter_ns() - start


def _facts(artifact: Artifact, rule: Preprocess, assumed: Sequence[str], threads: int) -> dict[str, Any]:
    identity = artifact.identity()
    return {
        **identity,
        "host": LOCAL,
        "lacks": (*identity.get("lacks", ()), *assumed),
        "conditions": {"threads": threads, "preprocess": asdict(rule)},
    }


def _record(
    facts: Mapping[str, Any],
    picture: Picture,
    times_ns: tuple[int, int],
    meaning: Head,
    answer: Answer,
    names: Sequence[str | None],
) -> Classification:
    prepare_ns, infer_ns = times_ns
    return Classification(
        **facts,
        picture=picture.name,
        head=meaning.value,
        answers=tuple(map(dict, interpret.interpret(answer, meaning, names))),
        decode_ms=picture.decode_ns / 1e6,
        prepare_ms=prepare_ns / 1e6,
        infer_ms=infer_ns / 1e6,
    )
