"""Models that are put the same images; they stay open for the next chunk of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation import classifier
from mobilenet_edge.evaluation.classifier import Answer
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts.place import Place

T = TypeVar("T")
# The pixels of an image, by `Preprocess.fitting`.
Inputs = dict[Preprocess, NDArray[np.uint8]]

# A worker of a cluster outlives the work: nobody asks any more, or who asked was killed.
IDLE_SECONDS: Final = 60.0


class ModelPool:
    """Open models, each a process of about 100 MB.

    Args:
        paths: Their files.
        threads: Threads within one inference.
        options: What is stated of their pixels.
        places: Where each runs, None for this machine; by default all run here.

    Raises:
        MnetError: As `classifier.start` says.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        threads: int,
        options: PixelOptions = NOTHING,
        places: Sequence[Place | None] | None = None,
    ) -> None:
        with ExitStack() as stack:
            self._models = [
                stack.enter_context(classifier.start(artifact.read(path), threads, options, place))
                for path, place in zip(paths, places or [None] * len(paths), strict=True)
            ]
            self._open = stack.pop_all()

    def facts(self) -> list[dict[str, Any]]:
        """Say of each model what runs it, what its outputs mean, how its images are made and what was assumed."""
        return [
            {
                "runtime": each.process.runtime,
                "version": each.process.version,
                "delegate": each.process.delegate,
                "head": each.head.value,
                "shape": list(each.process.shape),
                # With lists for tuples, as from another process.
                "rule": json.loads(json.dumps(asdict(each.rule))),
                "assumed": list(each.assumed),
            }
            for each in self._models
        ]

    def fittings(self, others: Iterable[PixelOptions] = ()) -> set[Preprocess]:
        """Return how an image is fitted for the models, by their own rules and under each of `others`."""
        rules = {_under(options, model.rule) for options in (NOTHING, *others) for model in self._models}
        return {rule.fitting for rule in rules if rule is not None}

    def answer(self, images: Sequence[Inputs], whole: bool = False) -> list[list[Answer]]:
        """Put images to all models at the same time; `whole` asks for the outputs of all.

        Returns:
            For each image the answers of all models.
        """
        for model in self._models:
            model.ask(*(inputs[model.rule.fitting] for inputs in images))
        return _turned([model.answers(whole) for model in self._models], len(images))

    def answer_under(self, images: Sequence[Inputs], options: PixelOptions) -> list[list[int | None]]:
        """Put images to all models with other pixels.

        Returns:
            For each image the best output of all models, None where the pixels do not fit.
        """
        rules = [_under(options, model.rule) for model in self._models]
        for model, rule in zip(self._models, rules, strict=True):
            if rule is not None:
                model.ask(*(inputs[rule.fitting] for inputs in images), rule=rule)
        best = [
            [None] * len(images) if rule is None else [int(each.best[0]) for each in model.answers()]
            for model, rule in zip(self._models, rules, strict=True)
        ]
        return _turned(best, len(images))

    def close(self) -> None:
        """End the processes."""
        self._open.close()


class IdlePool:
    """Open pools that nobody uses at the moment; safe to use from several threads, each with a pool of its own."""

    def __init__(self, seconds: float = IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._idle: list[tuple[Hashable, ModelPool]] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def acquire(self, key: Hashable) -> ModelPool | None:
        """Return an open pool; where there is none close the others, whose memory the new one needs."""
        with self._lock:
            self._stop()
            own = next((place for place, (other, _) in enumerate(self._idle) if other == key), None)
            if own is not None:
                return self._idle.pop(own)[1]
            self._clear()
            return None

    def release(self, key: Hashable, models: ModelPool) -> None:
        """Leave a models open for the next chunk; if none comes in time, it is closed."""
        with self._lock:
            self._stop()
            self._idle.append((key, models))
            self._timer = threading.Timer(self._seconds, self.close)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            self._stop()
            self._clear()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _clear(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


def _turned(by_model: Iterable[Sequence[T]], images: int) -> list[list[T]]:
    """What each model says of each image as what is said of each image by each model."""
    return [list(answers) for answers in zip(*by_model, strict=True)] or [[] for _ in range(images)]


def _under(options: PixelOptions, rule: Preprocess) -> Preprocess | None:
    with suppress(UsageError):  # three colours, and the input is grey
        return options.apply(rule)
    return None


@contextmanager
def written(names: Iterable[str], contents: Iterable[bytes]) -> Iterator[list[Path]]:
    """Write files that came from another machine, each under its name, for as long as the block runs."""
    with TemporaryDirectory(prefix="mnet-") as folder:
        paths = []
        for number, (name, data) in enumerate(zip(names, contents, strict=True)):
            place = Path(folder, str(number))
            place.mkdir()
            (place / name).write_bytes(data)
            paths.append(place / name)
        yield paths
