"""`mnet export`: a .keras file as float32, int8 and what lies between, TFLite and ONNX, each checked after writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import __version__, files, progress
from mobilenet_edge.conversion import ethos, mixture, origin, passes, suitability, verify
from mobilenet_edge.conversion import rule as rules
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.conversion import target as targets
from mobilenet_edge.conversion.coral import compiler, preflight
from mobilenet_edge.conversion.ethos import vela
from mobilenet_edge.conversion.micro import emit, footprint
from mobilenet_edge.conversion.mixture import Divider, Mixing
from mobilenet_edge.conversion.search import Search
from mobilenet_edge.data import labels
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError, MissingExtraError, UsageError
from mobilenet_edge.evaluation import head as heads
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Metadata, Quantisation
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import read as tflite_reader
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, synthetic, weights
from mobilenet_edge.quantise.attribution import attribute
from mobilenet_edge.quantise.entry import grid as input_grid
from mobilenet_edge.quantise.entry import require_within
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.quantise.solve import EFFORTS, solve
from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.records.record import CALIBRATED
from mobilenet_edge.records.remark import Remark

# Whose version decides on a file's bytes, beside our own.
TOOLS: Final = {"tflite": "ai-edge-litert", "onnx": "onnx"}
# Empty where there is nothing to say.
SCHEMES: Final = {
    "float32": "",
    "float16": "float16 weights; float32 biases and activations",
    "dynamic": f"int8 weights per output channel, symmetric, to nearest; float16 weights of outputs with {weights.FEW} "
    "weights or fewer; float32 biases and activations",
    **dict.fromkeys(CALIBRATED, "int8 weights per output channel, symmetric; 8-bit activations per tensor"),
}
# Beside the scheme of a target that asks for it.
PAIRS: Final = "; sums of two products within 16 bits"
# Without a search.
_FIXED: Final = Mixing()
WRITERS: Final[Mapping[str, Mapping[str, Callable[..., bytes]]]] = {
    "float32": {"tflite": tflite.float_tflite, "onnx": onnx.float_onnx},
    "float16": {"tflite": tflite.float16_tflite, "onnx": onnx.float16_onnx},
    "dynamic": {"tflite": tflite.dynamic_tflite, "onnx": onnx.dynamic_onnx},
    "int8": {"tflite": tflite.int8_tflite, "onnx": onnx.int8_onnx},
}


class Files(list[Artifact]):
    """The files an export wrote.

    Attributes:
        samples: What int8 was calibrated with; None where nothing was.
        split: Which of several splits of the folder that was, in words; may be empty.
        rule: How pixels become the input of these files.
        remarks: What speaks against the pictures that calibrated int8.
        search: What a search for a mixed file found; None where there was none.
        losses: What rounding each layer of the int8 files costs, where that was asked for.
        sources: C++ that was written beside a file for a microcontroller.
    """

    samples: calibration.Samples | None = None
    split: str = ""
    rule: Preprocess | None = None
    remarks: tuple[Remark, ...] = ()
    search: Search | None = None
    losses: tuple[LayerLoss, ...] = ()
    sources: tuple[emit.Sources, ...] = ()

    @cached_property
    def mutual(self) -> float | None:
        """Share of the checked images on which the int8 files give the same first answer.

        None where there are no images or no two such files. They are run when it is asked for; it is said, not
        stored, since a file is the same whatever was written beside it.
        """
        twins = [
            file for file in self if file.precision == "int8" and not (file.metadata and file.metadata.compilation)
        ]
        if self.samples is None or self.samples.source != "images" or len(twins) < 2:
            return None
        return verify.mutual(twins, self.samples.checking)


def run(
    model: Path,
    *,
    formats: Sequence[str] = (),
    precisions: Sequence[str] = (),
    calibrate: calibration.Source = None,
    count: int = 100,
    io: str | None = None,
    labels_file: Path | None = None,
    target: str = "generic",
    effort: str = "fast",
    out: Path,
    force: bool = False,
    options: PixelOptions = NOTHING,
    compact: bool = False,
    check_keras: bool = False,
    mixing: Mixing = _FIXED,
    explain: bool = False,
) -> Files:
    """Export a model.

    Args:
        model: A .keras file.
        formats: Of the target's, all by default.
        precisions: Of the target's; its own choice by default.
        calibrate: A folder of images, "random" for synthetic images, or an array of images. int8 and mixed need it;
            float16 and dynamic files are checked on these images, where there are any.
        count: Use at most so many images, evenly spread over the folder.
        io: Element type of an int8 file's input and output; by default the target's.
        labels_file: Class names to put into the files, a line a class.
        target: A key of `TARGETS`. For "edgetpu" a file that its compiler made comes too, where that is on PATH; for an
            Ethos-U one that Vela made, which must be installed; for "tflm" C++ files.
        effort: A key of `EFFORTS`: how long the quantiser may take.
        out: The folder to write to.
        force: Write over files that were made from another model, too, and keep a rule for pixels that the model's
            first batch norm contradicts.
        options: What is stated of the pixels that the model takes.
        compact: Leave the scales of inner tensors out of an int8 .tflite: 2 % smaller, and viewers show steps.
        check_keras: Compare with Keras first, which needs TensorFlow.
        mixing: What decides which layers of a mixed file stay in float.
        explain: Divide the loss of int8 among the layers, and measure every cut that a mixed file could have.

    Returns:
        The files written.

    Raises:
        UsageError: int8 or mixed without calibration, or `io` without int8, or what the target cannot take, or `count`
            is below 1, or options of a mixed file that do not go together.
        InputError: The model, the images, the labels or the output folder cannot be used.
        MissingExtraError: TensorFlow, a writer or a runtime is not installed.
        BuildError: A layer the graph has no op for, pixels that the model contradicts, or files that failed their check
            or their target's compiler: none of those is left, and all others are written.
    """
    source = artifact.read(model)
    made_for = targets.find(target)
    formats = tuple(dict.fromkeys(formats)) or made_for.formats
    precisions = tuple(dict.fromkeys(precisions)) or made_for.precisions
    made_for.check(formats, precisions, io)
    if ethos.is_accelerator(target):
        vela.require(target)
    if target == "tflm":
        footprint.require_interpreter()
    mixing.check(precisions)
    if explain and "int8" not in precisions and mixing.min_agreement is None:
        raise UsageError("--explain is about int8 files; add --precision int8")
    calibrated = [precision for precision in precisions if precision in CALIBRATED]
    if calibrated and calibrate is None:
        raise UsageError(
            f"{calibrated[0]} needs calibration images: add --calibrate DIR, or --calibrate random for synthetic ones, "
            "or --precision float32"
        )
    if io is not None and "int8" not in precisions:
        asked = " and ".join(precisions)
        raise UsageError(f"--io {io} is about int8 files, and only {asked} is asked for; add --precision int8")
    if count < 1:
        raise UsageError(f"--count must be at least 1, got {count}")
    calibration.check(calibrate)
    names = labels.read(labels_file) if labels_file else None
    files.try_folder(out)
    keras, about = origin.read_model(source, options)
    if check_keras:
        origin.compare_with_keras(source, keras)
    graph = replace(keras.graph, name=about.variant)
    if names is not None:
        about = replace(about, labels=labels.fit(graph.classes, names, source.path.name).lines)
    about = replace(about, target=target)
    for name in _file_names(about.variant, formats, precisions, target):
        overwrite.refuse(out / name, about, force=force)
        if target == "tflm":
            emit.refuse(out / name, force=force)
    samples, split = None, ""
    if calibrate is not None:
        samples, rule, split = calibration.collect(calibrate, keras, about.preprocess, count, force=force)
        about = replace(about, preprocess=rule)
        samples = samples.hold_out() if calibrated else samples
    made = Files()
    with progress.bar(f"export {about.variant}", steps(graph, formats, precisions)) as advance:
        settings = (formats, precisions, io, out, effort, advance, compact, mixing, made, explain)
        made.extend(write_all(graph, about, samples, *settings))
    made.rule = about.preprocess
    made.samples, made.split = samples, split
    if samples is not None and calibrated:
        made.remarks = tuple(suitability.remarks(keras, samples, made.rule))
    return made


def _file_names(variant: str, formats: Sequence[str], precisions: Sequence[str], target: str) -> Iterator[str]:
    for precision in precisions:
        for kind in formats:
            yield artifact.file_name(variant, precision, kind, target)
    if target == "edgetpu":
        yield artifact.file_name(variant, "int8_edgetpu", "tflite")
    if ethos.is_accelerator(target):
        yield _vela_name(variant, target)


def steps(graph: Graph, formats: Sequence[str], precisions: Sequence[str]) -> int:
    """How often `write_all` advances its bar."""
    return len(formats) * len(precisions) + len(set(CALIBRATED) & set(precisions)) * len(graph.nodes)


def write_all(
    graph: Graph,
    about: Metadata,
    samples: calibration.Samples | None,
    formats: Sequence[str],
    precisions: Sequence[str],
    io: str | None,
    out: Path,
    effort: str = "fast",
    advance: Callable[[], None] = lambda: None,
    compact: bool = False,
    mixing: Mixing = _FIXED,
    found: Files | None = None,
    explain: bool = False,
) -> Iterator[Artifact]:
    """Write every format of every precision from one graph and one calibration; yield each file once it is checked.

    What a search for a mixed file finds, what an explanation needs, and C++ that was written is put into `found`.

    Raises:
        BuildError: Some failed; all others have been written by then.
    """
    tools = {kind: _tools(kind) for kind in formats}
    reference = _reference(graph, samples, about.preprocess)
    failures: list[str] = []
    int8: QuantisedGraph | None = None
    for precision in precisions:
        about = replace(about, precision=precision, scheme=SCHEMES[precision], calibration=None)
        quantised, mixed = None, None
        if samples is not None and precision in CALIBRATED:
            margin = synthetic.MARGIN if samples.source == "synthetic" else 1.0
            options = replace(EFFORTS[effort], pairs=targets.find(about.target).pairs, margin=margin)
            entry = input_grid(about.preprocess)
            require_within(samples.images, entry)
            scheme = about.scheme + PAIRS * options.pairs
            about = replace(about, scheme=scheme, calibration=samples.describe())
            if precision == "int8":
                quantised = int8 = solve(graph, samples.images, options, advance, entry, engine=passes.choose())
                if found is not None and explain:
                    found.losses = attribute(graph, quantised, samples.checking)
            else:
                divider = Divider(graph, samples, options, entry, advance)
                mixed = _divide(divider, mixing, formats, int8, reference, found, explain)
        rounded = (weights.nearest(graph),) if precision == "dynamic" else ()
        for kind in formats:
            own = replace(about, tools=tools[kind])
            try:
                if mixed is not None:
                    own = replace(own, scheme=mixture.scheme(mixed[kind], graph, own.scheme))
                    made, data = mixture.make(mixed[kind], kind, own, reference, compact)
                elif quantised is None:
                    made, data = _make(graph, rounded, kind, own, reference)
                else:
                    io_type = io or targets.find(about.target).io(kind)
                    made, data = _make_int8(quantised, kind, io_type, own, reference, compact)
                files_made = [(artifact.file_name(about.variant, precision, kind, about.target), made, data)]
                sources: list[emit.Sources] = []
                if about.target == "edgetpu":
                    files_made += _compile(made, data)
                elif ethos.is_accelerator(about.target):
                    files_made.append(_compile_for_ethos(made, data))
                elif about.target == "tflm":
                    path = out / files_made[0][0]
                    sources.append(emit.sources(path, artifact.embed(path, data, made)))
            except BuildError as error:
                failures.append(str(error))
                continue
            for name, facts, whole in files_made:
                artifact.write(out / name, whole, facts)
                for each in sources:
                    each.write()
                yield artifact.read(out / name)
            if found is not None:
                found.sources += tuple(sources)
            advance()
    if failures:
        written = len(formats) * len(precisions) - len(failures)
        raise BuildError("; ".join(failures) + (f" (the other files are in {out})" if written else ""))


def write_quantised(
    graph: Graph, quantised: QuantisedGraph, about: Metadata, samples: calibration.Samples, out: Path, scheme: str = ""
) -> list[Artifact]:
    """Write, and check, the int8 files of any processor from integers that are there already.

    Args:
        graph: The float graph.
        quantised: Its integers.
        about: Of the model.
        samples: What the integers were calibrated with.
        out: The folder to write to.
        scheme: How they came about, beyond the usual.

    Raises:
        BuildError: A file failed its check.
    """
    generic = targets.find("generic")
    reference = _reference(graph, samples, about.preprocess)
    about = replace(
        about, precision="int8", scheme=SCHEMES["int8"] + PAIRS + scheme, calibration=samples.describe(),
        target=generic.name,
    )  # fmt: skip
    files = []
    for kind in generic.formats:
        own = replace(about, tools=_tools(kind))
        made, data = _make_int8(quantised, kind, generic.io(kind), own, reference, compact=False)
        path = out / artifact.file_name(about.variant, "int8", kind, generic.name)
        artifact.write(path, data, made)
        files.append(artifact.read(path))
    return files


def _divide(
    divider: Divider,
    mixing: Mixing,
    formats: Sequence[str],
    int8: QuantisedGraph | None,
    reference: verify.Reference,
    found: Files | None,
    explain: bool,
) -> Mapping[str, MixedGraph]:
    """Choose what stays in float in the mixed file of each format."""
    if mixing.min_agreement is None:
        return dict.fromkeys(formats, divider.default())
    search = divider.search(mixing, formats, int8, reference.head, whole=explain)
    if found is not None:
        found.search = search
    return search.chosen


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
    quantised: QuantisedGraph, kind: str, io: str, about: Metadata, reference: verify.Reference, compact: bool
) -> tuple[Metadata, bytes]:
    """Write and check an int8 file."""
    graph, write = quantised.graph, WRITERS[about.precision][kind]
    if kind == "onnx":
        write = partial(write, activations=targets.find(about.target).activations)
    else:
        write = partial(write, compact=compact)
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


def _compile_for_ethos(about: Metadata, data: bytes) -> tuple[str, Metadata, bytes]:
    """Compile a file with Vela: name, metadata and bytes. Operators that stay on the CPU are no failure."""
    made = vela.compile_model(vela.require(about.target), data, about.variant, about.target)
    return _vela_name(about.variant, about.target), replace(about, compilation=made.report), made.data


def _vela_name(variant: str, target: str) -> str:
    return f"{artifact.file_name(variant, 'int8', 'tflite', target).removesuffix('.tflite')}_vela.tflite"


def _reference(graph: Graph, samples: calibration.Samples | None, rule: Preprocess) -> verify.Reference:
    """What the float graph says; float files must be exact on any input, so noise will do for them."""
    inputs = rules.noise(verify.FLOAT_IMAGES, graph, rule) if samples is None else samples.checking
    head = heads.of(_closing(graph), (1, *graph.output.shape))
    real = samples is not None and samples.source == "images"
    reference = verify.Reference.of(graph, inputs, real=real, head=head)
    return replace(reference, held_out=samples is not None and samples.held_out is not None)


def _closing(graph: Graph) -> str:
    """Name the last op in the words of `head.of`."""
    return {"mean": "MEAN", "max": "REDUCE_MAX"}.get(graph.output.op, graph.output.op)


def _shown(grid: QuantParams, io: str) -> Quantisation:
    """A grid as the file's reader sees it: uint8 counts from 128 lower."""
    return Quantisation(grid.scale, grid.zero_point + (128 if io == "uint8" else 0))


def _tools(kind: str) -> dict[str, str]:
    try:
        return {"mobilenet-edge": __version__, **{name: version(name) for name in ("numpy", TOOLS[kind])}}
    except PackageNotFoundError as error:
        raise MissingExtraError(f"writing .{kind} files needs {error.name}", "export") from error
