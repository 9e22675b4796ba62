"""Preprocess images as model inputs on this machine, with the rule in the artifact's metadata."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import folders, images
from mobilenet_edge.data import prepare as pictures
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation.adapt import adapt
from mobilenet_edge.evaluation.tensors import ImageInput, image_input
from mobilenet_edge.formats.artifact import Artifact

# Latency hardly depends on the images, and each is sent over the network.
MAX_IMAGES: Final = 8


@dataclass(frozen=True)
class Feed:
    """Preprocessed images.

    Attributes:
        path: .npy file of shape (count, *input shape), in the element type of the input.
        rule: Preprocessing rule.
        preprocess_ms: Median time on this machine to turn a cached image file into a tensor.
        assumed: Descriptions of the preprocessing that the artifact does not state.
    """

    path: Path
    rule: Preprocess
    preprocess_ms: float
    assumed: tuple[str, ...] = ()

    def conditions(self) -> dict[str, Any]:
        """Return the conditions for a record."""
        # The origin of a rule does not change the inputs.
        facts = {name: value for name, value in asdict(self.rule).items() if name not in ("origin", "evidence")}
        return {"preprocess": facts}


@contextmanager
def prepare(
    artifacts: Sequence[Artifact], folder: Path, options: PixelOptions = NOTHING
) -> Iterator[Mapping[Path, Feed]]:
    """Preprocess images for several artifacts; the files exist while the block runs.

    Args:
        artifacts: Image classifiers.
        folder: Folder of images, of which at most 8 are used, evenly spread.
        options: What the user stated about the pixels.

    Yields:
        Feed of each artifact, by its path; artifacts with equal inputs share one.

    Raises:
        InputError: There are no readable images, or an artifact does not take one image.
        MissingExtraError: Pillow is not installed.
    """
    paths = images.spread(images.find(folders.locate(folder).folder), MAX_IMAGES)
    readable = [path for path, image in images.decoded(paths) if image is not None]
    with tempfile.TemporaryDirectory(prefix="mnet-") as temporary:
        distinct: dict[tuple[Preprocess, ImageInput], Feed] = {}
        feeds = {}
        for artifact in artifacts:
            rule, tensor, assumed = adapt(image_input(artifact), artifact, options)
            key = rule, replace(tensor, model="")
            if key not in distinct:
                distinct[key] = _preprocess(readable, *key, Path(temporary, f"{len(distinct)}.npy"))
            feeds[artifact.path] = replace(distinct[key], assumed=assumed)
        yield feeds


def _preprocess(paths: Sequence[Path], rule: Preprocess, tensor: ImageInput, out: Path) -> Feed:
    tensors, times_ms = [], []
    for path in paths:
        _load(path, rule, tensor)  # fill the page cache and load the decoder
        start = time.perf_counter_ns()
        tensors.append(_load(path, rule, tensor))
        times_ms.append((time.perf_counter_ns() - start) / 1e6)
    np.save(out, np.stack(tensors), allow_pickle=False)
    return Feed(out, rule, statistics.median(times_ms))


def _load(path: Path, rule: Preprocess, tensor: ImageInput) -> NDArray[Any]:
    return tensor.fill(pictures.prepare(images.decode(path), rule))
