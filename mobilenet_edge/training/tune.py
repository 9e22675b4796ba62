"""Fine-tuning in Keras: the last blocks of the body and the head, on augmented pictures."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.training import checkpoint, crops
from mobilenet_edge.training.album import Album, Score
from mobilenet_edge.training.checkpoint import Epoch

Array = NDArray[np.float32]
Teacher = Callable[[Array], Array]

_BRIGHTNESS: Final = 0.2
_BLOCK: Final = re.compile(r"conv_(?:dw|pw)_(?P<v1>\d+)|block_(?P<v2>\d+)_|expanded_conv_")


@dataclass(frozen=True)
class Options:
    """How a network is fine-tuned.

    Attributes:
        epochs: Passes over the training pictures.
        unfreeze: How many blocks of the body learn, counted from the head; one more than there are for all of it.
        rate: Learning rate at the start; it falls to zero along a cosine (arXiv:1608.03983).
        batch: Pictures a step.
        smoothing: Label smoothing (arXiv:1512.00567, section 7).
        decay: Weight decay (arXiv:1711.05101).
        seed: Of the order of the pictures and their views.
    """

    epochs: int = 10
    unfreeze: int = 6
    rate: float = 1e-4
    batch: int = 16
    smoothing: float = 0.1
    decay: float = 1e-4
    seed: int = 0


@dataclass(frozen=True)
class Tuning:
    """A finished fine-tuning.

    Attributes:
        curve: From epoch 0, before it.
        restarted: Whether there was the state of a killed run that could not be read.
    """

    curve: list[Epoch]
    restarted: bool = False


def tune(
    model: Any,
    train: Sequence[Picture],
    validation: Sequence[Picture],
    rule: Preprocess,
    options: Options,
    *,
    class_weights: Sequence[float],
    teacher: Teacher | None = None,
    state: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Tuning:
    """Fine-tune a model in place.

    Batch norm stays in inference mode: its statistics are those of many more pictures than there are here.

    Args:
        model: A keras.Model of probabilities, with the layer names that `model.build` gives.
        train: Pictures to learn from.
        validation: Pictures to score after each epoch; may be empty.
        rule: How a picture becomes the input.
        options: How.
        class_weights: Weight of each class in the loss.
        teacher: Gives the probabilities (n, classes) that are aimed at for inputs (n, h, w, 3), in place of the labels.
        state: Folder in which the state after each epoch is kept, so that a run that was killed goes on there.
        advance: Called after each epoch.
    """
    from mobilenet_edge.model.tf import load_keras

    keras = load_keras()
    import tensorflow as tf

    keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    _freeze(model, options.unfreeze)
    steps = -(-len(train) // options.batch)
    schedule = keras.optimizers.schedules.CosineDecay(options.rate, options.epochs * steps)
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=options.decay),
        keras.losses.CategoricalCrossentropy(),
    )
    album = Album(rule)
    kept = [] if state is None else checkpoint.restore(model, state)
    curve = kept or []
    if not curve:
        curve.append(_point(0, album.score(model, train).loss, album.score(model, validation)))
    for epoch in range(len(curve) - 1, options.epochs):
        _seed_dropout(model, options.seed, epoch)
        drawn = batches(train, album, options, epoch, class_weights, teacher)
        losses = [float(model.train_on_batch(*batch, return_dict=True)["loss"]) for batch in drawn]
        curve.append(_point(epoch + 1, float(np.mean(losses)), album.score(model, validation)))
        if state is not None:
            checkpoint.keep(model, curve, state)
        advance()
    return Tuning(curve, kept is None)


def _point(epoch: int, loss: float, score: Score) -> Epoch:
    return Epoch(epoch, loss, score.loss, score.right / score.n if score.n else math.nan)


def _seed_dropout(model: Any, seed: int, epoch: int) -> None:
    """What is dropped follows from the epoch, so that a run that goes on drops the same."""
    for layer in model.layers:
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign([seed, epoch])


def _freeze(model: Any, unfreeze: int) -> None:
    """Let the head and the last blocks learn, batch norm never."""
    numbers = {layer.name: block_of(layer.name) for layer in model.layers}
    first = max(number for number in numbers.values() if number is not None) - unfreeze + 1
    for layer in model.layers:
        number = numbers[layer.name]
        layer.trainable = type(layer).__name__ != "BatchNormalization" and (number is None or number >= first)


def block_of(layer: str) -> int | None:
    """Number of the block of a Keras layer, from 1; 0 for those before the blocks, None for those after them."""
    if layer in ("conv1", "conv1_bn", "Conv1", "bn_Conv1"):
        return 0
    match = _BLOCK.match(layer)
    if match is None:
        return None
    # The first block of MobileNet v2 has no number, and the second one is called block_1.
    return int(match["v1"] or 0) or int(match["v2"] or 0) + 1


def batches(
    train: Sequence[Picture],
    album: Album,
    options: Options,
    epoch: int,
    class_weights: Sequence[float],
    teacher: Teacher | None = None,
) -> Iterator[tuple[Array, Array, Array]]:
    """Yield inputs, targets and weights of an epoch; they follow from the seed and the number of the epoch."""
    generator = random.Random(f"{options.seed} {epoch}")  # noqa: S311 - nothing secret is drawn
    hot = np.eye(len(class_weights), dtype=np.float32)
    order = list(train)
    generator.shuffle(order)
    for start in range(0, len(order), options.batch):
        batch = order[start : start + options.batch]
        pixels = np.stack([album.view(picture, crops.at_random(generator)) for picture in batch])
        factors = np.array([1 + generator.uniform(-_BRIGHTNESS, _BRIGHTNESS) for _ in batch], np.float32)
        tensor = prepare.scale(np.clip(pixels * factors[:, None, None, None], 0, 255), album.rule)
        labels = [picture.label for picture in batch]
        if teacher is None:
            targets = hot[labels] * (1 - options.smoothing) + options.smoothing / len(hot)
        else:
            targets = teacher(tensor)
        yield tensor, targets.astype(np.float32), np.array([class_weights[label] for label in labels], np.float32)
