"""`mnet export`: a .keras file as float32 and int8, TFLite and ONNX, each checked after writing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import __version__, artifact, files, images, labels, progress, verify
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.artifact.metadata import Calibration, Metadata, Preprocess, Quantisation, Weights
from mobilenet_edge.errors import UsageError
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import tensors
from mobilenet_edge.quantise import Grid, QuantisedGraph, synthetic
from mobilenet_edge.quantise.solve import Options, solve
from mobilenet_edge.write import onnx, tflite

FORMATS: Final = ("tflite", "onnx")
PRECISIONS: Final = ("float32", "int8")
IOS: Final = ("int8", "uint8", "float32")
RANDOM: Final = "random"
# What each format's users expect: TFLite "full integer" to its ends, ONNX with float ends.
DEFAULT_IO: Final = {"tflite": "int8", "onnx": "float32"}
METHOD: Final = "min-max ranges; least squares and error-feedback rounding on the layer's own inputs"
SCHEME: Final = "int8 weights per output channel, symmetric, pairs within 16-bit sums; 8-bit activations per tensor"
# Images that the written file is run on.
CHECKED: Final = 100


@dataclass(frozen=True)
class Samples:
    """Calibration images and where they came from.

    Attributes:
        images: float32 (n, h, w, c), preprocessed.
        source: "images" or "synthetic".
        unreadable: Names of files that could not be read.
    """

    images: Array
    source: str
    unreadable: tuple[str, ...] = ()

    def describe(self) -> Calibration:
        """What the metadata says of them."""
        digest = hashlib.sha256(self.images.tobytes()).hexdigest()
        note = synthetic.NOTE if self.source == "synthetic" else ""
        return Calibration(self.source, len(self.images), digest, METHOD, note)


def run(
    model: Path,
    *,
    formats: Sequence[str] = (),
    precisions: Sequence[str] = (),
    calibrate: str | None = None,
    count: int = 100,
    io: str | None = None,
    labels_file: Path | None = None,
    out: Path,
) -> list[Artifact]:
    """Export a model.

    Args:
        model: A .keras file.
        formats: Of `FORMATS`, all by default.
        precisions: Of `PRECISIONS`, all by default.
        calibrate: A folder of images, or "random" for noise; needed for int8.
        count: Use at most so many images, evenly spread over the folder.
        io: Element type of an int8 file's input and output; by default as `DEFAULT_IO`.
        labels_file: Class names to put into the files, a line a class.
        out: The folder to write to.

    Returns:
        The files written.

    Raises:
        UsageError: int8 without calibration.
        InputError: The model, the images or the output folder cannot be used.
        BuildError: A layer the graph has no op for, or a file that failed its check; no file of it is left.
    """
    formats, precisions = formats or FORMATS, precisions or PRECISIONS
    if "int8" in precisions and calibrate is None:
        raise UsageError(
            "int8 needs calibration images: add --calibrate DIR, or --calibrate random for sizes and latencies only, "
            "or --precision float32"
        )
    folder = Path(calibrate) if calibrate not in (None, RANDOM) and "int8" in precisions else None
    # What can fail is tried before the seconds that TensorFlow takes to start.
    source = artifact.read(model)
    if folder is not None:
        folder, _ = labels.locate(folder)
        images.find(folder)
    names = labels.read(labels_file).lines if labels_file else ()
    files.try_folder(out)
    graph, about = read_graph(source)
    about = replace(about, labels=tuple(names) or about.labels)
    samples = None
    if "int8" in precisions:
        samples = load_samples(folder, about.preprocess, graph, count)
    with progress.bar(f"export {about.variant}", steps(graph, formats, precisions)) as advance:
        return list(write_all(graph, about, samples, formats, precisions, io, out, advance))


def read_graph(source: Artifact) -> tuple[Graph, Metadata]:
    """Load and fold a .keras file; a file that says nothing of itself gets what its graph shows."""
    if source.format != "keras":
        raise UsageError(f"{source.path} is not a .keras file; mnet exports Keras models")
    from mobilenet_edge.build.fold import fold
    from mobilenet_edge.build.load import load_model

    model = load_model(source.path)
    graph = fold(model, "model")
    if source.metadata is None:
        about = describe(graph, model.name, source.path.name)
    else:
        about = replace(source.metadata, weights=replace(source.metadata.weights, sha256=graph.sha256()))
    return replace(graph, name=about.variant), about


def describe(graph: Graph, name: str, source: str) -> Metadata:
    """Metadata of a model that mnet did not build."""
    from mobilenet_edge.build.recognise import safe_name, spec_of

    spec = spec_of(graph)
    return Metadata(
        variant=spec.name if spec else safe_name(name),
        precision="float32",
        classes=graph.classes,
        macs=graph.macs,
        parameters=graph.parameters,
        preprocess=Preprocess(resolution=graph.input_shape[0]),
        weights=Weights(source, sha256=graph.sha256()),
        spec=spec,
    )


def load_samples(folder: Path | None, rule: Preprocess, graph: Graph, count: int) -> Samples:
    """Load calibration images, or make noise where `folder` is None."""
    if folder is None:
        return Samples(synthetic.images(min(count, 32), graph.input_shape), "synthetic")
    if graph.input_shape != (rule.resolution, rule.resolution, 3):
        raise UsageError(f"images cannot be made for an input of {graph.input_shape}; mnet makes square RGB ones")
    loaded = images.load_calibration(folder, rule, count)
    return Samples(loaded.images, "images", tuple(path.name for path in loaded.unreadable))


def steps(graph: Graph, formats: Sequence[str], precisions: Sequence[str]) -> int:
    """How often `write_all` advances its bar."""
    return len(formats) * len(precisions) + ("int8" in precisions) * len(graph.nodes)


def write_all(
    graph: Graph,
    about: Metadata,
    samples: Samples | None,
    formats: Sequence[str],
    precisions: Sequence[str],
    io: str | None,
    out: Path,
    advance: Callable[[], None] = lambda: None,
) -> Iterator[Artifact]:
    """Write every format of every precision from one graph and one calibration; yield each file once it is checked."""
    about = replace(about, tools={"mobilenet-edge": __version__, **_versions(formats)})
    reference = _reference(graph, samples)
    for precision in precisions:
        quantised = None
        if precision == "int8" and samples is not None:
            quantised = solve(graph, samples.images, Options(), advance)
            about = replace(about, calibration=samples.describe())
        for kind in formats:
            made, data = _make(graph, quantised, kind, io or DEFAULT_IO[kind], about, reference)
            path = out / artifact.file_name(about.variant, precision, kind)
            artifact.write(path, data, made)
            advance()
            yield artifact.read(path)


def _make(
    graph: Graph, quantised: QuantisedGraph | None, kind: str, io: str, about: Metadata, reference: verify.Reference
) -> tuple[Metadata, bytes]:
    """Write and check one file."""
    if quantised is None:
        data = {"tflite": tflite.float_tflite, "onnx": onnx.float_onnx}[kind](graph)
        agreement = verify.float_file(kind, data, reference)
        return replace(about, precision="float32", calibration=None, agreement=agreement), data
    write: Callable[..., bytes] = {"tflite": tflite.int8_tflite, "onnx": onnx.int8_onnx}[kind]
    data = write(quantised, io=io)
    grids = verify.Grids(
        *(_shown(quantised.grids[name], io) for name in (graph.input, graph.output.name, graph.logits))
    )
    probe = write(quantised.logits(), io=io)
    agreement = verify.int8_file(kind, data, probe, grids if io != "float32" else None, reference)
    about = replace(about, precision="int8", io=io, scheme=SCHEME, agreement=agreement)
    if io != "float32":
        about = replace(about, input=grids.input, output=grids.output)
    return about, data


def _reference(graph: Graph, samples: Samples | None) -> verify.Reference:
    inputs = synthetic.images(8, graph.input_shape) if samples is None else samples.images
    inputs = inputs[:CHECKED]
    outputs = dict(tensors(graph, inputs))
    real = samples is not None and samples.source == "images"
    return verify.Reference(inputs, outputs[graph.output.name], outputs[graph.logits], real)


def _shown(grid: Grid, io: str) -> Quantisation:
    """A grid as the file's reader sees it: uint8 counts from 128 lower."""
    return Quantisation(grid.scale, grid.zero_point + (128 if io == "uint8" else 0))


def _versions(formats: Sequence[str]) -> dict[str, str]:
    packages: dict[str, Any] = {"tflite": "ai-edge-litert", "onnx": "onnx"}
    return {name: version(name) for name in ("numpy", *(packages[kind] for kind in formats))}
