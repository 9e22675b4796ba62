"""int8 files on real weights and images: mnet's beside what the usual roads make of the same model, in one run.

Accuracy is that of the runtimes themselves, on the images that did not calibrate; latency is measured as by
`mnet profile`, all files in turn. Without --weights: Keras's own 0.25/224 and two more, from the folder MNET_DATA
(default ../shared/data), which holds the images too; where there is no such folder the script says so and stops.
A peer whose package is not installed has a row that says so; mnet itself never needs litert-quantizer.

    python scripts/bench_int8.py --weights mine.h5 --alpha 0.5 --rho 160 --images DIR --labels labels.txt
    python scripts/bench_int8.py --weights v2.h5 --family mobilenet_v2 --alpha 0.35 --rho 128 --crops 10
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import logging
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.data import folders, images, labels, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import streams
from mobilenet_edge.device.faults import first_line
from mobilenet_edge.device.runtimes import open_model
from mobilenet_edge.errors import MnetError
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.onnx.write import float_onnx
from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import FAMILIES, ModelSpec
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.quantise.solve import EFFORTS
from mobilenet_edge.records import Profile
from mobilenet_edge.report import hardware, markdown_table

DATA: Final = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
VARIANTS: Final = {
    "mobilenet_2_5_224_tf.h5": (0.25, 224),
    "mobilenet_2_5_128_tf.h5": (0.25, 128),
    "mobilenet_5_0_160_tf.h5": (0.5, 160),
}
TOOLS: Final = (
    "numpy", "onnxruntime", "ai-edge-litert", "tensorflow-cpu", "tensorflow", "keras", "tf2onnx", "litert-quantizer",
)  # fmt: skip
# Right on every CPU and the default of nobody: what a fast file must not lose to.
EXACT: Final = "folded ONNX, quantize_static U8U8 per channel"
STOCK: Final = "TFLiteConverter.from_keras_model"
COLUMNS: Final = (
    markdown_table.Column("file", True),
    markdown_table.Column("format", True),
    markdown_table.Column("top-1"),
    markdown_table.Column("agreement"),
    markdown_table.Column("SNR"),
    markdown_table.Column("KL"),
    markdown_table.Column("bytes"),
    markdown_table.Column("over floor"),
    markdown_table.Column("median ms"),
    markdown_table.Column("of peer's"),
)


NOTHING: Final = np.empty((0, 1), np.float32)
# Half a step of an 8-bit softmax: what a probability that a file rounds to 0 counts as.
LEAST: Final = 1 / 512
# Sides of the pictures that crops are cut out of, of those of the model.
WIDER: Final = 8 / 7
# Layers that the debugger of TensorFlow leaves in float: those with the largest error, as its guide does.
FALLBACK: Final = 5


class Images(NamedTuple):
    """What calibrates and what scores.

    Attributes:
        folder: Of all of them.
        rule: How pixels become the input.
        calibrating: float32 (n, side, side, 3).
        scoring: uint8 (m, side, side, 3).
        truth: Class index (m,) of the latter.
    """

    folder: Path
    rule: Preprocess
    calibrating: NDArray[np.float32]
    scoring: NDArray[np.uint8]
    truth: NDArray[np.intp]


class Kit(NamedTuple):
    """What every road starts from."""

    path: Path
    model: Any
    float_onnx: Path
    samples: NDArray[np.float32]


class Row(NamedTuple):
    """One file and the probabilities it gives (n, classes); where a peer made none, why."""

    title: str
    format: str
    path: Path | None
    outputs: NDArray[np.float32]
    reason: str = ""

    @property
    def answers(self) -> NDArray[np.intp]:
        """First answers (n, 1)."""
        return scores.top_k(self.outputs, 1)


def stock(kit: Kit, out: Path) -> None:
    import tensorflow as tf

    converter = _converter(kit)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    out.write_bytes(converter.convert())


def fallback(kit: Kit, out: Path) -> None:
    """Leave the layers in float whose error is largest in steps of their grid, as TensorFlow's guide does."""
    import tensorflow as tf

    images = kit.samples[:: max(1, len(kit.samples) // 10)]
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=_converter(kit), debug_dataset=lambda: ([image[None]] for image in images)
    )
    debugger.run()
    dump = io.StringIO()
    debugger.layer_statistics_dump(dump)
    lines = csv.DictReader(io.StringIO(dump.getvalue()))
    errors = {line["tensor_name"]: float(line["mean_squared_error"]) ** 0.5 / float(line["scale"]) for line in lines}
    worst = sorted(errors, key=lambda name: errors[name], reverse=True)[:FALLBACK]
    debugger.options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=worst)
    out.write_bytes(debugger.get_nondebug_quantized_model())


