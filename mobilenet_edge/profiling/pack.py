"""Pack pictures for a machine that decodes and prepares them itself, with the rule of each artifact."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mobilenet_edge import files
from mobilenet_edge.data import folders, images
from mobilenet_edge.data import prepare as pictures
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation.adapt import adapt
from mobilenet_edge.evaluation.tensors import ImageInput, image_input
from mobilenet_edge.formats.artifact import Artifact

# Enough for pictures of several sizes; each is sent over the network.
MAX_PICTURES: Final = 20
RULE: Final = ("size", "colour", "fit", "crop", "filter", "scale", "offset", "pad")
LAYOUT: Final = ("channels_first", "dtype", "scale", "zero_point")


@dataclass(frozen=True)
class Pack:
    """Pictures, and how they become the input of one artifact.

    Attributes:
        archive: Zip file of the pictures as they are.
        pixels: .npy file of the pictures as mnet fits them, (count, height, width, channels) uint8.
        rule: Preprocessing rule.
        tensor: Input of the artifact.
        count: Number of pictures.
        assumed: Descriptions of the preprocessing that the artifact does not state.
    """

    archive: Path
    pixels: Path
    rule: Preprocess
    tensor: ImageInput
    count: int
    assumed: tuple[str, ...] = ()

    def request(self) -> dict[str, Any]:
        """Return the part of a request to the worker that says how an input is made."""
        rule = {name: getattr(self.rule, name) for name in RULE}
        return {"preprocess": {"rule": rule, "layout": {name: getattr(self.tensor, name) for name in LAYOUT}}}


@contextmanager
def pack(artifacts: Sequence[Artifact], folder: Path, options: PixelOptions = NOTHING) -> Iterator[Mapping[Path, Pack]]:
    """Pack pictures for several artifacts; the files exist while the block runs.

    Args:
        artifacts: Image classifiers.
        folder: Folder of pictures, of which at most 20 are used, evenly spread.
        options: What the user stated about the pixels.

    Yields:
        Pack of each artifact, by its path.

    Raises:
        InputError: There are no readable pictures, or an artifact does not take one image.
        MissingExtraError: Pillow is not installed.
    """
    paths = images.spread(images.find(folders.locate(folder).folder), MAX_PICTURES)
    readable = [path for path, image in images.decoded(paths) if image is not None]
    with tempfile.TemporaryDirectory(prefix="mnet-") as temporary:
        archive = Path(temporary, "pictures.zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
            for number, path in enumerate(readable):
                name = path.name.encode(errors="replace").decode()
                packed.writestr(zipfile.ZipInfo(f"{number}-{name}"), files.read_bytes(path))
        fitted: dict[tuple[Any, ...], Path] = {}
        packs = {}
        for artifact in artifacts:
            rule, tensor, assumed = adapt(image_input(artifact), artifact, options)
            key = (rule.size, rule.colour, rule.fit, rule.crop, rule.filter, rule.pad)
            if key not in fitted:
                fitted[key] = Path(temporary, f"pixels{len(fitted)}.npy")
                np.save(fitted[key], pictures.load(readable, rule).pixels, allow_pickle=False)
            packs[artifact.path] = Pack(archive, fitted[key], rule, tensor, len(readable), assumed)
        yield packs
