"""An artifact as a classifier: preprocessed images in, class indexes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import head, process, scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Metadata, Preprocess


class Answer(NamedTuple):
    """What a model says of an image: the (up to 5,) best outputs, best first; the outputs where the head needs them."""

    best: NDArray[np.intp]
    outputs: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Classifier:
    """An open model and how its images are made.

    Attributes:
        process: The process that runs it.
        head: What its outputs mean.
        grid: (scale, zero point) of an integer output, None where it is float or not known.
        rule: For `images.preprocess`.
        input: What becomes of a preprocessed image.
        assumed: What the file does not say and had to be assumed, in words.
    """

    process: process.Process
    head: Head
    grid: tuple[float, int] | None
    rule: Preprocess
    input: ImageInput
    assumed: tuple[str, ...]

    def ask(self, image: NDArray[np.float32]) -> None:
        """Start the inference of an image, (side, side, 3) float32, preprocessed by `rule`."""
        self.process.send(self.input.fill(image))

    def answer(self, whole: bool = False, k: int = 5) -> Answer:
        """Wait for what the model says of the image asked last; `whole` asks for the outputs of any head."""
        outputs = self.process.receive()
        best = scores.top_k(outputs, k)
        if not whole and self.head in (Head.classes, Head.logits):
            return Answer(best)
        scale, zero_point = self.grid or (1.0, 0)
        return Answer(best, (outputs.astype(np.float32) - zero_point) * np.float32(scale))


@contextmanager
def start(artifact: Artifact, threads: int) -> Iterator[Classifier]:
    """Open an artifact in a process that ends with the block.

    Raises:
        InputError: The file contradicts its own metadata.
        MnetError: As `process.Process` says.
    """
    with process.start(artifact.path, artifact.format, threads) as running:
        written = artifact.metadata.output if artifact.metadata else None
        grid = running.grid or ((written.scale, written.zero_point) if written else None)
        meaning = head.find(artifact, running.shape)
        yield Classifier(running, meaning, grid, *adapt(running.input, artifact.metadata))


def adapt(taken: ImageInput, metadata: Metadata | None) -> tuple[Preprocess, ImageInput, tuple[str, ...]]:
    """Decide how images are made for a model: by its metadata, and where it has none by what is usual for MobileNet.

    Args:
        taken: The input as the runtime describes it. ONNX has no grid for an integer input, so it comes from here too.
        metadata: The artifact's, None for a foreign file.

    Returns:
        The rule, the input with its grid, and what was assumed.

    Raises:
        InputError: The metadata is of another resolution than the model.
    """
    assumed = []
    if metadata is None:
        rule = Preprocess(resolution=taken.side)
        assumed.append(f"preprocessing (assumed: centre crop {rule.crop:g}, {rule.filter}, RGB scaled to -1..1)")
    else:
        rule = metadata.preprocess
    if rule.resolution != taken.side:
        raise InputError(
            f"{taken.model} says its images are {rule.resolution} pixels wide, but takes {taken.side}; export it again"
        )
    if taken.needs_grid and metadata is not None and metadata.input is not None:
        taken = taken.with_grid(metadata.input)
    elif taken.needs_grid:
        taken = taken.with_pixels(rule)
        assumed.append(f"grid of its {taken.dtype} input (assumed: raw pixels)")
    return rule, taken, tuple(assumed)
