"""A larger model whose answers are learned (distillation, arXiv:1503.02531)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion.origin import read_model
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.onnx.write import float_onnx
from mobilenet_edge.graph.run import softmax
from mobilenet_edge.training.embedding import Session

Array = NDArray[np.float32]

# Softens the teacher's answers; small, since the pictures are few and their classes known.
TEMPERATURE: Final = 2.0


class Teacher:
    """A classifier whose answers are learned.

    Attributes:
        labels: Its class names; their numbers where it has none.

    Args:
        path: A Keras classifier that `mnet export` can read.

    Raises:
        BuildError, InputError, UsageError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        model, about = read_model(artifact.read(path))
        graph = model.graph
        self.labels = about.labels or tuple(map(str, range(graph.classes)))
        self._path, self._named, self._rule = path, bool(about.labels), about.preprocess
        self._size = graph.input_shape[:2]
        self._session = Session(float_onnx(graph.cut_at_logits()))

    def require(self, classes: tuple[str, ...], rule: Preprocess) -> None:
        """Refuse a student that this teacher cannot teach.

        Args:
            classes: Of the student; a teacher's labels must be the same, in the same order.
            rule: Of the student's inputs.

        Raises:
            InputError: The teacher has other classes, or takes other pixels.
        """
        if self._named and self.labels != classes:
            raise InputError(f"--teacher {self._path} knows other classes; train it on the same folder")
        if len(self.labels) != len(classes):
            raise InputError(
                f"--teacher {self._path} has {len(self.labels)} outputs, but there are {len(classes)} classes"
            )
        theirs = self._rule
        if (theirs.colour, theirs.scale, theirs.offset) != (rule.colour, rule.scale, rule.offset):
            raise InputError(
                f"--teacher {self._path} takes other pixels than the model to train; train it with mnet train"
            )

    def __call__(self, inputs: Array) -> Array:
        """Answer the student's inputs (n, h, w, 3) with softened probabilities (n, classes).

        A teacher of another input size sees the same view, scaled.
        """
        logits = [self._session.run(_scaled(tensor, self._size)) for tensor in inputs]
        return softmax(np.stack(logits) / TEMPERATURE)

    def label(self, picture: Path) -> int | None:
        """Return the index of the most probable class of a picture, None for a file that cannot be read."""
        try:
            image = images.decode(picture)
        except InputError:
            return None
        return int(self._session.run(prepare.prepare(image, self._rule)).argmax())


def _scaled(tensor: Array, size: tuple[int, int]) -> Array:
    """Scale (h, w, 3) bilinearly, channel by channel."""
    if tensor.shape[:2] == size:
        return tensor
    from PIL import Image

    channels = [
        np.asarray(Image.fromarray(channel).resize((size[1], size[0]), Image.Resampling.BILINEAR))
        for channel in np.moveaxis(tensor, -1, 0)
    ]
    return np.stack(channels, axis=-1)
