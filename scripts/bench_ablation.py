"""What each part of the int8 quantiser is worth: each row adds one, on images that did not calibrate.

    python scripts/bench_ablation.py --weights mobilenet_2_5_224_tf.h5 --alpha 0.25 --rho 224 --images DIR

Rows share the model and the images; accuracy is that of the int8 ONNX file in onnxruntime. With Keras's weights, 100
images to calibrate and 400 to score (standard error of an agreement .013, so go by the SNR of the latter):

    quantiser                                      SNR calibration   SNR others   agreement
    round to nearest, match the mean                       22.5 dB      22.6 dB        .907
    + error feedback                                       23.8 dB      23.6 dB        .922
    + least squares, the same ridge everywhere             34.7 dB      22.2 dB        .902
    + ridge and damping by independent samples             26.0 dB      24.7 dB        .922
    + early channels equalised and duplicated ("fast")     28.0 dB      26.8 dB        .950
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.evaluation import scores
from mobilenet_edge.formats.onnx.write import int8_onnx
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import outputs
from mobilenet_edge.model import weights
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import held
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.solve import EFFORTS, Options, solve
from mobilenet_edge.report.markdown_table import Column, grid

NEVER = (1e9, 1e9)  # a ridge or damping so firm that nothing moves
ROWS = {
    "round to nearest, match the mean": Options(ridge=NEVER, damping=NEVER, looked_at=0),
    "+ error feedback": Options(ridge=NEVER, damping=(0.0, 0.01), looked_at=0),
    "+ least squares, the same ridge everywhere": Options(ridge=(0.0, 0.05), damping=(0.0, 0.01), looked_at=0),
    "+ ridge and damping by independent samples": Options(looked_at=0),
    "+ early channels equalised and duplicated (fast)": EFFORTS["fast"],
    "fast, sums of two products not limited": Options(pairs=False),
    "fast, first block widened": Options(width=16),
    "best": EFFORTS["best"],
}
COLUMNS = (Column("quantiser", True), Column("SNR calibration"), Column("SNR others"), Column("agreement"), Column("s"))


def logits(quantised: QuantisedGraph, samples: Array) -> Array:
    """Run the int8 file, without its softmax, on images."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(int8_onnx(quantised.logits()))
        session = open_model(path, threads=1)
        return np.concatenate([session.run([image.transpose(2, 0, 1)[None]])[0] for image in samples])


def snr(wanted: Array, found: Array) -> float:
    """Of logits, without what all classes share."""
    return scores.snr_db(*(each - each.mean(axis=1, keepdims=True) for each in (wanted, found)))


def row(name: str, options: Options, graph: Graph, calibration: Array, others: Array, wanted: list[Array]) -> list[str]:
    """Quantise and measure."""
    begin = time.perf_counter()
    made = solve(graph, calibration, options)
    seconds = time.perf_counter() - begin
    seen, unseen = logits(made, calibration), logits(made, others)
    wanted = [np.maximum(each, made.least_logit) for each in wanted]  # what the softmax does not see is cut off
    agreement = (unseen.argmax(axis=1) == wanted[1].argmax(axis=1)).mean()
    return [
        name,
        f"{snr(wanted[0], seen):.1f} dB",
        f"{snr(wanted[1], unseen):.1f} dB",
        f"{agreement:.3f}",
        f"{seconds:.1f}",
    ]


def main() -> None:
    """Print the table."""
    data = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=str(data / "weights" / "mobilenet_2_5_224_tf.h5"))
    parser.add_argument("--alpha", type=float, default=0.25)
    parser.add_argument("--rho", type=int, default=224)
    parser.add_argument("--images", type=Path, default=data / "images")
    parser.add_argument("--limit", type=int, default=400, help="score at most so many images")
    options = parser.parse_args()
    if not options.images.is_dir():
        sys.exit(f"{options.images} is not a folder; give --images DIR and --weights FILE, or set MNET_DATA")
    spec = ModelSpec(options.alpha, options.rho)
    model = build(spec)
    weights.assign(model, weights.read(options.weights, spec))
    graph = held(model).graph
    found = images.find(options.images)
    rule, chosen = Preprocess((spec.resolution, spec.resolution)), set(images.spread(found, 100))
    calibration = prepare.scale(prepare.load_folder(options.images, rule, 100).pixels, rule)
    held_out = images.spread([path for path in found if path not in chosen], options.limit)
    others = np.stack([image for _, image in prepare.tensors(held_out, rule) if image is not None])
    wanted = [outputs(graph, each, (graph.logits,))[0] for each in (calibration, others)]
    print(f"{spec.name}, {Path(options.weights).name}: 100 images calibrate, {len(others)} others are scored\n")
    print(grid(COLUMNS, [row(name, how, graph, calibration, others, wanted) for name, how in ROWS.items()]))


if __name__ == "__main__":
    main()
