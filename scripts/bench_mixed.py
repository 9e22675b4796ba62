"""The curve of mixed precision: agreement and SNR against latency, one row a cut, in both runtimes.

    python scripts/bench_mixed.py --weights mobilenet_2_5_224_tf.h5 --alpha 0.25 --rho 224 --images DIR

The files are real ones: 100 images calibrate them, others are scored, each in so many views (mirrored, corners), in
onnxruntime and LiteRT alike. Latency is the CPU time of one thread, measured interleaved: all files of a runtime in
turn, many times over, in rounds that open the files anew. A ratio to int8 is the median of those of the rounds.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion import passes, search, verify
from mobilenet_edge.conversion.mixture import Divider
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import facts
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.model import weights
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import held
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import partition
from mobilenet_edge.quantise.entry import grid as input_grid
from mobilenet_edge.quantise.solve import EFFORTS, solve
from mobilenet_edge.report.markdown_table import Column, grid

KINDS = ("tflite", "onnx")
# Pictures whose views are in memory at once.
CHUNK = 50
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
    return held(model).graph


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


def measure(files: Mapping[str, Files], runs: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Median CPU milliseconds of each round, by name and format; all files of a format take turns."""
    medians: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in KINDS} for name in files}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for kind in KINDS:
                for name, times in _round({name: data[kind] for name, data in files.items()}, kind, folder, runs):
                    medians[name][kind].append(statistics.median(times) / 1e6)
    return medians


def _round(files: Files, kind: str, folder: str, runs: int) -> Iterable[tuple[str, list[int]]]:
    paths = {name: Path(folder, f"{place}.{kind}") for place, name in enumerate(files)}
    calls = {name: _open(path, files[name]) for name, path in paths.items()}
    times: dict[str, list[int]] = {name: [] for name in calls}
    for turn in range(runs + 10):
        for name, call in calls.items():
            begin = time.thread_time_ns()
            call()
            times[name] += [time.thread_time_ns() - begin] if turn >= 10 else []
    return times.items()


def _open(path: Path, data: bytes) -> Callable[[], Any]:
    path.write_bytes(data)
    session = open_model(path, threads=1)
    tensor = session.inputs[0]
    noise = np.random.default_rng(0).uniform(-1, 1, tensor.shape).astype(tensor.dtype)
    return partial(session.run, [noise])


def score(
    variants: Mapping[str, Variant], graph: Graph, others: Array, views: int
) -> dict[str, tuple[list[float], float]]:
    """Agreement of each format on views of images, and the SNR of the logits in onnxruntime, by name."""
    same: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in variants}
    power: dict[str, list[tuple[Array, Array]]] = {name: [] for name in variants}
    for start in range(0, len(others), CHUNK):
        shown = search.look(others[start : start + CHUNK], views * CHUNK)
        logits, outputs = passes.outputs(graph, shown, [graph.logits, graph.output.name])
        for name, (whole, probe, least) in variants.items():
            answers = [verify.run_file(kind, whole[kind], shown).argmax(axis=1) for kind in KINDS]
            same[name].append(np.stack(answers) == outputs.argmax(axis=1))
            # What the grid cuts off from below, a softmax does not see.
            wanted = np.maximum(logits, np.float32(least))
            power[name].append((wanted, verify.run_file("onnx", probe["onnx"], shown)))
    return {
        name: (list(map(float, np.concatenate(same[name], axis=1).mean(axis=1))), _snr_db(power[name]))
        for name in variants
    }


def _snr_db(pairs: Sequence[tuple[Array, Array]]) -> float:
    wanted, found = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return scores.snr_db(*verify.comparable(Head.classes, wanted, found))


