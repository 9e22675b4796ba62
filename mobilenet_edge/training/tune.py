"""Fine-tuning in Keras: the last blocks of the body and the head, on augmented pictures."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import files
from mobilenet_edge.data import prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model.spec import BODY
from mobilenet_edge.training import crops
from mobilenet_edge.training.album import Album

Array = NDArray[np.float32]
Teacher = Callable[[Array], Array]

_BRIGHTNESS: Final = 0.2


@dataclass(frozen=True)
class Options:
    """How a network is fine-tuned.

    Attributes:
        epochs: Passes over the training pictures.
        unfreeze: How many of the 13 blocks learn, counted from the head; 14 for all, the first convolution too.
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
class Epoch:
    """Loss on the training pictures, loss and accuracy on the validation pictures; epoch 0 is before fine-tuning."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float


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
) -> list[Epoch]:
    """Fine-tune a model in place; it ends with the weights of the epoch that was best on the validation pictures.

    Batch norm stays in inference mode: its statistics are those of many more pictures than there are here.

    Args:
        model: A keras.Model of probabilities, with the layer names that `model.build` gives.
        train: Pictures to learn from.
        validation: Pictures that decide which epoch is best.
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
    curve, best = _restore(model, state)
    if not curve:
        score = album.score(model, validation)
        curve.append(Epoch(0, album.score(model, train).loss, score.loss, score.right / score.n))
    for epoch in range(len(curve) - 1, options.epochs):
        # What is dropped follows from the epoch, so that a run that goes on drops the same.
        model.get_layer("dropout").seed_generator.state.assign([options.seed, epoch])
        batches = _batches(train, album, options, epoch, class_weights, teacher)
        losses = [float(model.train_on_batch(*batch, return_dict=True)["loss"]) for batch in batches]
        score = album.score(model, validation)
        curve.append(Epoch(epoch + 1, float(np.mean(losses)), score.loss, score.right / score.n))
        if curve[-1].validation_loss == min(point.validation_loss for point in curve):
            best = model.get_weights()
        _keep(model, best, curve, state)
        advance()
    model.set_weights(best)
    return curve


def _freeze(model: Any, unfreeze: int) -> None:
    """Let the head and the last blocks learn, batch norm never."""
    first = len(BODY) - unfreeze + 1
    for layer in model.layers:
        words = layer.name.split("_")
        block = int(words[2]) if words[0] == "conv" and words[1] in ("dw", "pw") else 0
        body = layer.name == "conv1" or block > 0
        layer.trainable = type(layer).__name__ != "BatchNormalization" and (not body or block >= first)


def _batches(
    train: Sequence[Picture],
    album: Album,
    options: Options,
    epoch: int,
    class_weights: Sequence[float],
    teacher: Teacher | None,
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


def _keep(model: Any, best: list[Any], curve: Sequence[Epoch], state: Path | None) -> None:
    if state is None:
        return
    arrays = [*model.get_weights(), *best, *(np.asarray(variable) for variable in model.optimizer.variables)]
    data = io.BytesIO()
    np.savez(data, *arrays)
    files.write_together(
        {
            state / "weights.npz": data.getvalue(),
            state / "curve.json": json.dumps([vars(point) for point in curve]).encode(),
        }
    )


def _restore(model: Any, state: Path | None) -> tuple[list[Epoch], list[Any]]:
    """Take up what `_keep` wrote; the curve so far and the best weights."""
    weights = model.get_weights()
    if state is None or not (state / "weights.npz").exists():
        return [], weights
    curve = [Epoch(**point) for point in json.loads((state / "curve.json").read_text())]
    with np.load(state / "weights.npz", allow_pickle=False) as stored:
        arrays = [stored[name] for name in stored.files]
    count = len(weights)
    model.set_weights(arrays[:count])
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, arrays[2 * count :], strict=True):
        variable.assign(value)
    return curve, arrays[count : 2 * count]
