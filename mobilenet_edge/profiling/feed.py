"""Real images as a model's inputs, prepared on this machine by the rule that the artifact carries."""

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
from mobilenet_edge.data.options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.rule import adapt
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact

MOST: Final = 8  # images; latency hardly depends on them, and each goes over the network


@dataclass(frozen=True)
class Feed:
    """Prepared images.

    Attributes:
        path: The .npy file, (count, *shape of the input) in the input's element type.
        rule: By which they were made.
        preprocess_ms: From an image file in memory's cache to the tensor, median over the images, on this machine.
        assumed: What the artifact does not say of its input, in words.
    """

    path: Path
    rule: Preprocess
    preprocess_ms: float
    assumed: tuple[str, ...] = ()

    def conditions(self) -> dict[str, Any]:
        """Return what of this belongs into a record."""
        # Where a rule is known from makes no input another.
        facts = {name: value for name, value in asdict(self.rule).items() if name not in ("origin", "evidence")}
        return {"preprocess": facts}


@contextmanager
def prepare(
    artifacts: Sequence[Artifact], folder: Path, options: PixelOptions = NOTHING
) -> Iterator[Mapping[Path, Feed]]:
    """Prepare the inputs of several artifacts; the files are there while the block runs.

    Args:
        artifacts: Image classifiers.
        folder: Images; at most 8 are taken, evenly spread.
        options: What is stated of the pixels.

    Yields:
        A feed for each artifact's path; artifacts of like inputs share one.

    Raises:
        InputError: There are no readable images, or an artifact takes none.
        MissingExtraError: Pillow is not installed.
    """
    paths = images.spread(images.find(folders.locate(folder).folder), MOST)
    readable = [path for path, image in images.decoded(paths) if image is not None]
    with tempfile.TemporaryDirectory(prefix="mnet-") as place:
        made: dict[tuple[Preprocess, ImageInput], Feed] = {}
        found = {}
        for artifact in artifacts:
            rule, taken, assumed = adapt(_taken(artifact), artifact, options)
            key = rule, replace(taken, model="")
            if key not in made:
                made[key] = _make(readable, *key, Path(place, f"{len(made)}.npy"))
            found[artifact.path] = replace(made[key], assumed=assumed)
        yield found


def _taken(artifact: Artifact) -> ImageInput:
    names = artifact.contents.inputs
    if len(names) != 1:
        raise InputError(f"{artifact.path.name} takes {len(names)} inputs, not one image; leave out --images")
    tensor = artifact.contents.tensors[names[0]]
    # An open batch is opened with one image.
    shape = (1, *tensor.shape[1:]) if tensor.shape[:1] == (-1,) else tensor.shape
    grid = (tensor.scales[0], float(tensor.zero_points[0])) if tensor.scales and tensor.zero_points else (None, None)
    return ImageInput(artifact.path.name, shape, tensor.dtype, *grid)


def _make(paths: Sequence[Path], rule: Preprocess, taken: ImageInput, place: Path) -> Feed:
    tensors, times_ms = [], []
    for path in paths:
        _tensor(path, rule, taken)  # the file into the cache, the decoder into memory
        start = time.perf_counter_ns()
        tensors.append(_tensor(path, rule, taken))
        times_ms.append((time.perf_counter_ns() - start) / 1e6)
    np.save(place, np.stack(tensors), allow_pickle=False)
    return Feed(place, rule, statistics.median(times_ms))


def _tensor(path: Path, rule: Preprocess, taken: ImageInput) -> NDArray[Any]:
    return taken.fill(pictures.prepare(images.decode(path), rule))
