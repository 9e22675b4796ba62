"""Calibration pictures: what the quantiser sees, and what is held out to check files on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion import rule as rules
from mobilenet_edge.data import folders, images
from mobilenet_edge.data.prepare import Pictures
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats.metadata import Calibration
from mobilenet_edge.graph import Array
from mobilenet_edge.model.read import Model
from mobilenet_edge.quantise import synthetic

RANDOM: Final = "random"
# More synthetic pictures than these gain nothing that could be measured.
SYNTHETIC: Final = 50
# Files that could not be read, in the metadata.
NAMED: Final = 5
METHOD: Final = "min-max ranges, equalised early channels; least squares and error feedback on each layer's inputs"
# Images that files are run on after writing, at most: held out, or not.
CHECKED: Final = 50
# Images of the calibration itself that files are checked on where none are held out.
CHECKED_FITTED: Final = 20
# Images from which on a part of them is held out, and how many at least; a fifth of more, up to `CHECKED`.
ENOUGH: Final = 20
LEAST_HELD_OUT: Final = 10

# A folder, "random" for synthetic images, or an array (n, height, width, channels): uint8 pixels, or float32 inputs.
Source = str | Path | NDArray[Any] | None


@dataclass(frozen=True)
class Samples:
    """Calibration images and where they came from.

    Attributes:
        images: float32 (n, h, w, c), preprocessed.
        source: "images" or "synthetic".
        unreadable: Names of files that could not be read.
        held_out: Images of the same folder that the quantiser must not see, to measure with; None if there are few.
    """

    images: Array
    source: str
    unreadable: tuple[str, ...] = ()
    held_out: Array | None = None

    def hold_out(self) -> Samples:
        """Take out a fifth of the images, evenly spread, if there are enough of them and none are held out yet."""
        count = len(self.images)
        if self.source != "images" or count < ENOUGH or self.held_out is not None:
            return self
        number = _fifth(count)
        chosen = np.zeros(count, np.bool_)
        chosen[(2 * np.arange(number) + 1) * count // (2 * number)] = True
        return replace(self, images=self.images[~chosen], held_out=self.images[chosen])

    @property
    def checking(self) -> Array:
        """Images to check files on."""
        return self.images[:CHECKED_FITTED] if self.held_out is None else self.held_out

    def describe(self) -> Calibration:
        """What the metadata says of them."""
        digest = hashlib.sha256(self.images.tobytes()).hexdigest()
        note = synthetic.NOTE if self.source == "synthetic" else self._left_out()
        return Calibration(self.source, len(self.images), digest, METHOD, note)

    def _left_out(self) -> str:
        names = self.unreadable
        if not names:
            return ""
        count = len(self.images) + (0 if self.held_out is None else len(self.held_out)) + len(names)
        shown = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        return f"{len(names)} of {count} image files could not be read: {shown}"


def _fifth(count: int) -> int:
    return min(max(LEAST_HELD_OUT, count // 5), CHECKED)


def check(source: Source) -> None:
    """Fail early where a folder holds no pictures.

    Raises:
        InputError: It is not a folder, or holds none.
    """
    if (folder := _folder(source)) is not None:
        images.find(folders.locate(folder, folders.FOR_CALIBRATION).folder)


def collect(
    source: Source, model: Model, rule: Preprocess, count: int, *, force: bool
) -> tuple[Samples, Preprocess, str]:
    """Collect calibration pictures for a model.

    Args:
        source: Where from.
        model: What they are for.
        rule: How pixels become its input, as far as that is known without pictures.
        count: Maximum number of pictures, evenly spread over the folder.
        force: Whether to keep a rule that the model's first batch norm contradicts.

    Returns:
        The samples, the rule with what the pictures told about it, and which of several splits was taken, in words.

    Raises:
        BuildError: The first batch norm contradicts the rule.
        InputError: There are no pictures, or none that can be read.
        UsageError: An array has another shape than the input.
    """
    if isinstance(source, np.ndarray):
        return (*_of_array(source, model, rule, force), "")
    folder = _folder(source)
    if folder is None:
        return Samples(rules.leaves(min(count, SYNTHETIC), model.graph, rule), "synthetic"), rule, ""
    place = folders.locate(folder, folders.FOR_CALIBRATION)
    pictures = rules.load(place.folder, rule, model.graph.input_shape, count)
    rule = rules.inferred(model, pictures.pixels, rule, force=force)
    held_out = _others(place.folder, pictures, rule)
    names = tuple(path.name for path in pictures.unreadable)
    return Samples(rules.ordered(pictures.pixels, rule), "images", names, held_out), rule, place.note


def _others(folder: Path, pictures: Pictures, rule: Preprocess) -> Array | None:
    """Load pictures that `count` left out, to measure with; None if there are too few of them."""
    taken = {*pictures.used, *pictures.unreadable}
    paths = [path for path in images.find(folder) if path not in taken]
    number = _fifth(len(pictures.used))
    if len(paths) < number:
        return None
    try:
        loaded = rules.load_paths(images.spread(paths, number), rule)
    except InputError:  # none of them can be read
        return None
    return rules.ordered(loaded.pixels, rule) if len(loaded.pixels) >= LEAST_HELD_OUT else None


def _of_array(source: NDArray[Any], model: Model, rule: Preprocess, force: bool) -> tuple[Samples, Preprocess]:
    if source.shape[1:] != model.graph.input_shape or not len(source):
        raise UsageError(f"calibration has the shape {source.shape}; the model takes (n, *{model.graph.input_shape})")
    if source.dtype == np.uint8:
        rule = rules.inferred(model, source, rule, force=force)
        return Samples(rules.ordered(source, rule), "images"), rule
    return Samples(np.asarray(source, np.float32), "images"), rule


def _folder(source: Source) -> Path | None:
    return Path(source) if isinstance(source, str | Path) and str(source) != RANDOM else None
