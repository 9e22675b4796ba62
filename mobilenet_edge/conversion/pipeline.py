"""`mnet export`: a .keras file as float32, int8 and what lies between, TFLite and ONNX, each checked after writing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import __version__, files, progress
from mobilenet_edge.conversion import target as targets
from mobilenet_edge.conversion import verify
from mobilenet_edge.conversion.coral import compiler, preflight
from mobilenet_edge.data import folders, images, labels
from mobilenet_edge.errors import MissingExtraError, UsageError
from mobilenet_edge.evaluation import head as heads
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Calibration, Metadata, Preprocess, Quantisation, Weights
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import read as tflite_reader
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import outputs
from mobilenet_edge.quantise import Grid, QuantisedGraph, synthetic, weights
from mobilenet_edge.quantise.solve import EFFORTS, solve

RANDOM: Final = "random"
# Noise is all alike: more of it shows the quantiser nothing new.
NOISE: Final = 32
# Files that could not be read, in the metadata.
NAMED: Final = 5
# Whose version decides on a file's bytes, beside our own.
TOOLS: Final = {"tflite": "ai-edge-litert", "onnx": "onnx"}
METHOD: Final = "min-max ranges, early channels widened; least squares and error feedback on each layer's own inputs"
# Images that int8 files are run on after writing.
CHECKED: Final = 50
# Empty where there is nothing to say.
SCHEMES: Final = {
    "float32": "",
    "float16": "float16 weights; float32 biases and activations",
    "dynamic": f"int8 weights per output channel, symmetric, to nearest; float16 weights of outputs with {weights.FEW} "
    "weights or fewer; float32 biases and activations",
    "int8": "int8 weights per output channel, symmetric; 8-bit activations per tensor",
}
# Beside the scheme of a target that asks for it.
PAIRS: Final = "; sums of two products within 16 bits"
WRITERS: Final[Mapping[str, Mapping[str, Callable[..., bytes]]]] = {
    "float32": {"tflite": tflite.float_tflite, "onnx": onnx.float_onnx},
    "float16": {"tflite": tflite.float16_tflite, "onnx": onnx.float16_onnx},
    "dynamic": {"tflite": tflite.dynamic_tflite, "onnx": onnx.dynamic_onnx},
    "int8": {"tflite": tflite.int8_tflite, "onnx": onnx.int8_onnx},
}


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


class Files(list[Artifact]):
    """The files an export wrote.

    Attributes:
        images: What calibrated them, float32 (n, h, w, c); None for noise.
        split: Which of several splits of the folder that was, in words; may be empty.
    """

    images: Array | None = None
    split: str = ""

    @cached_property
    def mutual(self) -> float | None:
        """Share of calibration images on which the int8 files give the same first answer.

        None where there are no images or no two such files. They are run when it is asked for; it is said, not
        stored, since a file is the same whatever was written beside it.
        """
        twins = [
            each for each in self if each.precision == "int8" and not (each.metadata and each.metadata.compilation)
        ]
        return verify.mutual(twins, self.images) if self.images is not None and len(twins) > 1 else None


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
    effort: str = "fast",
    out: Path,
    force: bool = False,
) -> Files:
    """Export a model.

    Args:
        model: A .keras file.
        formats: Of the target's, all by default.
        precisions: Of the target's; its own choice by default.
        calibrate: A folder of images, or "random" for noise. int8 needs it; files of float16 and int8 weights are
            checked on these images, where there are any.
        count: Use at most so many images, evenly spread over the folder.
        io: Element type of an int8 file's input and output; by default the target's.
        labels_file: Class names to put into the files, a line a class.
        target: A key of `TARGETS`. For "edgetpu" a file that its compiler made comes too, where that is on PATH.
        effort: A key of `EFFORTS`: how long the quantiser may take.
        out: The folder to write to.
        force: Write over files that were made from another model, too.

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
        asked = " and ".join(precisions)
        raise UsageError(f"--io {io} is about int8 files, and only {asked} is asked for; add --precision int8")
    if count < 1:
        raise UsageError(f"--count must be at least 1, got {count}")
    source = artifact.read(model)
    sampled = calibrate is not None and precisions != ("float32",)
    folder = Path(calibrate) if sampled and calibrate not in (None, RANDOM) else None
    # What can fail is tried before the seconds that TensorFlow takes to start.
    if folder is not None:
        place = folders.locate(folder, folders.FOR_CALIBRATION)
        folder = place.folder
        images.find(folder)
    names = labels.read(labels_file) if labels_file else None
    files.try_folder(out)
    graph, about = read_graph(source)
    if names is not None:
        about = replace(about, labels=labels.fit(graph.classes, names, source.path.name).lines)
    about = replace(about, target=target)
    for name in _file_names(about.variant, formats, precisions, target):
        overwrite.refuse(out / name, about, force=force)
    samples = None
    if sampled:
        samples = load_samples(folder, about.preprocess, graph, count)
    with progress.bar(f"export {about.variant}", steps(graph, formats, precisions)) as advance:
        made = Files(write_all(graph, about, samples, formats, precisions, io, out, effort, advance))
    if samples is not None and samples.source == "images":
        made.images, made.split = samples.images, place.note
    return made


