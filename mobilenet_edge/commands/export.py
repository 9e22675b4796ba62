"""`mnet export`: a .keras file as float32 and int8, TFLite and ONNX, each checked after writing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from mobilenet_edge import __version__, artifact, files, images, labels, progress, verify
from mobilenet_edge import target as targets
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.artifact import tflite as tflite_reader
from mobilenet_edge.artifact.metadata import Calibration, Metadata, Preprocess, Quantisation, Weights
from mobilenet_edge.coral import compiler, preflight
from mobilenet_edge.errors import MissingExtraError, UsageError
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import tensors
from mobilenet_edge.quantise import Grid, QuantisedGraph, synthetic
from mobilenet_edge.quantise.solve import Options, solve
from mobilenet_edge.write import onnx, tflite

RANDOM: Final = "random"
# Noise is all alike: more of it shows the quantiser nothing new.
NOISE: Final = 32
# Files that could not be read, in the metadata.
NAMED: Final = 5
# Whose version decides on a file's bytes, beside our own.
TOOLS: Final = {"tflite": "ai-edge-litert", "onnx": "onnx"}
METHOD: Final = "min-max ranges; least squares and error-feedback rounding on the layer's own inputs"
SCHEME: Final = "int8 weights per output channel, symmetric, pairs within 16-bit sums; 8-bit activations per tensor"


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
        note = synthetic.NOTE if self.source == "synthetic" else self._left_out()
        return Calibration(self.source, len(self.images), digest, METHOD, note)

    def _left_out(self) -> str:
        names = self.unreadable
        if not names:
            return ""
        shown = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        return f"{len(names)} of {len(names) + len(self.images)} image files could not be read: {shown}"


def run(
    model: Path,
    *,
    formats: Sequence[str] = (),
    precisions: Sequence[str] = (),
    calibrate: str | None = None,
    count: int = 100,
    io: str | None = None,
    labels_file: Path | None = None,
    target: str = "generic",
    out: Path,
) -> list[Artifact]:
    """Export a model.

    Args:
        model: A .keras file.
        formats: Of the target's, all by default.
        precisions: Of the target's, all by default.
        calibrate: A folder of images, or "random" for noise; needed for int8.
        count: Use at most so many images, evenly spread over the folder.
        io: Element type of an int8 file's input and output; by default the target's.
        labels_file: Class names to put into the files, a line a class.
        target: A key of `TARGETS`. For "edgetpu" a file that its compiler made comes too, where that is on PATH.
        out: The folder to write to.

    Returns:
        The files written.

    Raises:
        UsageError: int8 without calibration, or `io` without int8, or what the target cannot take, or `count` is
            below 1.
        InputError: The model, the images, the labels or the output folder cannot be used.
        MissingExtraError: TensorFlow, a writer or a runtime is not installed.
        BuildError: A layer the graph has no op for, or a file that failed its check or its target's compiler; no file
            of it is left.
    """
    made_for = targets.find(target)
    formats = tuple(dict.fromkeys(formats)) or made_for.formats
    precisions = tuple(dict.fromkeys(precisions)) or made_for.precisions
    made_for.check(formats, precisions, io)
    if "int8" in precisions and calibrate is None:
        raise UsageError(
            "int8 needs calibration images: add --calibrate DIR, or --calibrate random for sizes and latencies only, "
            "or --precision float32"
        )
    if io is not None and "int8" not in precisions:
        raise UsageError(f"--io {io} is about int8 files, and only float32 is asked for; add --precision int8")
    if count < 1:
        raise UsageError(f"--count must be at least 1, got {count}")
    folder = Path(calibrate) if calibrate not in (None, RANDOM) and "int8" in precisions else None
    # What can fail is tried before the seconds that TensorFlow takes to start.
    source = artifact.read(model)
    if folder is not None:
        folder, _ = labels.locate(folder)
        images.find(folder)
    names = labels.read(labels_file) if labels_file else None
    files.try_folder(out)
    graph, about = read_graph(source)
    if names is not None:
        labels.shift(graph.classes, names, source.path.name)  # raises where they cannot be this model's
        about = replace(about, labels=names.lines)
    about = replace(about, target=target)
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
        return Samples(synthetic.images(min(count, NOISE), graph.input_shape), "synthetic")
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
    tools = {kind: _tools(kind) for kind in formats}
    solution = None
    if samples is None:
        reference = _reference(graph)
    else:
        solution = solve(graph, samples.images, Options(), advance)
        real = samples.source == "images"
        reference = verify.Reference(samples.images, solution.outputs, solution.logits, real)
    for precision in precisions:
        quantised = solution.quantised if solution and precision == "int8" else None
        if samples is not None and quantised is not None:
            about = replace(about, calibration=samples.describe())
        for kind in formats:
            own = replace(about, tools=tools[kind])
            made, data = _make(graph, quantised, kind, io or targets.find(about.target).io(kind), own, reference)
            files_made = [(artifact.file_name(about.variant, precision, kind), made, data)]
            if about.target == "edgetpu":
                files_made += _compile(made, data)
            for name, facts, whole in files_made:
                artifact.write(out / name, whole, facts)
                yield artifact.read(out / name)
            advance()


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


def _compile(about: Metadata, data: bytes) -> list[tuple[str, Metadata, bytes]]:
    """Hold a file to the Edge TPU, then compile it where the compiler is at hand: name, metadata and bytes."""
    preflight.require(tflite_reader.contents(data))
    program = compiler.find()
    if program is None:
        return []
    made = compiler.compile_model(program, data, f"{about.variant}.{about.precision}")
    name = artifact.file_name(about.variant, f"{about.precision}_edgetpu", "tflite")
    return [(name, replace(about, compilation=made.report), made.data)]


def _reference(graph: Graph) -> verify.Reference:
    """What float files alone are checked with: they must be exact on any input."""
    inputs = synthetic.images(8, graph.input_shape)
    made = dict(tensors(graph, inputs))
    return verify.Reference(inputs, made[graph.output.name], made[graph.logits], real=False)


def _shown(grid: Grid, io: str) -> Quantisation:
    """A grid as the file's reader sees it: uint8 counts from 128 lower."""
    return Quantisation(grid.scale, grid.zero_point + (128 if io == "uint8" else 0))


def _tools(kind: str) -> dict[str, str]:
    try:
        return {"mobilenet-edge": __version__, **{name: version(name) for name in ("numpy", TOOLS[kind])}}
    except PackageNotFoundError as error:
        raise MissingExtraError(f"writing .{kind} files needs {error.name}", "build") from error
