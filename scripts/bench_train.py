"""What `mnet train` reaches on eight classes of real pictures, beside Keras's transfer-learning guide.

A third of the pictures of each class judges both; mnet divides the rest into training and validation pictures, the
guide learns from all of it: frozen body, flips and rotations, average pooling, dropout, a dense layer, Adam, 20 epochs
(https://keras.io/guides/transfer_learning). Seconds run from the files to the trained head, TensorFlow already started,
and no features kept. With --tune N the body is fine-tuned for N epochs, too.

    MNET_DATA=DIR python scripts/bench_train.py --splits 5
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_edge import cpus
from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.data import dataset, prepare
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.build import build
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.tf import load_keras
from mobilenet_edge.training import recipe, tune
from mobilenet_edge.training.album import Album

SHARED = Path(__file__).parents[2] / "shared"
EPOCHS = 20
BATCH = 64
Answer = tuple[int, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rho", type=int, nargs="+", default=[128, 160, 192, 224])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--tune", type=int, default=0, metavar="EPOCHS")
    options = parser.parse_args()
    data = Path(os.environ.get("MNET_DATA", SHARED / "data"))
    cases = SHARED / "cases" / "own_classes.py"
    weights = data / "weights" / "mobilenet_2_5_224_tf.h5"
    if not (weights.is_file() and cases.is_file()):
        sys.exit(f"skipped: no {weights} or no {cases}; set MNET_DATA")
    load_keras()
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, cases, data, place], check=True, stdout=subprocess.DEVNULL)
        print(f"{len(cpus.available())} cores, load {os.getloadavg()[0]:.1f}, {options.splits} splits")
        for rho in options.rho:
            measure(Path(place), rho, str(weights), options.splits, options.tune)


def measure(folder: Path, rho: int, weights: str, splits: int, epochs: int) -> None:
    """Print a line for each way to train at one resolution: accuracy over all splits, and the mean seconds."""
    ways: dict[str, list[Answer]] = {
        "mnet, head": [],
        "guide": [],
        **({f"mnet, {epochs} epochs": []} if epochs else {}),
    }
    n = 0
    for seed in range(splits):
        pictures = split(folder, seed)
        spec = ModelSpec(0.25, rho, len(pictures.classes))
        n += len(pictures.test)
        ways["mnet, head"].append(ours(spec, pictures, weights, seed, 0))
        ways["guide"].append(guide(spec, pictures, weights, seed))
        if epochs:
            ways[f"mnet, {epochs} epochs"].append(ours(spec, pictures, weights, seed, epochs))
    for way, answers in ways.items():
        right = sum(hits for hits, _ in answers)
        low, high = wilson(right, n)
        seconds = sum(seconds for _, seconds in answers) / splits
        print(
            f"{rho}: {way:16} {right / n:.3f} ({low:.3f} to {high:.3f}) of {n} pictures, {seconds:6.1f} s", flush=True
        )


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


def ours(spec: ModelSpec, pictures: Dataset, weights: str, seed: int, epochs: int) -> Answer:
    """Train as `mnet train` does; right answers and seconds."""
    rule = Preprocess((spec.resolution, spec.resolution))
    began = time.monotonic()
    result = recipe.train(spec, pictures, rule, weights=weights, options=tune.Options(epochs=epochs, seed=seed))
    seconds = time.monotonic() - began
    return Album(rule).score(result.model, pictures.test).right, seconds


def guide(spec: ModelSpec, pictures: Dataset, weights: str, seed: int) -> Answer:
    """Train as Keras's guide does; right answers and seconds."""
    keras = load_keras()
    rule = Preprocess((spec.resolution, spec.resolution))
    began = time.monotonic()
    base = build(spec, seed)
    sources.assign(base, sources.read(weights, ModelSpec(spec.alpha, spec.resolution), head=False))
    body = keras.Model(base.input, base.get_layer("conv_pw_13_relu").output)
    body.trainable = False
    image = keras.Input((spec.resolution, spec.resolution, 3))
    x: Any = keras.layers.RandomFlip("horizontal", seed=seed)(image)
    x = keras.layers.RandomRotation(0.1, seed=seed)(x)
    x = keras.layers.Rescaling(1 / 127.5, -1)(x)
    x = keras.layers.GlobalAveragePooling2D()(body(x, training=False))
    x = keras.layers.Dense(spec.classes)(keras.layers.Dropout(0.2, seed=seed)(x))
    model = keras.Model(image, x)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    learned = (*pictures.train, *pictures.validation)
    pixels = prepare.load([picture.path for picture in learned], rule).pixels
    labels = np.array([picture.label for picture in learned])
    model.fit(pixels.astype(np.float32), labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    seconds = time.monotonic() - began
    test = prepare.load([picture.path for picture in pictures.test], rule).pixels.astype(np.float32)
    answers = np.asarray(model.predict(test, verbose=0)).argmax(axis=1)
    return int((answers == [picture.label for picture in pictures.test]).sum()), seconds


if __name__ == "__main__":
    main()
