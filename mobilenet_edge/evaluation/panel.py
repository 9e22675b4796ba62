"""Models that are put the same images; they stay open for the next chunk of them."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.data import images
from mobilenet_edge.evaluation import classifier
from mobilenet_edge.evaluation.classifier import Answer
from mobilenet_edge.formats import artifact

if TYPE_CHECKING:
    from PIL import Image

# A worker of a cluster outlives the work: nobody asks any more, or who asked was killed.
IDLE_SECONDS: Final = 60.0


class Panel:
    """Open models, each a process of about 100 MB.

    Args:
        paths: Their files.
        threads: Threads within one inference.

    Raises:
        MnetError: As `classifier.start` says.
    """

    def __init__(self, paths: Iterable[Path], threads: int) -> None:
        with ExitStack() as stack:
            self._models = [stack.enter_context(classifier.start(artifact.read(path), threads)) for path in paths]
            self._open = stack.pop_all()

    def facts(self) -> list[dict[str, Any]]:
        """Say of each model what runs it, what its outputs mean, how its images are made and what was assumed."""
        return [
            {
                "runtime": each.process.runtime,
                "version": each.process.version,
                "head": each.head.value,
                "shape": list(each.process.shape),
                "rule": asdict(each.rule),
                "assumed": list(each.assumed),
            }
            for each in self._models
        ]

    def answer(self, image: Image.Image, whole: bool = False) -> list[Answer]:
        """Put an image to all models at the same time; `whole` asks for the outputs of all."""
        inputs = {rule: images.preprocess(image, rule) for rule in {model.rule for model in self._models}}
        for model in self._models:
            model.ask(inputs[model.rule])
        return [model.answer(whole) for model in self._models]

    def close(self) -> None:
        """End the processes."""
        self._open.close()


class Kept:
    """Open panels that nobody uses at the moment; safe to use from several threads, each with a panel of its own."""

    def __init__(self, seconds: float = IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._idle: list[tuple[Hashable, Panel]] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self, key: Hashable) -> Panel | None:
        """Return an open panel; where there is none close the others, whose memory the new one needs."""
        with self._lock:
            self._stop()
            own = next((place for place, (other, _) in enumerate(self._idle) if other == key), None)
            if own is not None:
                return self._idle.pop(own)[1]
            self._clear()
            return None

    def give(self, key: Hashable, panel: Panel) -> None:
        """Leave a panel open for the next chunk; if none comes in time, it is closed."""
        with self._lock:
            self._stop()
            self._idle.append((key, panel))
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
