"""Quantisation-aware training: tune the integers of a trained model, and write and judge the files of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.paired import Paired
from mobilenet_edge.conversion import assembly, origin, passes
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Dataset, Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation.evaluate import evaluate
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.tflite.write import int8_tflite
from mobilenet_edge.graph import Array
from mobilenet_edge.graph.run import softmax
from mobilenet_edge.model.tf import load_keras
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.entry import grid as input_grid
from mobilenet_edge.quantise.solve import EFFORTS, solve
from mobilenet_edge.records.answers import unpack
from mobilenet_edge.records.training import IntegerTuning
from mobilenet_edge.training import tune
from mobilenet_edge.training.album import Album
from mobilenet_edge.training.checkpoint import Epoch
from mobilenet_edge.training.simulation import Simulation

# Batches that the integers are tuned on, and the largest move of one: a fiftieth of a step of its scale. Twice as much
# undoes the network at once.
STEPS: Final = 400
RATE: Final = 0.02
# Share of the float model's answers in what is aimed at; the labels have the rest.
TEACHING: Final = 0.5
CALIBRATION: Final = 100
FORMATS: Final = ("tflite", "onnx")
_BATCH: Final = 64


@dataclass(frozen=True)
class Tuned:
    """Integers after tuning.

    Attributes:
        quantised: Of the epoch with the least loss on the validation pictures, among those whose loss is lower than
            before tuning by more than the standard error of the difference.
        epoch: That one, 0 for those before tuning.
        curve: From epoch 0.
    """

    quantised: QuantisedGraph
    epoch: int
    curve: list[Epoch]


@dataclass(frozen=True, eq=False)
class _Answers:
    """How pictures are answered: the cross-entropy of each, and how many are right."""

    losses: NDArray[np.float64]
    right: int

    @property
    def mean(self) -> float:
        return float(self.losses.mean())

    def point(self, epoch: int, loss: float) -> Epoch:
        return Epoch(epoch, loss, self.mean, self.right / len(self.losses))

    def better_than(self, other: _Answers) -> bool:
        """Return whether the losses are lower by more than the standard error of the difference."""
        gains = other.losses - self.losses
        return bool(gains.mean() > gains.std() / len(gains) ** 0.5)


def paths(model: Path) -> tuple[Path, ...]:
    """Return the files that `finish` writes for a `.keras` file."""
    return tuple(model.with_name(artifact.file_name(model.stem, "int8", kind, "generic")) for kind in FORMATS)


def finish(model: Path, network: Any, data: Dataset, *, seed: int) -> IntegerTuning:
    """Quantise a trained model, tune its integers, and write `.int8.tflite` and `.int8.onnx` files beside it.

    Args:
        model: The `.keras` file.
        network: The same as a keras.Model.
        data: Pictures that can be read; the test pictures judge.
        seed: Of the order of the pictures and their views.

    Returns:
        How the float model, the integers before and the integers after tuning answer the test pictures.

    Raises:
        BuildError: A file failed its check.
    """
    keras, about = origin.read_model(artifact.read(model))
    samples = _samples(data, about.preprocess)
    entry = input_grid(about.preprocess)
    quantised = solve(keras.graph, samples.images, EFFORTS["fast"], entry=entry, engine=passes.choose())
    tuned = tune_integers(quantised, network, data, about.preprocess, seed)
    scheme = f"; integers tuned on {len(data.train)} labelled pictures" if tuned.epoch else ""
    files = assembly.write_quantised(keras.graph, tuned.quantised, about, samples, model.parent, scheme)
    with tempfile.TemporaryDirectory() as folder:
        # Not checked: that rounding alone loses the model is what tuning is for.
        before = Path(folder) / "rounded.tflite"
        artifact.write(before, int8_tflite(quantised, io="float32"), replace(about, precision="int8", io="float32"))
        judged = _judge(data, model, before, files[0].path)
    curve = tuple(asdict(point) for point in tuned.curve)
    return IntegerTuning(artifacts=tuple(str(file.path) for file in files), epoch=tuned.epoch, curve=curve, **judged)


def tune_integers(quantised: QuantisedGraph, network: Any, data: Dataset, rule: Preprocess, seed: int) -> Tuned:
    """Tune integers towards labels and the float model's answers, with a straight-through estimator and Adam."""
    load_keras().utils.set_random_seed(seed)
    simulation, album, options = Simulation(quantised, pairs=True), Album(rule), tune.Options(seed=seed)
    epochs = max(1, round(STEPS * options.batch / len(data.train)))
    step = _descent(simulation, epochs * -(-len(data.train) // options.batch))
    first = least = _answer(simulation, album, data.validation)
    learned = _answer(simulation, album, images.spread(data.train, CALIBRATION))
    best, kept = quantised, 0
    curve = [first.point(0, learned.mean)]
    for epoch in range(1, epochs + 1):
        losses = []
        for inputs, labels, weights in tune.batches(data.train, album, options, epoch, data.class_weights()):
            targets = (1 - TEACHING) * labels + TEACHING * np.asarray(network.predict_on_batch(inputs), np.float32)
            losses.append(step(inputs, targets, weights))
        simulation.settle()
        answers = _answer(simulation, album, data.validation)
        if answers.mean < least.mean and answers.better_than(first):
            best, kept, least = simulation.integers(), epoch, answers
        curve.append(answers.point(epoch, float(np.mean(losses))))
    return Tuned(best, kept, curve)


def _descent(simulation: Simulation, steps: int) -> Callable[[Array, Array, Array], float]:
    """Return a function that takes a step on inputs, targets and weights, and returns the loss before it."""
    keras = load_keras()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    optimiser = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps))
    optimiser.build(simulation.variables)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def gradients(inputs: Any, targets: Any, weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            each = tf.nn.softmax_cross_entropy_with_logits(targets, simulation.logits(inputs))
            loss = tf.reduce_mean(weights * each)
        return loss, tape.gradient(loss, simulation.variables)

    def step(*batch: Array) -> float:
        loss, moves = gradients(*map(tf.constant, batch))
        optimiser.apply_gradients(zip(moves, simulation.variables, strict=True))
        return float(loss)

    return step


def _samples(data: Dataset, rule: Preprocess) -> Samples:
    """Calibrate with training pictures, and check the files on a part of them that is held out."""
    album = Album(rule)
    chosen = images.spread(data.train, CALIBRATION)
    pixels = np.stack([album.centre(picture) for picture in chosen])
    return Samples(prepare.scale(pixels, rule), "images").hold_out()


def _judge(data: Dataset, model: Path, before: Path, after: Path) -> dict[str, Any]:
    """Let the float model and both files answer the test pictures."""
    folder = data.test_folder or data.folder
    names = [picture.path.relative_to(folder).as_posix() for picture in data.test]
    scored = evaluate([model, before, after], folder, reference=model, only=names)
    right = [unpack(each.right, each.n) for each in scored]
    pair = Paired(scored[0].n, int((right[2] & ~right[1]).sum()), int((right[1] & ~right[2]).sum()))
    return {
        "n": pair.n,
        **{name: int(flags.sum()) for name, flags in zip(("float32", "rounded", "tuned"), right, strict=True)},
        "agreement": tuple(each.agreement for each in scored[1:]),
        "gained": pair.gained,
        "lost": pair.lost,
        "p_value": pair.p_value,
    }


def _answer(simulation: Simulation, album: Album, pictures: Sequence[Picture]) -> _Answers:
    losses, right = [], 0
    for start in range(0, len(pictures), _BATCH):
        part = pictures[start : start + _BATCH]
        pixels = np.stack([album.centre(picture) for picture in part])
        logits = simulation.logits(prepare.scale(pixels, album.rule)).numpy()
        labels = np.array([picture.label for picture in part])
        right += int((logits.argmax(axis=1) == labels).sum())
        losses.append(-np.log(softmax(logits.astype(np.float64))[range(len(part)), labels] + 1e-12))
    return _Answers(np.concatenate(losses), right)
