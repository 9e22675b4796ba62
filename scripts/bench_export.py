"""From a Keras model in memory to float32 and int8 files in both formats: mnet against the usual road.

The usual road: TFLiteConverter.from_keras_model twice, model.export(format="onnx"), quant_pre_process and
quantize_static. Both roads are given the same model and the same calibration images; every run is a process of its own,
the two roads in turn. Time starts when the model is in memory and what either road imports is imported. Of the images
mnet keeps a fifth to check its files on, and does so.

    python scripts/bench_export.py --alpha 0.5 --rho 160 --images 100 --runs 3
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
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


def child(road: str, alpha: float, rho: int, count: int) -> None:
    """Run one road and print what it took; the roads' own chatter goes to stderr."""
    from mobilenet_edge.model.build import build
    from mobilenet_edge.model.spec import ModelSpec
    from mobilenet_edge.quantise import synthetic

    for package in PACKAGES:
        importlib.import_module(package)
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        model = build(ModelSpec(alpha, rho))
        samples = synthetic.images(count, (rho, rho, 3))
        # Else either road may have to pay for a collection of what was imported, a fifth of a second.
        gc.collect()
        gc.freeze()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.perf_counter()
        ROADS[road](model, samples, Path(folder))
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mb": peak / 1024, "before_mb": before / 1024}))


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
    parser.add_argument("--road", choices=ROADS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    _check(parser, options)
    if options.road:
        child(options.road, options.alpha, options.rho, options.images)
        return
    figures: dict[str, list[dict[str, float]]] = {road: [] for road in ROADS}
    for _ in range(options.runs):
        for road, found in figures.items():
            command = [sys.executable, __file__, "--road", road, f"--alpha={options.alpha}", f"--rho={options.rho}"]
            done = subprocess.run(
                [*command, f"--images={options.images}"],
                capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, check=False,
            )  # fmt: skip
            if done.returncode:
                last = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
                sys.exit(f"{road}: {last[0]}")
            found.append(json.loads(done.stdout))
            print(f"{road:6} {found[-1]['seconds']:6.2f} s  peak {found[-1]['peak_mb']:6.0f} MB", flush=True)
    medians = {
        road: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for road, runs in figures.items()
    }
    ratios = [slow["seconds"] / fast["seconds"] for fast, slow in zip(figures["mnet"], figures["usual"], strict=True)]
    print(
        f"a{options.alpha} r{options.rho}, {options.images} images, {options.runs} runs of each in turn: "
        f"usual {medians['usual']['seconds']:.1f} s, mnet {medians['mnet']['seconds']:.1f} s, "
        f"{statistics.median(ratios):.1f}x faster ({min(ratios):.1f} to {max(ratios):.1f}); "
        f"peak memory {medians['usual']['peak_mb']:.0f} MB and {medians['mnet']['peak_mb']:.0f} MB"
    )


if __name__ == "__main__":
    main()