def read_graph(source: Artifact) -> tuple[Graph, Metadata]:
    """Load and fold a .keras file; a file that says nothing of itself gets what its graph shows."""
    if source.format != "keras":
        raise UsageError(f"{source.path} is not a .keras file; mnet exports Keras models")
    from mobilenet_edge.model.fold import fold
    from mobilenet_edge.model.load import load_model
    from mobilenet_edge.model.recognise import safe_name

    model = load_model(source.path)
    graph = fold(model, "model")
    if source.metadata is None:
        about = describe(graph, source.path.stem, source.path.name)
    else:
        weights = replace(source.metadata.weights, sha256=graph.sha256())
        # The files are named by it.
        about = replace(source.metadata, variant=safe_name(source.metadata.variant), weights=weights)
    return replace(graph, name=about.variant), about


def describe(graph: Graph, name: str, source: str) -> Metadata:
    """Describe a model that mnet did not build; its files are named as its own file is, whatever it turns out to be."""
    from mobilenet_edge.model.recognise import safe_name, spec_of

    spec = spec_of(graph)
    return Metadata(
        variant=safe_name(name),
        precision="float32",
        classes=graph.classes,
        macs=graph.macs,
        parameters=graph.parameters,
        preprocess=Preprocess(resolution=graph.input_shape[0]),
        weights=Weights(source, sha256=graph.sha256()),
        spec=spec,
    )


def _file_names(variant: str, formats: Sequence[str], precisions: Sequence[str], target: str) -> Iterator[str]:
    for precision in precisions:
        for kind in formats:
            yield artifact.file_name(variant, precision, kind, target)
    if target == "edgetpu":
        yield artifact.file_name(variant, "int8_edgetpu", "tflite")


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
    effort: str = "fast",
    advance: Callable[[], None] = lambda: None,
) -> Iterator[Artifact]:
    """Write every format of every precision from one graph and one calibration; yield each file once it is checked."""
    tools = {kind: _tools(kind) for kind in formats}
    reference = _reference(graph, samples)
    for precision in precisions:
        about = replace(about, precision=precision, scheme=SCHEMES[precision], calibration=None)
        quantised = None
        if samples is not None and precision == "int8":
            options = replace(EFFORTS[effort], pairs=targets.find(about.target).pairs)
            quantised = solve(graph, samples.images, options, advance)
            scheme = about.scheme + PAIRS * options.pairs
            about = replace(about, scheme=scheme, calibration=samples.describe())
        rounded = (weights.nearest(graph),) if precision == "dynamic" else ()
        for kind in formats:
            own = replace(about, tools=tools[kind])
            if quantised is None:
                made, data = _make(graph, rounded, kind, own, reference)
            else:
                made, data = _make_int8(quantised, kind, io or targets.find(about.target).io(kind), own, reference)
            files_made = [(artifact.file_name(about.variant, precision, kind, about.target), made, data)]
            if about.target == "edgetpu":
                files_made += _compile(made, data)
            for name, facts, whole in files_made:
                artifact.write(out / name, whole, facts)
                yield artifact.read(out / name)
            advance()


def _make(
    graph: Graph, rounded: tuple[Any, ...], kind: str, about: Metadata, reference: verify.Reference
) -> tuple[Metadata, bytes]:
    """Write and check a file whose activations are float; `rounded` is what its writer takes beside the graph."""
    write = WRITERS[about.precision][kind]
    data = write(graph, *rounded)
    if about.precision == "float32":
        return replace(about, agreement=verify.float_file(kind, data, reference)), data
    probe = write(graph.cut_at_logits(), *rounded)
    return replace(about, agreement=verify.small_file(kind, about.precision, data, probe, reference)), data


def _make_int8(
    quantised: QuantisedGraph, kind: str, io: str, about: Metadata, reference: verify.Reference
) -> tuple[Metadata, bytes]:
    """Write and check an int8 file."""
    graph, write = quantised.graph, WRITERS[about.precision][kind]
    if kind == "onnx":
        write = partial(write, activations=targets.find(about.target).activations)
    data = write(quantised, io=io)
    grids = verify.Grids(
        *(_shown(quantised.grids[name], io) for name in (graph.input, graph.output.name, graph.logits))
    )
    probe = write(quantised.logits(), io=io)
    ends = grids if io != "float32" else None
    agreement = verify.int8_file(kind, data, probe, ends, reference, quantised.least_logit)
    about = replace(about, io=io, agreement=agreement)
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


def _reference(graph: Graph, samples: Samples | None) -> verify.Reference:
    """What the float graph says; float files must be exact on any input, so noise will do for them."""
    inputs = synthetic.images(8, graph.input_shape) if samples is None else samples.images[:CHECKED]
    # Two names for one tensor where no softmax closes the graph.
    names = dict.fromkeys((graph.logits, graph.output.name))
    made = outputs(graph, inputs, tuple(names))
    real = samples is not None and samples.source == "images"
    return verify.Reference(inputs, made[-1], made[0], real, heads.of(_closing(graph), (1, *graph.output.shape)))


def _closing(graph: Graph) -> str:
    """Name the last op in the words of `head.of`."""
    return {"mean": "MEAN", "max": "REDUCE_MAX"}.get(graph.output.op, graph.output.op)


def _shown(grid: Grid, io: str) -> Quantisation:
    """A grid as the file's reader sees it: uint8 counts from 128 lower."""
    return Quantisation(grid.scale, grid.zero_point + (128 if io == "uint8" else 0))


def _tools(kind: str) -> dict[str, str]:
    try:
        return {"mobilenet-edge": __version__, **{name: version(name) for name in ("numpy", TOOLS[kind])}}
    except PackageNotFoundError as error:
        raise MissingExtraError(f"writing .{kind} files needs {error.name}", "build") from error
