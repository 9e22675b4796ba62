"""From a Keras model in memory to float32 and int8 files in both formats: mnet against the usual road.

The usual road: TFLiteConverter.from_keras_model twice, model.export(format="onnx"), quant_pre_process and
quantize_static. Both roads are given the same model and the same calibration images; every run is a process of its own,
the two roads in turn. Time starts when the model is in memory and what either road imports is imported. Of the images
mnet keeps a fifth to check its files on, and does so.

    python scripts/bench_export.py --alpha 0.5 --rho 160 --images 100 --runs 3

With --pictures whole processes are timed, from a .keras file and a folder: `mnet export` against a script that imports
TensorFlow, loads the model, decodes the pictures with Pillow and takes the usual road.

    python scripts/bench_export.py --alpha 0.25 --rho 224 --pictures ../shared/data/images
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np


def ours(model: Any, samples: np.ndarray, out: Path) -> None:
    from mobilenet_edge.conversion import pipeline

    pipeline.run(model, calibrate=samples, formats=("tflite", "onnx"), precisions=("float32", "int8"), out=out)


def usual(model: Any, samples: np.ndarray, out: Path) -> None:
    import tensorflow as tf
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter(samples)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self.images, None)
            return None if image is None else {name: image[None]}

    (out / "float32.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (out / "int8.tflite").write_bytes(converter.convert())
    model.export(str(out / "float32.onnx"), format="onnx", verbose=False)
    import onnx

    name = onnx.load(out / "float32.onnx").graph.input[0].name
    quant_pre_process(str(out / "float32.onnx"), str(out / "prepared.onnx"))
    quantize_static(str(out / "prepared.onnx"), str(out / "int8.onnx"), Reader(), per_channel=True)


PACKAGES = (
    "ai_edge_litert.interpreter", "onnx", "onnxruntime.quantization", "tf2onnx", "mobilenet_edge.conversion.pipeline",
)  # fmt: skip
ROADS = {"mnet": ours, "usual": usual}


def from_memory(road: str, options: argparse.Namespace) -> None:
    """Run one road and print what it took; the roads' own chatter goes to stderr."""
    from mobilenet_edge.model.build import build
    from mobilenet_edge.model.spec import ModelSpec
    from mobilenet_edge.quantise import synthetic

    for package in PACKAGES:
        importlib.import_module(package)
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        model = build(ModelSpec(options.alpha, options.rho))
        samples = synthetic.images(options.images, (options.rho, options.rho, 3))
        # Else either road may have to pay for a collection of what was imported, a fifth of a second.
        gc.collect()
        gc.freeze()
        begin = time.perf_counter()
        ROADS[road](model, samples, Path(folder))
        seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def usual_from_files(path: Path, pictures: Path, count: int) -> None:
    """Take the usual road as a script of its own would."""
    import keras
    from PIL import Image

    model = keras.models.load_model(path)
    side = model.input_shape[1]
    files = sorted(each for each in pictures.rglob("*") if each.suffix.lower() in (".jpg", ".jpeg", ".png"))
    opened = (Image.open(each).convert("RGB").resize((side, side)) for each in files[:: max(1, len(files) // count)])
    samples = np.stack([np.asarray(each, np.float32) / 127.5 - 1 for each in itertools.islice(opened, count)])
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        usual(model, samples, Path(folder))


def measured(command: list[str]) -> dict[str, float]:
    """Run a process; return what it prints of itself, or how long it took as a whole."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    stdout, stderr = process.communicate()
    seconds = time.perf_counter() - begin
    if process.returncode:
        last = stderr.strip().splitlines()[-1:] or [f"ended with {process.returncode}"]
        sys.exit(f"{' '.join(command)}: {last[0]}")
    lines = stdout.strip().splitlines()
    if lines and lines[-1].startswith("{"):
        return dict(json.loads(lines[-1]))
    return {"seconds": seconds}


def commands(options: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """Return the process of each road."""
    variant = [f"--alpha={options.alpha}", f"--rho={options.rho}"]
    again = [sys.executable, __file__, f"--images={options.images}", *variant]
    if options.pictures is None:
        return {road: [*again, "--road", road] for road in ROADS}
    mnet = [sys.executable, "-m", "mobilenet_edge"]
    measured([*mnet, "build", *variant, "--out", str(folder)])
    (model,) = folder.glob("*.keras")
    export = [*mnet, "export", str(model), "--calibrate", str(options.pictures), f"--count={options.images}"]
    return {
        "mnet": [*export, "--out", str(folder / "out")],
        "usual": [*again, "--model", str(model), "--pictures", str(options.pictures)],
    }


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    from mobilenet_edge.errors import UsageError
    from mobilenet_edge.model.spec import ModelSpec

    for name in ("images", "runs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    try:
        ModelSpec(options.alpha, options.rho)
    except UsageError as error:
        parser.error(str(error))


def main() -> None:
    """Run the roads in turn and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--rho", type=int, default=160)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="time whole processes on the pictures of this folder")
    parser.add_argument("--road", choices=ROADS, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    _check(parser, options)
    if options.road:
        from_memory(options.road, options)
        return
    if options.model:
        usual_from_files(options.model, options.pictures, options.images)
        return
    figures: dict[str, list[dict[str, float]]] = {road: [] for road in ROADS}
    with tempfile.TemporaryDirectory() as folder:
        roads = commands(options, Path(folder))
        for _ in range(options.runs):
            for road, command in roads.items():
                found = measured(command)
                figures[road].append(found)
                peak = f"  peak {found['peak_mb']:6.0f} MB" if "peak_mb" in found else ""
                print(f"{road:6} {found['seconds']:6.2f} s{peak}", flush=True)
    medians = {
        road: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for road, runs in figures.items()
    }
    ratios = [slow["seconds"] / fast["seconds"] for fast, slow in zip(figures["mnet"], figures["usual"], strict=True)]
    print(
        f"a{options.alpha} r{options.rho}, {options.images} images, {options.runs} runs of each in turn: "
        f"usual {medians['usual']['seconds']:.1f} s, mnet {medians['mnet']['seconds']:.2f} s, "
        f"{statistics.median(ratios):.1f}x faster ({min(ratios):.1f} to {max(ratios):.1f})"
        + ("" if options.pictures else "; peak memory {:.0f} MB and {:.0f} MB".format(
            medians["usual"]["peak_mb"], medians["mnet"]["peak_mb"]
        ))
    )  # fmt: skip


if __name__ == "__main__":
    main()
