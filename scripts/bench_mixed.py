"""The curve of mixed precision: agreement and SNR against latency, one row a cut, in both runtimes.

    python scripts/bench_mixed.py --weights mobilenet_2_5_224_tf.h5 --alpha 0.25 --rho 224 --images DIR

The files are real ones: 100 images calibrate them, others are scored, in onnxruntime and LiteRT alike. Latency is
the CPU time of one thread, measured interleaved: all files of a runtime in turn, many times over. Read its ratios.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_edge.conversion import passes, verify
from mobilenet_edge.conversion.mixture import Divider
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.model import weights
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import partition
from mobilenet_edge.quantise.entry import grid as input_grid
from mobilenet_edge.quantise.solve import EFFORTS, solve
from mobilenet_edge.report.markdown_table import Column, grid

KINDS = ("tflite", "onnx")
COLUMNS = (
    Column("float layers"), Column("MACs"), *(Column(f"{kind} agreement") for kind in KINDS), Column("SNR"),
    *(Column(f"{kind} latency") for kind in KINDS), Column("tflite bytes"),
)  # fmt: skip
Files = Mapping[str, bytes]
# A whole file, the same without its softmax, and the lowest logit that its grid holds.
Variant = tuple[Files, Files, float]


def read_model(spec: ModelSpec, source: str) -> Graph:
    """Build a model with stored weights and fold it."""
    model = build(spec)
    weights.assign(model, weights.read(source, spec))
    return parse(keras_bytes(model), spec.name).graph


def read_images(folder: Path, rule: Preprocess, limit: int) -> tuple[Array, Array]:
    """Return 100 images of a folder, evenly spread, and at most `limit` others."""
    found = images.find(folder)
    chosen = images.spread(found, 100)
    others = images.spread([path for path in found if path not in set(chosen)], limit)
    calibration, scored = (prepare.scale(prepare.load(paths, rule).pixels, rule) for paths in (chosen, others))
    return calibration, scored


def quantise(graph: Graph, samples: Array, rule: Preprocess, cuts: Sequence[str], effort: str) -> dict[str, Variant]:
    """Make the files of float32, int8 and every cut, by name."""
    entry, options = input_grid(rule), EFFORTS[effort]
    int8 = solve(graph, samples, options, entry=entry, engine=passes.choose())
    in_tflite = partial(tflite.int8_tflite, io="float32")
    found: dict[str, Variant] = {
        "float32": _variant(tflite.float_tflite, onnx.float_onnx, graph, graph.cut_at_logits(), -math.inf),
        "int8": _variant(in_tflite, onnx.int8_onnx, int8, int8.logits(), int8.least_logit),
    }
    divider = Divider(graph, Samples(samples, "images"), options, entry)
    for cut in cuts:
        mixed = divider.at(cut)
        least = mixed.rest.least_logit
        found[cut] = _variant(tflite.mixed_tflite, onnx.mixed_onnx, mixed, mixed.logits(), least)
    return found


def _variant(
    in_tflite: Callable[[Any], bytes], in_onnx: Callable[[Any], bytes], whole: Any, logits: Any, least: float
) -> Variant:
    files, probe = ({"tflite": in_tflite(part), "onnx": in_onnx(part)} for part in (whole, logits))
    return files, probe, least


def measure(files: Mapping[str, Files], runs: int) -> dict[str, dict[str, float]]:
    """Median CPU milliseconds by name and format; all files of a format take turns."""
    medians: dict[str, dict[str, float]] = {name: {} for name in files}
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            calls = {name: _open(Path(folder, f"{place}.{kind}"), data[kind]) for place, (name, data) in
                     enumerate(files.items())}  # fmt: skip
            times: dict[str, list[int]] = {name: [] for name in calls}
            for turn in range(runs + 10):
                for name, call in calls.items():
                    begin = time.thread_time_ns()
                    call()
                    times[name] += [time.thread_time_ns() - begin] if turn >= 10 else []
            for name, values in times.items():
                medians[name][kind] = statistics.median(values) / 1e6
    return medians


def _open(path: Path, data: bytes) -> Callable[[], Any]:
    path.write_bytes(data)
    session = open_model(path, threads=1)
    tensor = session.inputs[0]
    noise = np.random.default_rng(0).uniform(-1, 1, tensor.shape).astype(tensor.dtype)
    return partial(session.run, [noise])


def score(variant: Variant, others: Array, wanted: Sequence[Array]) -> tuple[list[float], float]:
    """Agreement of each format on images, and the SNR of the logits."""
    (whole, probe, least), (logits, outputs) = variant, wanted
    agreements = []
    for kind in KINDS:
        found = verify.run_file(kind, whole[kind], others)
        agreements.append(float((found.argmax(axis=1) == outputs.argmax(axis=1)).mean()))
    found = verify.run_file("onnx", probe["onnx"], others)
    # What the grid cuts off from below, a softmax does not see.
    return agreements, scores.snr_db(*verify.comparable(Head.classes, np.maximum(logits, np.float32(least)), found))


def main() -> None:
    """Print the table."""
    data = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=str(data / "weights" / "mobilenet_2_5_224_tf.h5"))
    parser.add_argument("--alpha", type=float, default=0.25)
    parser.add_argument("--rho", type=int, default=224)
    parser.add_argument("--images", type=Path, default=data / "images")
    parser.add_argument("--limit", type=int, default=400, help="score at most so many images")
    parser.add_argument("--layers", type=int, nargs="*", help="numbers of float layers; all by default")
    parser.add_argument("--runs", type=int, default=200, help="timed runs of each file")
    parser.add_argument("--effort", choices=EFFORTS, default="fast")
    options = parser.parse_args()
    if not options.images.is_dir():
        sys.exit(f"{options.images} is not a folder; give --images DIR and --weights FILE, or set MNET_DATA")
    spec, rule = ModelSpec(options.alpha, options.rho), Preprocess((options.rho, options.rho))
    graph = read_model(spec, options.weights)
    calibration, others = read_images(options.images, rule, options.limit)
    wanted = passes.outputs(graph, others, [graph.logits, graph.output.name])
    fronts = {cut: partition.split(graph, cut)[0] for cut in partition.cuts(graph)}
    layers = {cut: len(list(front.weighted())) for cut, front in fronts.items()}
    cuts = [cut for cut in fronts if not options.layers or layers[cut] in options.layers]
    made = quantise(graph, calibration, rule, cuts, options.effort)
    medians = measure({name: whole for name, (whole, *_) in made.items()}, options.runs)
    rows = []
    for name, variant in made.items():
        agreements, snr_db = score(variant, others, wanted)
        share = {"float32": 1.0, "int8": 0.0}.get(name) if name not in fronts else fronts[name].macs / graph.macs
        ratios = [medians[name][kind] / medians["int8"][kind] for kind in KINDS]
        rows.append([
            str(layers.get(name, name)), f"{share:.0%}", *(f"{each:.3f}" for each in agreements), f"{snr_db:.1f} dB",
            *(f"{each:.2f}" for each in ratios), f"{len(variant[0]['tflite']):,}",
        ])  # fmt: skip
    print(
        f"{spec.name}, {Path(options.weights).name}, {options.effort}: 100 images calibrate, {len(others)} others are"
    )
    int8 = ", ".join(f"{medians['int8'][kind]:.2f} ms .{kind}" for kind in KINDS)
    print(f"scored; latency is relative to int8 ({int8})\n")
    print(grid(COLUMNS, rows))


if __name__ == "__main__":
    main()
