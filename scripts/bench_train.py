"""What `mnet train` reaches on eight classes of real pictures, beside Keras's transfer-learning guide.

A third of the pictures of each class judges both; of the rest, a fifth decides when to stop. The guide
(https://keras.io/guides/transfer_learning) trains a dense layer on the frozen body, with flips, rotations and dropout,
then everything at a rate of 1e-5; each until ten epochs have brought nothing, at most a hundred. Seconds run from the
files to the trained model, TensorFlow already started, no features kept. Then each tuned model is exported in int8, and
both answer the same third: agreement, and an exact McNemar test of who is right.

    MNET_DATA=DIR python scripts/bench_train.py --splits 5 --epochs 10
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import cpus
from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.conversion import pipeline
from mobilenet_edge.data import dataset, prepare
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.build import build
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.tf import load_keras
from mobilenet_edge.training import recipe, tune

SHARED = Path(__file__).parents[2] / "shared"
LONGEST = 100
PATIENCE = 10
BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rho", type=int, nargs="+", default=[128, 160, 192, 224])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=tune.Options.epochs, help="of fine-tuning by mnet")
    parser.add_argument("--heads", action="store_true", help="train heads alone")
    options = parser.parse_args()
    data = Path(os.environ.get("MNET_DATA", SHARED / "data"))
    cases = SHARED / "cases" / "own_classes.py"
    weights = data / "weights" / "mobilenet_2_5_224_tf.h5"
    if not (weights.is_file() and cases.is_file()):
        sys.exit(f"skipped: no {weights} or no {cases}; set MNET_DATA")
    load_keras()
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, cases, data, place], check=True, stdout=subprocess.DEVNULL)
        print(f"{len(cpus.available())} cores, load {os.getloadavg()[0]:.1f}, {options.splits} splits", flush=True)
        for rho in options.rho:
            Bench(Path(place), rho, str(weights)).run(options.splits, 0 if options.heads else options.epochs)


class Bench:
    """The ways to train at one resolution, each with its right answers and seconds in every split."""

    def __init__(self, folder: Path, rho: int, weights: str) -> None:
        self.folder, self.rho, self.weights = folder, rho, weights
        self.rule = Preprocess((rho, rho))
        self.right: dict[str, list[int]] = defaultdict(list)
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def run(self, splits: int, epochs: int) -> None:
        """Train in every way with every split, and print a line for each way."""
        n, pairs = 0, []
        for seed in range(splits):
            pictures = split(self.folder, seed)
            spec = ModelSpec(0.25, self.rho, len(pictures.classes))
            images, labels = self._load(pictures.test)
            n += len(labels)
            self._ours("mnet, head", spec, pictures, seed, 0, images, labels)
            if epochs:
                model = self._ours("mnet, tuned", spec, pictures, seed, epochs, images, labels)
                pairs += self._int8(model, pictures, images, labels)
            self._guide(spec, pictures, seed, images, labels, whole=bool(epochs))
        for way, answers in self.right.items():
            low, high = wilson(sum(answers), n)
            seconds, processor = self.seconds[way], self.seconds[f"{way} cpu"]
            print(
                f"{self.rho}: {way:12} {sum(answers) / n:.3f} ({low:.3f} to {high:.3f}) of {n} pictures, "
                f"{np.mean(seconds):6.1f} s, {np.mean(processor):6.1f} s of CPU; by split {answers}",
                flush=True,
            )
        if pairs:
            _print_int8(self.rho, pairs)

    def _ours(
        self, way: str, spec: ModelSpec, pictures: Dataset, seed: int, epochs: int, images: Any, labels: Any
    ) -> Any:
        """Train as `mnet train` does; return the model."""
        options = tune.Options(epochs=epochs, seed=seed)
        result = self._timed(
            way, lambda: recipe.train(spec, pictures, self.rule, weights=self.weights, options=options)
        )
        self._score(way, result.model, prepare.scale(images, self.rule), labels)
        return result.model

    def _guide(self, spec: ModelSpec, pictures: Dataset, seed: int, images: Any, labels: Any, *, whole: bool) -> None:
        """Train as Keras's guide does: the head, and with `whole` everything."""
        keras = load_keras()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        train: dict[str, Any] = {}

        def fit(model: Any, optimizer: Any) -> None:
            model.compile(optimizer, loss, metrics=["accuracy"])
            stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
            model.fit(
                *train["learn"], batch_size=BATCH, epochs=LONGEST, verbose=0, callbacks=[stop],
                validation_data=train["stop"],
            )  # fmt: skip

        def head() -> tuple[Any, Any]:
            train["learn"], train["stop"] = self._load(pictures.train), self._load(pictures.validation)
            body, model = self._guide_model(keras, spec, seed)
            fit(model, keras.optimizers.Adam())
            return body, model

        body, model = self._timed("guide, head", head)
        self._score("guide, head", model, images.astype(np.float32), labels)
        if whole:
            body.trainable = True
            self._timed("guide, tuned", lambda: fit(model, keras.optimizers.Adam(1e-5)))
            for clock in ("", " cpu"):
                self.seconds[f"guide, tuned{clock}"][-1] += self.seconds[f"guide, head{clock}"][-1]
            self._score("guide, tuned", model, images.astype(np.float32), labels)

    def _guide_model(self, keras: Any, spec: ModelSpec, seed: int) -> tuple[Any, Any]:
        base = build(spec, seed)
        sources.assign(base, sources.read(self.weights, ModelSpec(spec.alpha, spec.resolution), head=False))
        body = keras.Model(base.input, base.get_layer("conv_pw_13_relu").output)
        body.trainable = False
        image = keras.Input((spec.resolution, spec.resolution, 3))
        x: Any = keras.layers.RandomFlip("horizontal", seed=seed)(image)
        x = keras.layers.RandomRotation(0.1, seed=seed)(x)
        x = keras.layers.Rescaling(1 / 127.5, -1)(x)
        x = keras.layers.GlobalAveragePooling2D()(body(x, training=False))
        x = keras.layers.Dense(spec.classes)(keras.layers.Dropout(0.2, seed=seed)(x))
        return body, keras.Model(image, x)

    def _int8(self, model: Any, pictures: Dataset, images: Any, labels: Any) -> list[tuple[bool, bool, bool]]:
        """Export a model in int8; for each picture: same answer, float right, int8 right."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "own.keras")
            path.write_bytes(keras_bytes(model))
            pixels, _ = self._load(pictures.train)
            (file,) = pipeline.run(
                path, formats=["tflite"], precisions=["int8"], calibrate=pixels, io="float32", out=Path(folder)
            )
            inputs = prepare.scale(images, self.rule)
            floats = np.asarray(model.predict(inputs, verbose=0)).argmax(axis=1)
            integers = _answers(file.path, inputs)
        return [
            (bool(first == second), bool(first == label), bool(second == label))
            for first, second, label in zip(floats, integers, labels, strict=True)
        ]

    def _load(self, pictures: Any) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        pixels = prepare.load([picture.path for picture in pictures], self.rule).pixels
        return pixels, np.array([picture.label for picture in pictures])

    def _timed(self, way: str, work: Callable[[], Any]) -> Any:
        wall, processor = time.monotonic(), time.process_time()
        result = work()
        self.seconds[way].append(time.monotonic() - wall)
        self.seconds[f"{way} cpu"].append(time.process_time() - processor)
        return result

    def _score(self, way: str, model: Any, inputs: Any, labels: Any) -> None:
        answers = np.asarray(model.predict(inputs, verbose=0)).argmax(axis=1)
        self.right[way].append(int((answers == labels).sum()))


def split(folder: Path, seed: int) -> Dataset:
    """Divide the pictures anew by a seed: of each class a third for the test, of the rest a fifth for validation."""
    whole = dataset.read(folder)
    parts: list[list[dataset.Picture]] = [[], [], []]
    generator = random.Random(seed)
    for label in range(len(whole.classes)):
        pictures = [picture for picture in (*whole.train, *whole.validation) if picture.label == label]
        pictures.sort(key=lambda picture: picture.sha256)
        generator.shuffle(pictures)
        first = round(len(pictures) / 3)
        second = first + round((len(pictures) - first) / 5)
        for part, chosen in zip(parts, (pictures[second:], pictures[first:second], pictures[:first]), strict=True):
            part += chosen
    train, validation, test = map(tuple, parts)
    return Dataset(folder, whole.classes, train, validation, test)


def _answers(path: Path, inputs: NDArray[np.float32]) -> NDArray[Any]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    answers = []
    for tensor in inputs:
        interpreter.set_tensor(source, tensor[None])
        interpreter.invoke()
        answers.append(int(interpreter.get_tensor(target).argmax()))
    return np.array(answers)


def _print_int8(rho: int, pairs: list[tuple[bool, bool, bool]]) -> None:
    same, floats, integers = (sum(column) for column in zip(*pairs, strict=True))
    lost = sum(first and not second for _, first, second in pairs)
    won = sum(second and not first for _, first, second in pairs)
    chance = min(1.0, 2 * sum(math.comb(lost + won, k) for k in range(min(lost, won) + 1)) / 2 ** (lost + won))
    print(
        f"{rho}: int8 agrees on {same / len(pairs):.3f}, right {integers} against {floats} of {len(pairs)}; "
        f"McNemar: {lost} lost, {won} won, p = {chance:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