def _converter(kit: Kit) -> Any:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(kit.model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in kit.samples)
    return converter


def recipe(kit: Kit, out: Path) -> None:
    """Follow litert-quantizer's recipe static_wi8_ai8 on TFLiteConverter's float file, whose signature it needs.

    Its GPTQ (version 0.11) is for dense layers alone.
    """
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter
    from litert_quantizer import quantizer
    from litert_quantizer import recipe as recipes

    source = out.with_suffix(".float.tflite")
    source.write_bytes(tf.lite.TFLiteConverter.from_keras_model(kit.model).convert())
    ((signature, ends),) = Interpreter(str(source)).get_signature_list().items()
    samples = {signature: [{ends["inputs"][0]: image[None]} for image in kit.samples]}
    tool = quantizer.Quantizer(str(source), recipes.static_wi8_ai8())
    out.write_bytes(tool.quantize(tool.calibrate(samples)).quantized_model)


def exported(kit: Kit, out: Path) -> None:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    raw, prepared = out.with_suffix(".raw.onnx"), out.with_suffix(".prepared.onnx")
    kit.model.export(str(raw), format="onnx", verbose=False)
    quant_pre_process(str(raw), str(prepared))
    static(prepared, kit.samples, out)


def folded(
    kit: Kit, out: Path, weights: str, reduce_range: bool = False, method: str = "MinMax", **extra: float
) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantType

    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType[weights]}
    more = {"calibrate_method": CalibrationMethod[method], "extra_options": extra}
    static(kit.float_onnx, kit.samples, out, per_channel=True, reduce_range=reduce_range, **types, **more)


def static(source: Path, samples: NDArray[np.float32], out: Path, **options: Any) -> None:
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    tensor = open_model(source).inputs[0]
    taken = ImageInput(source.name, tensor.shape, tensor.dtype)

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter(samples)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            image = next(self.images, None)
            return None if image is None else {tensor.name: taken.fill(image)}

    quantize_static(str(source), str(out), Reader(), **options)


PEERS: Final[dict[str, tuple[str, Callable[[Kit, Path], None]]]] = {
    STOCK: ("tflite", stock),
    f"TFLiteConverter, debugger, {FALLBACK} layers in float": ("tflite", fallback),
    "litert-quantizer, static_wi8_ai8": ("tflite", recipe),
    "Keras export, quantize_static as it comes": ("onnx", exported),
    "folded ONNX, quantize_static U8S8 per channel": ("onnx", partial(folded, weights="QInt8")),
    "folded ONNX, quantize_static U8S8 reduce_range": ("onnx", partial(folded, weights="QInt8", reduce_range=True)),
    EXACT: ("onnx", partial(folded, weights="QUInt8")),
    "folded ONNX, quantize_static U8S8 entropy": ("onnx", partial(folded, weights="QInt8", method="Entropy")),
    "folded ONNX, quantize_static U8S8 percentile": (
        "onnx", partial(folded, weights="QInt8", method="Percentile", CalibPercentile=99.999),
    ),
}  # fmt: skip
BASES: Final = {PEERS[title][0]: title for title in (STOCK, EXACT)}