def takes_all(data: bytes) -> bool:
    """Whether XNNPACK is one delegate from the input of a .tflite file to its output."""
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_content=data, num_threads=1)
    model.allocate_tensors()
    delegates = [op for op in model._get_ops_details() if op["op_name"] == "DELEGATE"]
    ends = ({model.get_input_details()[0]["index"]}, {model.get_output_details()[0]["index"]})
    return len(delegates) == 1 and ends[0] <= set(delegates[0]["inputs"]) and ends[1] == set(delegates[0]["outputs"])


def conditions(load: Sequence[float]) -> str:
    """Name the machine, how busy it was, and the runtimes."""
    machine = facts.static()
    versions = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "ai-edge-litert"))
    return (
        f"{machine.get('cpu')}, {machine.get('cores')} cores ({', '.join(machine.get('isa', ()))}), load {load[0]:.1f} "
        f"before and {os.getloadavg()[0]:.1f} after, {versions}"
    )


def arguments() -> argparse.Namespace:
    data = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=str(data / "weights" / "mobilenet_2_5_224_tf.h5"))
    parser.add_argument("--alpha", type=float, default=0.25)
    parser.add_argument("--rho", type=int, default=224)
    parser.add_argument("--images", type=Path, default=data / "images")
    parser.add_argument("--limit", type=int, default=400, help="score at most so many images")
    parser.add_argument("--layers", type=int, nargs="*", help="numbers of float layers; all by default")
    parser.add_argument("--views", type=int, default=10, help="views of each scored image, at most 10")
    parser.add_argument("--runs", type=int, default=100, help="timed runs of each file in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--effort", choices=EFFORTS, default="fast")
    options = parser.parse_args()
    if not options.images.is_dir():
        sys.exit(f"{options.images} is not a folder; give --images DIR and --weights FILE, or set MNET_DATA")
    return options


def main() -> None:
    """Print the table."""
    options = arguments()
    spec, rule = ModelSpec(options.alpha, options.rho), Preprocess((options.rho, options.rho))
    graph = read_model(spec, options.weights)
    calibration, others = read_images(options.images, rule, options.limit)
    fronts = {cut: partition.split(graph, cut)[0] for cut in partition.cuts(graph)}
    layers = {cut: len(list(front.weighted())) for cut, front in fronts.items()}
    cuts = [cut for cut in fronts if not options.layers or layers[cut] in options.layers]
    made = quantise(graph, calibration, rule, cuts, options.effort)
    before = os.getloadavg()
    medians = measure({name: whole for name, (whole, *_) in made.items()}, options.runs, options.rounds)
    where = conditions(before)
    found = score(made, graph, others, options.views)
    rows = []
    for name, variant in made.items():
        agreements, snr_db = found[name]
        share = {"float32": 1.0, "int8": 0.0}.get(name) if name not in fronts else fronts[name].macs / graph.macs
        ratios = [
            statistics.median(own / base for own, base in zip(medians[name][kind], medians["int8"][kind], strict=True))
            for kind in KINDS
        ]
        rows.append([
            str(layers.get(name, name)), f"{share:.0%}", *(f"{each:.3f}" for each in agreements), f"{snr_db:.1f} dB",
            *(f"{each:.2f}" for each in ratios), f"{len(variant[0]['tflite']):,}",
        ])  # fmt: skip
    partly = [str(layers.get(name, name)) for name, (whole, *_) in made.items() if not takes_all(whole["tflite"])]
    int8 = ", ".join(f"{statistics.median(medians['int8'][kind]):.2f} ms .{kind}" for kind in KINDS)
    print(
        f"{spec.name}, {Path(options.weights).name}, {options.effort}: {len(calibration)} images calibrate, "
        f"{len(others)} others are scored in {options.views} views each; latency is relative to int8 ({int8}),\n"
        f"{options.rounds} rounds of {options.runs} runs; {where}.\n"
        f"XNNPACK takes all nodes of every .tflite file{' but ' + ', '.join(partly) if partly else ''}.\n"
    )
    print(grid(COLUMNS, rows))


if __name__ == "__main__":
    main()
