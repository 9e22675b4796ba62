"""From a folder of pictures to a trained Keras model: features, head, fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Dataset, Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import held
from mobilenet_edge.model.spec import IMAGENET_CLASSES, PUBLISHED, ModelSpec
from mobilenet_edge.training import crops, linear, start, tune
from mobilenet_edge.training.album import Score
from mobilenet_edge.training.body import body
from mobilenet_edge.training.checkpoint import Epoch
from mobilenet_edge.training.embedding import Body
from mobilenet_edge.training.linear import Examples
from mobilenet_edge.training.tuner import Tuner, set_head

Array = NDArray[np.float32]

# Random crops of each picture that the head learns from, beside the centre and its mirror image.
CROPS: Final = 6
# Views of all pictures together above which there are fewer crops: many pictures need none.
VIEWS: Final = 40_000


@dataclass(frozen=True)
class Result:
    """A trained model and how it came about.

    Attributes:
        model: keras.Model of probabilities.
        head: The head on frozen features.
        tuning: The curve of fine-tuning, empty without any.
        blend: One of `tuner.BLENDS`, None without fine-tuning.
        validation: How validation pictures are answered by a model that has not learned from them.
        unreadable: Files that could not be read.
        restarted: Whether the state of a killed run could not be read.
        seconds: Of each step.
    """

    model: Any
    head: linear.Fit
    tuning: list[Epoch]
    blend: float | None
    validation: Score
    unreadable: list[Path]
    restarted: bool
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
    """Train a classifier: a head on frozen features, then all of it.

    What is learned from the training pictures alone is judged by the validation pictures; then the same is learned from
    both. Fine-tuning that starts from so few pictures overshoots, so that weights between those before and after are
    tried (WiSE-FT, arXiv:2109.01903).

    Args:
        spec: Its `classes` are those of `data`.
        data: Pictures and their splits.
        rule: How a picture becomes the input; that of the weights.
        weights: As `model.weights.read` takes them; the classifier in them is not used.
        options: Of fine-tuning; no epochs leave the body as it is.
        teacher: Gives probabilities (n, classes) for inputs (n, h, w, 3); they take the place of the labels.
        cache: Folder in which features are kept.
        state: Folder in which fine-tuning keeps its state.
        advance: Called after each picture of the features, and after each epoch of both fine-tunings.

    Raises:
        InputError: The weights cannot be used, or no picture can be read.
        MissingExtraError: TensorFlow, Pillow or onnxruntime is not installed.
    """
    arrays = sources.read(weights, body_spec(spec, weights), head=False)
    seconds: dict[str, float] = {}
    with _timed(seconds, "model"):
        model = build(spec, options.seed)
        sources.assign(model, arrays or start.arrays(spec, options.seed))
        frozen = Body(body(held(model).graph), rule, cache)
    with _timed(seconds, "features"):
        features = _features(frozen, data, teacher, options.seed, advance)
    with _timed(seconds, "head"):
        fit = linear.fit(features.train, features.validation)
    best = min(fit.curve, key=lambda point: point.validation_loss)
    score = Score.of(best.validation_loss, best.validation_accuracy, len(features.pictures[1]))
    if not options.epochs:
        set_head(model, spec, fit.complete)
        return Result(model, fit, [], None, score, features.unreadable, False, seconds)
    with _timed(seconds, "tuning"):
        tuner = Tuner(model, spec, rule, options, data.class_weights(), teacher, state, advance)
        tuning, blend, score = tuner.run(fit, *features.pictures)
    return Result(
        tuner.rebuilt(), fit, tuning.curve, blend, score, features.unreadable, tuning.restarted, seconds
    )  # fmt: skip


def body_spec(spec: ModelSpec, weights: str) -> ModelSpec:
    """Return the variant whose published weights serve: of the nearest resolution, with ImageNet's classes."""
    if weights != sources.IMAGENET:
        return replace(spec, classes=IMAGENET_CLASSES)
    sides = sorted({side for alpha, side in PUBLISHED[spec.family] if alpha == spec.alpha}) or [spec.resolution]
    nearest = min(sides, key=lambda side: abs(side - spec.resolution))
    return replace(spec, classes=IMAGENET_CLASSES, resolution=nearest)


@dataclass(frozen=True)
class _Features:
    train: Examples
    validation: Examples
    pictures: tuple[Sequence[Picture], Sequence[Picture]]
    unreadable: list[Path]


def _features(
    frozen: Body, data: Dataset, teacher: tune.Teacher | None, seed: int, advance: Callable[[], None]
) -> _Features:
    count = min(CROPS, max(0, VIEWS // len(data.train) - 2))

    def views_of(picture: Picture) -> Iterator[crops.View]:
        return crops.of_training(picture, count, seed)

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
