"""What a bundle is made of: a model, how its pixels are made, what its outputs mean."""

from __future__ import annotations

from dataclasses import dataclass

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact


@dataclass(frozen=True)
class Deployment:
    """A model that has been opened once.

    Attributes:
        artifact: Its file.
        rule: How a picture becomes its input.
        input: Shape, element type and grid of its input.
        head: What its outputs mean.
        grid: (scale, zero point) of an integer output, None of a float one.
        names: Class of each output, two for a single score.
        named: Whether the names come from the file or a user, and are not numbers.
        runtime: What ran it here.
        runtime_version: Its version.
        assumed: What the file does not say and had to be assumed, in words.
    """

    artifact: Artifact
    rule: Preprocess
    input: ImageInput
    head: Head
    grid: tuple[float, int] | None
    names: tuple[str, ...]
    named: bool
    runtime: str
    runtime_version: str
    assumed: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of the model in the bundle: its own may be anything, and this one stands in programs."""
        return f"model.{self.artifact.format}"

    @property
    def axes(self) -> tuple[int, int, int]:
        """Axes of the input that are not its channels."""
        return (0, 2, 3) if self.input.channels_first else (0, 1, 2)
