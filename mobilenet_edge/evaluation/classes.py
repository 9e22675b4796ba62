"""Find the names of a model's classes, and what is right for each image."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import folders, labels, truth
from mobilenet_edge.data.folders import Place
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.data.truth import Truth
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.scoring import Sample
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.tflite import description


@dataclass(frozen=True)
class Classes:
    """Where the classes of models and of images are looked for.

    Attributes:
        given: Labels file of the user, None without one.
        place: Image folder.
        sample: Its images.
        truth: Listed labels of the images; None where class folders say them.
    """

    given: Path | None
    place: Place
    sample: Sample
    truth: Truth | None
    _right: dict[tuple[str, ...], NDArray[Any]] = field(default_factory=dict)

    def of(self, model: Artifact | None) -> Labels:
        """Find the names of a model's classes; None is a model whose file does not name any."""
        if self.given is not None:
            return labels.read(self.given)
        own = None if model is None else own_labels(model)
        # Labels beside the images may know folders by synset, whose plain names the model has.
        if own is not None and (self.place.labels is None or self._name_images(own)):
            return own
        if self.place.labels is not None:
            return labels.read(self.place.labels)
        if self.truth is not None:
            return self.truth.labels()
        return folders.of_folders(self.sample.folder, self.sample.found)

    def right(self, known: Labels) -> NDArray[Any]:
        """Say what is right for each chosen image, by class index or as marks; found once for the same labels."""
        if known.lines not in self._right:
            self._right[known.lines] = (
                np.array(folders.match(self.sample.folder, self.sample.chosen, known))
                if self.truth is None
                else self.truth.matrix(self.sample.chosen, known)
            )
        return self._right[known.lines]

    def _name_images(self, known: Labels) -> bool:
        try:
            self.right(known)
        except InputError:
            return False
        return True


def read_truth(given: Path | None, folder: Path) -> Truth | None:
    """Read which labels each image has, from the given file or one beside the images; None where there is none."""
    path = given or truth.locate(folder)
    return None if path is None else truth.read(path)


def own_labels(model: Artifact) -> Labels | None:
    """Read the class names in a model: of mnet's metadata, else of TFLite Metadata."""
    source = f"the labels in {model.path.name}"
    if model.metadata is not None:
        return Labels(model.metadata.labels, source, inside=True) if model.metadata.labels else None
    try:
        lines = description.labels(model.data) if model.format == "tflite" else ()
    except ValueError as error:
        raise InputError(f"{model.path} has TFLite metadata that cannot be read: {error}; write it again") from error
    return Labels(lines, source) if lines else None
