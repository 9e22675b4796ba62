"""What tuning integers (`mnet train --qat`) is worth, beside post-training int8 of both efforts.

Two models of alpha 0.25 with Keras's weights: a head of eight classes on real pictures, a third of which judges, and
the thousand classes themselves, tuned on 320 labelled pictures, with 80 that choose the epoch and 100 that judge in ten
views each. The integers before tuning are those of effort fast.

    MNET_DATA=DIR python scripts/bench_qat.py --rho 224 --splits 3
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bench_train
import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.paired import Paired
from mobilenet_edge.conversion import passes
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Dataset, Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation import scores
from mobilenet_edge.formats.tflite.write import int8_tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import outputs
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.solve import EFFORTS, solve
from mobilenet_edge.training import crops, qat, recipe, tune

VIEWS = 10


def main() -> None:
    """Print a block for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rho", type=int, default=224)
    parser.add_argument("--splits", type=int, default=3)
    options = parser.parse_args()
    data = Path(os.environ.get("MNET_DATA", bench_train.SHARED / "data"))
    weights, cases = data / "weights" / "mobilenet_2_5_224_tf.h5", bench_train.SHARED / "cases" / "own_classes.py"
    if not (weights.is_file() and cases.is_file()):
        sys.exit(f"skipped: no {weights} or no {cases}; set MNET_DATA")
    rule = Preprocess((options.rho, options.rho))
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, cases, data, place], check=True, stdout=subprocess.DEVNULL)
        for seed in range(options.splits):
            pictures = bench_train.split(Path(place), seed)
            spec = ModelSpec(0.25, options.rho, len(pictures.classes))
            model = recipe.train(spec, pictures, rule, weights=str(weights), options=tune.Options(epochs=0)).model
            compare(f"eight classes, split {seed}", model, pictures, rule, views=1)
    spec = ModelSpec(0.25, options.rho)
    model = build(spec)
    sources.assign(model, sources.read(str(weights), spec))
    compare("a thousand classes", model, thousand(data), rule, views=VIEWS)


def thousand(data: Path) -> Dataset:
    """Divide the pictures of ImageNet's classes: of five, one judges, and of the others one in five chooses."""
    synsets = [line.split()[0] for line in (data / "labels.txt").read_text().splitlines()]
    pictures = [
        Picture(path, synsets.index(path.parent.name), path.stem) for path in sorted(images.find(data / "images"))
    ]
    others = [picture for index, picture in enumerate(pictures) if index % 5]
    return Dataset(
        data / "images",
        tuple(synsets),
        train=tuple(picture for index, picture in enumerate(others) if index % 5),
        validation=tuple(others[::5]),
        test=tuple(pictures[::5]),
    )


def compare(title: str, model: Any, pictures: Dataset, rule: Preprocess, *, views: int) -> None:
    """Print accuracy, agreement and SNR of the float model and of three int8 ones, and the McNemar tests."""
    graph = parse(keras_bytes(model), "bench").graph
    inputs, labels = judging(pictures, rule, views)
    wanted = outputs(graph, inputs, (graph.logits,))[0]
    print(f"{title}: {len(pictures.train)} train, {len(pictures.test)} judge in {views} views", flush=True)
    found: dict[str, NDArray[np.bool_]] = {}
    for name, (quantised, seconds) in candidates(graph, model, pictures, rule).items():
        logits = wanted if quantised is None else answers(quantised, inputs)
        found[name] = logits.argmax(axis=1) == labels
        line = f"  {name:8} {found[name].mean():.3f} right"
        if quantised is not None:
            reference = np.maximum(wanted, quantised.least_logit)
            agreement = (logits.argmax(axis=1) == wanted.argmax(axis=1)).mean()
            line += f", agreement {agreement:.3f}, {centred_snr(reference, logits):.1f} dB, {seconds:.0f} s"
        print(line, flush=True)
    for name in ("fast", "best"):
        gained, lost = (int((found[a] & ~found[b]).sum()) for a, b in (("qat", name), (name, "qat")))
        print(
            f"  qat against {name}: {gained} gained, {lost} lost, p = {Paired(len(labels), gained, lost).p_value:.2f}"
        )


def candidates(
    graph: Graph, model: Any, pictures: Dataset, rule: Preprocess
) -> Mapping[str, tuple[QuantisedGraph | None, float]]:
    """Quantise in three ways: integers and seconds of each."""
    chosen = images.spread(pictures.train, qat.CALIBRATION)
    calibration = prepare.scale(prepare.load([picture.path for picture in chosen], rule).pixels, rule)
    made: dict[str, tuple[QuantisedGraph | None, float]] = {"float32": (None, 0.0)}
    for effort, options in EFFORTS.items():
        begin = time.monotonic()
        made[effort] = solve(graph, calibration, options, engine=passes.choose()), time.monotonic() - begin
    before, _ = made["fast"]
    assert before is not None
    begin = time.monotonic()
    tuned = qat.tune_integers(before, model, pictures, rule, 0)
    made["qat"] = tuned.quantised, time.monotonic() - begin
    return made


def judging(pictures: Dataset, rule: Preprocess, views: int) -> tuple[Array, NDArray[Any]]:
    """Load the pictures that judge, the centre and random crops of each."""

    def of(picture: Picture) -> Iterator[crops.View]:
        yield crops.CENTRE
        yield from list(crops.of_training(picture, views - 1, 0))[2:]

    pixels = [view.pixels(images.decode(picture.path), rule) for picture in pictures.test for view in of(picture)]
    labels = np.repeat([picture.label for picture in pictures.test], views)
    return prepare.scale(np.stack(pixels), rule), labels


def answers(quantised: QuantisedGraph, inputs: Array) -> Array:
    """Logits of the .tflite file in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=int8_tflite(quantised.logits(), io="float32"))
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for tensor in inputs:
        interpreter.set_tensor(source, tensor[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(target)[0])
    return np.stack(found)


def centred_snr(wanted: Array, found: Array) -> float:
    """Of logits, without what all classes share."""
    return scores.snr_db(*(each - each.mean(axis=1, keepdims=True) for each in (wanted, found)))


if __name__ == "__main__":
    main()