def load(options: argparse.Namespace, rho: int) -> Images:
    """Decode the images once; those that calibrate are the ones that `mnet export --calibrate` takes."""
    place = folders.locate(options.images)
    folder = place.folder
    found = images.find(folder)
    named = options.labels or place.labels
    known = labels.read(named) if named else folders.of_folders(folder, _names(folder, found))
    calibrating = images.spread(found, options.calibrate)
    chosen = images.spread([path for path in found if path not in set(calibrating)], options.limit)
    if not chosen:
        sys.exit(f"all {len(found)} images of {folder} calibrate, and none is left to score; lower --calibrate")
    rule = Preprocess((rho, rho))
    scoring = prepare.load(chosen, rule)
    truth = np.array(folders.match(folder, _names(folder, scoring.used), known))
    return Images(
        folder,
        rule,
        prepare.scale(prepare.load_folder(folder, rule, options.calibrate).pixels, rule),
        np.concatenate([scoring.pixels, crops(scoring.used, rule, options.crops - 1)]),
        np.concatenate([truth, truth.repeat(options.crops - 1)]),
    )


def crops(paths: Sequence[Path], rule: Preprocess, count: int) -> NDArray[np.uint8]:
    """Cut `count` random crops out of each picture, half of them mirrored: (n * count, side, side, 3)."""
    generator = np.random.default_rng(0)
    height, width = rule.size
    if count == 0:
        return np.empty((0, height, width, 3), np.uint8)
    wider = prepare.load(paths, replace(rule, size=(round(height * WIDER), round(width * WIDER)), crop=1.0)).pixels

    def cut(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        top, left = (
            int(generator.integers(0, whole - part + 1))
            for whole, part in zip(picture.shape[:2], rule.size, strict=True)
        )
        return picture[top : top + height, left : left + width, :][:, :: int(generator.choice((-1, 1)))]

    return np.stack([cut(picture) for picture in wider for _ in range(count)])


def _names(folder: Path, paths: Iterable[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def outputs(path: Path, given: Images) -> NDArray[np.float32]:
    """Return the probabilities that a file gives for each image that scores, (n, classes)."""
    session = open_model(path)
    tensor, result = session.inputs[0], session.outputs[0]
    feed = ImageInput(path.name, tensor.shape, tensor.dtype, tensor.scale, tensor.zero_point)
    raw = (session.run([feed.fill(prepare.scale(image, given.rule))])[0] for image in given.scoring)
    found = np.concatenate(list(raw)).astype(np.float32)
    return found if result.scale is None else (found - (result.zero_point or 0)) * np.float32(result.scale)


def signal_to_noise_db(outputs: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Compare probabilities (n, classes) with those of the float model."""
    noise = float(((outputs - reference) ** 2).sum())
    return math.inf if noise == 0 else 10 * math.log10(float((reference**2).sum()) / noise)


def divergence_nats(outputs: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Return the mean Kullback-Leibler divergence of probabilities (n, classes) from those of the float model."""
    one, other = (np.maximum(each, LEAST) for each in (reference, outputs))
    one, other = (each / each.sum(axis=1, keepdims=True) for each in (one, other))
    return float((one * np.log(one / other)).sum(axis=1).mean())


def ours(kit: Kit, given: Images, options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Export with each effort."""
    for effort in options.effort:
        files = export.run(
            kit.path, precisions=["int8"], calibrate=str(given.folder), count=options.calibrate, target=options.target,
            effort=effort, out=folder / effort,
        )  # fmt: skip
        for each in files:
            yield Row(f"mnet, {effort}", each.format, each.path, outputs(each.path, given))


def peers(kit: Kit, given: Images, folder: Path) -> Iterator[Row]:
    """Take the usual roads; one that ends in an error is a row too."""
    for number, (title, (kind, make)) in enumerate(PEERS.items()):
        out = folder / f"peer{number}.{kind}"
        print(f"{title} ...", file=sys.stderr)
        try:
            with streams.quiet(), contextlib.redirect_stdout(sys.stderr):
                make(kit, out)
            yield Row(title, kind, out, outputs(out, given))
        except ModuleNotFoundError as error:
            yield Row(title, kind, None, NOTHING, f"not installed ({error.name})")
        except Exception as error:  # noqa: BLE001 - whatever a peer raises is what its row says
            yield Row(title, kind, None, NOTHING, f"{type(error).__name__}: {first_line(error, 80)}")


def rows(spec: ModelSpec, given: Images, options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield the float files, the peers' and ours; the first is what the others have to agree with."""
    import onnx
    import onnx.version_converter

    from mobilenet_edge.model.oracle import load
    from mobilenet_edge.model.read import read

    model = creation.create(spec, weights=str(options.weights), out=folder)
    floats = {each.format: each for each in export.run(model.path, precisions=["float32"], out=folder)}
    for kind, each in floats.items():
        yield Row("mnet, float32", kind, each.path, outputs(each.path, given))
    kit = Kit(model.path, load(model.path, (3, 0)), folder / "folded.onnx", given.calibrating)
    # Without our metadata, which quantize_static would hand on: it says float32. At opset 13, the first whose
    # DequantizeLinear takes a scale for each channel; quantize_static keeps the opset, and ours may be older.
    folded_model = onnx.load_from_string(float_onnx(read(model.path).graph))
    onnx.save(onnx.version_converter.convert_version(folded_model, 13), kit.float_onnx)
    yield from peers(kit, given, folder)
    yield from ours(kit, given, options, folder)


def ratio(own: Profile, base: Profile) -> float:
    """Compare the medians round by round, so that what slows a round down falls on both; the median of the ratios."""
    return statistics.median(a / b for a, b in zip(_medians_ms(own), _medians_ms(base), strict=True))


def _medians_ms(found: Profile) -> list[float]:
    ends = [0, *accumulate(found.round_sizes)]
    return [statistics.median(found.times_ns[start:end]) / 1e6 for start, end in pairwise(ends)]


def table(spec: ModelSpec, made: Sequence[Row], found: dict[Path, Profile], truth: NDArray[np.intp]) -> str:
    """Lay the rows out as Markdown."""
    bases = {each.format: found[each.path] for each in made if each.path and each.title == BASES[each.format]}
    floor = layers.int8_bytes(spec)
    lines = []
    for each in made:
        if each.path is None:
            lines.append([f"{each.title}: {each.reason}", each.format, *[""] * (len(COLUMNS) - 2)])
            continue
        own, size = found[each.path], each.path.stat().st_size
        base = bases.get(each.format)
        lines.append(
            [
                each.title,
                each.format,
                f"{scores.hits(each.answers, truth) / len(truth):.3f}",
                f"{scores.agreement(each.answers, made[0].answers):.3f}",
                f"{signal_to_noise_db(each.outputs, made[0].outputs):.1f} dB",
                f"{divergence_nats(each.outputs, made[0].outputs):.4f}",
                f"{size:,}",
                "" if artifact.read(each.path).precision == "float32" else f"{size / floor:.3f}x",
                f"{statistics.median(_medians_ms(own)):.2f}",
                f"{ratio(own, base):.2f}x" if base else "",
            ]
        )
    return markdown_table.grid(COLUMNS, lines)


def notes(made: Sequence[Row], found: dict[Path, Profile], given: Images, options: argparse.Namespace) -> list[str]:
    """Say under which conditions the figures hold."""
    doubts = [sentence(doubt) for each in found.values() for doubt in each.doubts[:1]]
    return [
        f"{len(given.truth) // options.crops} images scored in {options.crops} crops each, {len(given.calibrating)} "
        f"others calibrated; weights {options.weights.name}; target {options.target}",
        "agreement: the same top-1 as mnet's float32 .tflite; SNR and KL (nats) of the probabilities, likewise",
        *(f"{title}: .tflite and .onnx agree with each other on {share:.3f}" for title, share in twins(made)),
        "over floor: of 1 byte a weight, 4 a bias, 4 a scale, metadata included",
        f"of peer's: latency as a share of that of {STOCK} (.tflite) and of {EXACT} (.onnx), one thread, median over "
        f"{options.rounds} rounds in which all files took turns, each in a fresh process",
        conditions(next(iter(found.values()))),
        ", ".join(_versions()),
        *([f"{len(doubts)} of {len(found)} latencies are in doubt, the first: {doubts[0]}"] if doubts else []),
    ]


def twins(made: Iterable[Row]) -> Iterator[tuple[str, float]]:
    """Yield how far the two formats of one export agree with each other."""
    titles: dict[str, list[Row]] = {}
    for each in made:
        titles.setdefault(each.title, []).append(each)
    for title, both in titles.items():
        if len(both) == 2:
            yield title, scores.agreement(*(each.answers for each in both))


def conditions(found: Profile) -> str:
    """Name the machine, and which kernels its U8S8 figures are of."""
    isa = found.host.get("isa") or ()
    kernels = ""
    if any("VNNI" in each for each in isa):
        kernels = "; U8S8 .onnx files ran on VNNI, which does not saturate: without it they are other figures"
    elif "AVX2" in isa:
        kernels = "; U8S8 .onnx files ran without VNNI, where 16-bit sums saturate"
    return hardware.describe(found) + kernels


def _versions() -> Iterator[str]:
    for name in TOOLS:
        with contextlib.suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def bench(options: argparse.Namespace) -> None:
    """Measure one model and print its table."""
    spec = ModelSpec(options.alpha, options.rho, family=options.family)
    given = load(options, options.rho)
    with tempfile.TemporaryDirectory() as name:
        made = list(rows(spec, given, options, Path(name)))
        paths = [each.path for each in made if each.path]
        profiles = latency.profile(paths, Plan(seconds=options.seconds, rounds=options.rounds))
        found = dict(zip(paths, profiles, strict=True))
        print(f"\n{spec.name}\n\n{table(spec, made, found, given.truth)}\n")
        print("\n".join(f"- {note}" for note in notes(made, found, given, options)), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line; numbers that cannot be are refused before anything is loaded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="a .h5, .weights.h5 or .keras file")
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--rho", type=int)
    parser.add_argument("--family", choices=FAMILIES, default=FAMILIES[0], help="of --weights (default %(default)s)")
    parser.add_argument("--images", type=Path, metavar="DIR", default=DATA)
    parser.add_argument("--labels", type=Path, metavar="FILE", help="default: labels.txt in or beside the images")
    parser.add_argument("--calibrate", type=int, default=100, metavar="N", help="images that calibrate (default 100)")
    parser.add_argument("--limit", type=int, metavar="N", help="score at most so many images")
    parser.add_argument("--crops", type=int, default=1, metavar="N", help="of each image that scores (default 1)")
    parser.add_argument("--effort", action="append", choices=EFFORTS, help="of mnet's export; all by default")
    parser.add_argument("--target", default="generic", help="of mnet's export (default generic)")
    parser.add_argument("--rounds", type=int, default=10, help="of the latency (default 10)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of steady runs a file (default 2)")
    options = parser.parse_args()
    if (options.weights is None) != (options.alpha is None) or (options.weights is None) != (options.rho is None):
        parser.error("--weights, --alpha and --rho belong together: give all three or none")
    for name in ("calibrate", "limit", "crops", "rounds"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    try:
        ModelSpec(options.alpha or 1.0, options.rho or 224, family=options.family)
    except MnetError as error:
        parser.error(str(error))
    options.effort = tuple(dict.fromkeys(options.effort or EFFORTS))
    return options


def main() -> None:
    """Bench the model that is asked for, or those of MNET_DATA."""
    options = parse()
    logging.disable(logging.WARNING)  # the peers advise at length
    if options.weights is None and not DATA.is_dir():
        print(f"skipped: no real weights and images at {DATA}; set MNET_DATA, or give --weights and --images")
        return
    try:
        if options.weights is not None:
            bench(options)
            return
        for name, (alpha, rho) in VARIANTS.items():
            changed = {"weights": DATA / "weights" / name, "alpha": alpha, "rho": rho}
            bench(argparse.Namespace(**{**vars(options), **changed}))
    except MnetError as error:
        sys.exit(f"bench_int8: {error}")


if __name__ == "__main__":
    main()
