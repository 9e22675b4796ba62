"""An artifact as a classifier: preprocessed images in, class indexes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation import head, process, scores
from mobilenet_edge.evaluation.adapt import adapt
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.place import Place


class Answer(NamedTuple):
    """What a model says of an image.

    Attributes:
        best: Indexes of the (up to 5,) best outputs, best first.
        outputs: All outputs where the head needs them; of a head of classes those of `best`, None for logits.
    """

    best: NDArray[np.intp]
    outputs: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Classifier:
    """An open model and how its images are made.

    Attributes:
        process: The process that runs it.
        head: What its outputs mean.
        grid: (scale, zero point) of an integer output, None where it is float or not known.
        rule: For `prepare.fit` and `prepare.scale`.
        input: What becomes of a preprocessed image.
        assumed: What the file does not say and had to be assumed, in words.
    """

    process: process.Process
    head: Head
    grid: tuple[float, int] | None
    rule: Preprocess
    input: ImageInput
    assumed: tuple[str, ...]

    def ask(self, *pictures: NDArray[np.uint8], rule: Preprocess | None = None) -> None:
        """Start the inference of pictures, (height, width, channels) each, fitted by a rule, by default `rule`."""
        self.process.send_pixels(_table(self.input, rule or self.rule), *pictures)

    def answer(self, whole: bool = False, k: int = 5) -> Answer:
        """Wait for what the model says of the one image asked last; `whole` asks for the outputs of any head."""
        (answer,) = self.answers(whole, k)
        return answer

    def answers(self, whole: bool = False, k: int = 5) -> list[Answer]:
        """Wait for what the model says of each image asked last, as `answer`."""
        return [self._answer(outputs, whole, k) for outputs in self.process.receive()]

    def _answer(self, outputs: NDArray[Any], whole: bool, k: int) -> Answer:
        best = scores.top_k(outputs, k)
        if not whole and self.head is Head.logits:
            return Answer(best)
        if not whole and self.head is Head.classes:
            outputs = outputs[best]
        return Answer(best, real(outputs, self.grid))


@cache
def _table(taken: ImageInput, rule: Preprocess) -> NDArray[Any]:
    return taken.table(rule)


def read_outputs(outputs: NDArray[Any], grid: tuple[float, int] | None, k: int = 5) -> Answer:
    """Turn the flat outputs for one image, of the model's own type and grid, into an answer with real outputs."""
    return Answer(scores.top_k(outputs, k), real(outputs, grid))


def output_grid(known: tuple[float, int] | None, artifact: Artifact) -> tuple[float, int] | None:
    """Return the grid of an integer output: what the runtime knows, else what the metadata says; None for floats."""
    written = artifact.metadata.output if artifact.metadata else None
    return known or ((written.scale, written.zero_point) if written else None)


@contextmanager
def start(
    artifact: Artifact, threads: int, options: PixelOptions = NOTHING, place: Place | None = None
) -> Iterator[Classifier]:
    """Open an artifact in a process that ends with the block.

    Args:
        artifact: The file.
        threads: Threads within one inference.
        options: What is stated of its pixels.
        place: Where it runs; None for this machine and its best runtime.

    Raises:
        InputError: The file contradicts its own metadata, or what is stated.
        MnetError: As `process.start` and `process.start_at` say.
    """
    with (
        process.start(artifact.path, artifact.format, threads)
        if place is None
        else process.start_at(place, artifact, threads)
    ) as running:
        grid = output_grid(running.grid, artifact)
        meaning = head.find(artifact, running.shape)
        yield Classifier(running, meaning, grid, *adapt(running.input, artifact, options))


def real(outputs: NDArray[Any], grid: tuple[float, int] | None) -> NDArray[np.float32]:
    """Turn outputs on a grid, None for floats, into real numbers."""
    scale, zero_point = grid or (1.0, 0)
    return (outputs.astype(np.float32) - zero_point) * np.float32(scale)
