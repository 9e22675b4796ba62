"""`mnet export`: a .keras file as float32, int8 and what lies between, TFLite and ONNX, each checked after writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, progress
from mobilenet_edge.conversion import background, derive, origin, suitability
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.conversion import target as targets
from mobilenet_edge.conversion.assembly import Assembly, Settings
from mobilenet_edge.conversion.micro import emit
from mobilenet_edge.conversion.mixture import Mixing
from mobilenet_edge.conversion.search import Search
from mobilenet_edge.data import labels
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.model.read import Model
from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.records.record import CALIBRATED
from mobilenet_edge.records.remark import Remark

# Without a search.
_FIXED: Final = Mixing()


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
        mutual: Share of the checked images that the int8 files answer alike; None where nothing tells.
    """

    samples: calibration.Samples | None = None
    split: str = ""
    rule: Preprocess | None = None
    remarks: tuple[Remark, ...] = ()
    search: Search | None = None
    losses: tuple[LayerLoss, ...] = ()
    sources: tuple[emit.Sources, ...] = ()
    mutual: float | None = None


def run(
    model: Any,
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
        model: The path of a Keras file, or a keras.Model.
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
        check_keras: Compare what was read of a file with Keras first, which needs TensorFlow.
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
    source = artifact.read(model) if isinstance(model, Path) else None
    made_for = targets.find(target)
    formats = tuple(dict.fromkeys(formats)) or made_for.formats
    precisions = tuple(dict.fromkeys(precisions)) or made_for.precisions
    made_for.check(formats, precisions, io)
    derive.require(target)
    mixing.check(precisions)
    calibrated = [precision for precision in precisions if precision in CALIBRATED]
    settings = Settings(formats, precisions, out, io, effort, compact, mixing, explain)
    _check(settings, count, lacking=calibrated[0] if calibrated and calibrate is None else None)
    calibration.check(calibrate)
    names = labels.read(labels_file) if labels_file else None
    files.try_folder(out)
    keras, about = origin.read_model(source, options) if source else origin.hold_model(model, options)
    if source and check_keras:
        origin.compare_with_keras(source, keras)
    graph = replace(keras.graph, name=about.variant)
    if names is not None:
        model_name = source.path.name if source else keras.name
        about = replace(about, labels=labels.fit(graph.classes, names, model_name).lines)
    about = replace(about, target=target)
    for name in _file_names(about.variant, settings, target):
        overwrite.refuse(out / name, about, force=force)
        derive.refuse(out / name, target, force=force)
    samples, split = None, ""
    if calibrate is not None:
        samples, rule, split = calibration.collect(calibrate, keras, about.preprocess, count, force=force)
        about = replace(about, preprocess=rule)
        samples = samples.hold_out() if calibrated else samples
    shown = samples if calibrated else None
    with (
        progress.bar(f"export {about.variant}", settings.steps(graph)) as advance,
        workers() as pool,
        background.start(pool, lambda _: _remarks(keras, shown, about.preprocess)) as remarks,
    ):
        assembly = Assembly(graph, about, samples, settings, advance)
        made = Files(assembly.write())
        made.remarks = remarks.result()
    made.rule, made.samples, made.split = about.preprocess, samples, split
    made.search, made.losses, made.sources = assembly.search, assembly.losses, assembly.sources
    made.mutual = assembly.mutual
    return made


def _remarks(model: Model, samples: calibration.Samples | None, rule: Preprocess) -> tuple[Remark, ...]:
    return () if samples is None else tuple(suitability.remarks(model, samples, rule))


def _check(settings: Settings, count: int, *, lacking: str | None) -> None:
    """Refuse what does not go together; `lacking` is a precision that needs images and has none."""
    precisions, io = settings.precisions, settings.io
    if settings.explain and "int8" not in precisions and settings.mixing.min_agreement is None:
        raise UsageError("--explain is about int8 files; add --precision int8")
    if lacking is not None:
        raise UsageError(
            f"{lacking} needs calibration images: add --calibrate DIR, or --calibrate random for synthetic ones, "
            "or --precision float32"
        )
    if io is not None and "int8" not in precisions:
        asked = " and ".join(precisions)
        raise UsageError(f"--io {io} is about int8 files, and only {asked} is asked for; add --precision int8")
    if count < 1:
        raise UsageError(f"--count must be at least 1, got {count}")


def _file_names(variant: str, settings: Settings, target: str) -> Iterator[str]:
    for precision in settings.precisions:
        for kind in settings.formats:
            yield artifact.file_name(variant, precision, kind, target)
    yield from derive.names(variant, target)
