"""From a folder of pictures to a trained Keras model: features, head, fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Dataset, Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.build import build
from mobilenet_edge.model.spec import PUBLISHED_RESOLUTIONS, ModelSpec
from mobilenet_edge.training import crops, linear, tune
from mobilenet_edge.training.album import Score
from mobilenet_edge.training.body import body
from mobilenet_edge.training.embedding import Body
from mobilenet_edge.training.linear import Examples

Array = NDArray[np.float32]

# Random crops of each picture that the head learns from, beside the centre and its mirror image.
CROPS: Final = 6


@dataclass(frozen=True)
class Result:
    """A trained model and how it came about.

    Attributes:
        model: keras.Model of probabilities.
        head: The head on frozen features.
        tuning: The curve of fine-tuning, empty without any.
        validation: How validation pictures are answered by a model that has not learned from them.
        unreadable: Files that could not be read.
        seconds: Of each step.
    """

    model: Any
    head: linear.Fit
    tuning: list[tune.Epoch]
    validation: Score
    unreadable: list[Path]
    seconds: dict[str, float]


def train(
    spec: ModelSpec,
    data: Dataset,
    rule: Preprocess,
    *,
    weights: str,
    options: tune.Options,
    teacher: tune.Teacher | None = None,
    cache: Path | None = None,
    state: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Result:
    """Train a classifier.

    Args:
        spec: Its `classes` are those of `data`.
        data: Pictures and their splits.
        rule: How a picture becomes the input; that of the weights.
        weights: As `model.weights.read` takes them; the classifier in them is not used.
        options: Of fine-tuning; no epochs leave the body as it is.
        teacher: Gives probabilities (n, classes) for inputs (n, h, w, 3); they take the place of the labels.
        cache: Folder in which features are kept.
        state: Folder in which fine-tuning keeps its state.
        advance: Called after each picture of the features and each epoch.

    Raises:
        InputError: The weights cannot be used, or no picture can be read.
        MissingExtraError: TensorFlow, Pillow or onnxruntime is not installed.
    """
    arrays = sources.read(weights, _source(spec, weights), head=False)
    model = None
    if not arrays:
        model = build(spec, options.seed)
        arrays = {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}
    classifier = sources.classifier(spec)
    frozen = Body(body(spec, arrays), rule, cache)
    seconds: dict[str, float] = {}
    with _timed(seconds, "features"):
        features = _features(frozen, data, teacher, options.seed, advance)
    with _timed(seconds, "head"):
        fit = linear.fit(features.train, features.validation)
    with _timed(seconds, "model"):
        model = model or build(spec, options.seed)
        sources.assign(model, {name: values for name, values in arrays.items() if name != classifier})
    tuning: list[tune.Epoch] = []
    if options.epochs:
        with _timed(seconds, "tuning"):
            # It is judged by the validation pictures, so it begins with the head that has not seen them.
            _set_head(model, classifier, fit.head)
            tuning = tune.tune(
                *(model, *features.pictures, rule, options),
                class_weights=data.class_weights(), teacher=teacher, state=state, advance=advance,
            )  # fmt: skip
            # Without the optimiser, which would be two thirds of the file, and with every layer trainable.
            values = model.get_weights()
            model = build(spec, options.seed)
            model.set_weights(values)
    curve: Sequence[tune.Epoch | linear.Point] = tuning or fit.curve
    best = min(curve, key=lambda point: point.validation_loss)
    if not tuning or best is tuning[0]:
        _set_head(model, classifier, fit.complete)
    n = len(features.pictures[1])
    score = Score(best.validation_loss, round(best.validation_accuracy * n), n)
    return Result(model, fit, tuning, score, features.unreadable, seconds)


def _set_head(model: Any, classifier: str, head: linear.Head) -> None:
    model.get_layer(classifier).set_weights([head.kernel[None, None], head.bias])


def _source(spec: ModelSpec, weights: str) -> ModelSpec:
    """The variant whose published weights serve: of the nearest resolution, with ImageNet's classes."""
    if weights != sources.IMAGENET:
        return ModelSpec(spec.alpha, spec.resolution)
    nearest = min(PUBLISHED_RESOLUTIONS, key=lambda side: abs(side - spec.resolution))
    return ModelSpec(spec.alpha, nearest)


@dataclass(frozen=True)
class _Features:
    train: Examples
    validation: Examples
    pictures: tuple[Sequence[Picture], Sequence[Picture]]
    unreadable: list[Path]


def _features(
    frozen: Body, data: Dataset, teacher: tune.Teacher | None, seed: int, advance: Callable[[], None]
) -> _Features:
    def views_of(picture: Picture) -> Iterator[crops.View]:
        return crops.of_training(picture, CROPS, seed)

    def centre_of(_: Picture) -> Iterator[crops.View]:
        return iter([crops.CENTRE])

    weights = np.array(data.class_weights(), np.float32)
    train, read, missing = frozen.features(data.train, views_of, advance)
    labels = np.array([picture.label for picture in read])
    if teacher is None:
        targets = linear.one_hot(labels, len(data.classes), train.shape[1])
    else:
        targets = np.stack([teacher(_tensors(picture, views_of(picture), frozen.rule)) for picture in read])
    validation, others, more = frozen.features(data.validation, centre_of, advance)
    theirs = np.array([picture.label for picture in others])
    return _Features(
        Examples(train, targets, weights[labels]),
        Examples(validation, linear.one_hot(theirs, len(data.classes), 1, smoothing=0.0), weights[theirs]),
        (read, others),
        [*missing, *more],
    )


def _tensors(picture: Picture, views: Iterator[crops.View], rule: Preprocess) -> Array:
    image = images.decode(picture.path)
    return prepare.scale(np.stack([view.pixels(image, rule) for view in views]), rule)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[name] = round(time.monotonic() - began, 2)
