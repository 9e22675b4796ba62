"""A larger model whose answers are learned (distillation, arXiv:1503.02531)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion.origin import read_model
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.onnx.write import float_onnx
from mobilenet_edge.graph.run import softmax
from mobilenet_edge.training.embedding import Session

Array = NDArray[np.float32]

# Softens the teacher's answers; small, since the pictures are few and their classes known.
TEMPERATURE: Final = 2.0


def teacher(path: Path, classes: tuple[str, ...], rule: Preprocess) -> Callable[[Array], Array]:
    """Open a teacher.

    Args:
        path: A Keras classifier that `mnet export` can read.
        classes: Of the student; the teacher's labels must be the same, in the same order.
        rule: Of the student's inputs.

    Returns:
        Gives softened probabilities (n, classes) for the student's inputs (n, h, w, 3). A teacher of another input size
        sees the same view, scaled.

    Raises:
        InputError: It has other classes, takes other pixels, or cannot be read.
    """
    model, about = read_model(artifact.read(path))
    graph = model.graph
    if about.labels and about.labels != classes:
        raise InputError(f"--teacher {path} knows other classes; train it on the same folder")
    if graph.classes != len(classes):
        raise InputError(f"--teacher {path} has {graph.classes} outputs, but there are {len(classes)} classes")
    theirs = about.preprocess
    if (theirs.colour, theirs.scale, theirs.offset) != (rule.colour, rule.scale, rule.offset):
        raise InputError(f"--teacher {path} takes other pixels than the model to train; train it with mnet train")
    session = Session(float_onnx(graph.cut_at_logits()))
    size = graph.input_shape[:2]

    def answer(inputs: Array) -> Array:
        logits = np.stack([session.run(_scaled(tensor, size)) for tensor in inputs]) / TEMPERATURE
        return softmax(logits)

    return answer


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
