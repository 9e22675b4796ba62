"""Train a classifier of a folder of pictures, and write it with its training record."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import files, progress, records
from mobilenet_edge.conversion import encode
from mobilenet_edge.conversion import rule as rules
from mobilenet_edge.data import dataset
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.model import layers
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records.training import Training
from mobilenet_edge.training import logbook, qat, recipe
from mobilenet_edge.training.arguments import Arguments
from mobilenet_edge.training.embedding import default_cache
from mobilenet_edge.training.teacher import Teacher

SUFFIX: Final = ".training.json"


def train(folder: Path, options: Arguments, *, out: Path, force: bool = False) -> Training:
    """Train a classifier, and write it and its training record.

    Args:
        folder: Class folders, or `train`, `val` and `test` folders of these; with a teacher, also pictures without
            classes.
        options: How.
        out: A folder.
        force: Write over another model, too.

    Returns:
        The record, which stands beside the model as `NAME.training.json`.

    Raises:
        InputError: The pictures or the weights cannot be used, or the place cannot be written.
        MissingExtraError: TensorFlow, Pillow or onnxruntime is not installed, or with `qat` a writer.
        UsageError: With `qat`, there are no test pictures, or no class folders.
    """
    rule = _rule(options)
    teacher = None if options.teacher is None else Teacher(options.teacher)
    data = read(folder, options, teacher)
    if teacher is not None:
        teacher.require(data.classes, rule)
    if options.qat:
        _check_qat(folder, data)
    spec = options.spec(len(data.classes))
    path = out / f"{spec.name}.keras"
    files.try_file(path)
    source = _source(data, options)
    about = _about(spec, data, source, options, rule)
    for file in (path, *(qat.paths(path) if options.qat else ())):
        overwrite.refuse(file, about, force=force)
    state = out / f".{spec.name}.{hashlib.sha256(source.encode()).hexdigest()[:8]}.training"
    steps = len(data.train) + len(data.validation) + 2 * options.epochs
    with progress.bar(f"train {spec.name}", steps) as advance:
        result = recipe.train(
            *(spec, data, rule),
            weights=options.weights, options=options.tuning(), teacher=teacher,
            cache=default_cache(), state=state if options.epochs else None, advance=advance,
        )  # fmt: skip
    record = logbook.record(spec, data, result, options, rule, path)
    content = keras_bytes(result.model)
    learned = replace(about.weights, sha256=parse(content, str(path)).graph.sha256())
    about = replace(about, weights=learned, training=logbook.provenance(record), tools=logbook.tools())
    beside = out / f"{spec.name}{SUFFIX}"
    files.write_together({path: artifact.embed(path, content, about), beside: records.dumps([record]).encode()})
    if options.qat:
        record = _finish(record, result, data, path, options.seed)
        files.write_text(beside, records.dumps([record]))
    shutil.rmtree(state, ignore_errors=True)
    return record


def _check_qat(folder: Path, data: Dataset) -> None:
    """Refuse, before anything is trained, what tuning integers could not be finished with."""
    if not data.test:
        raise UsageError("--qat is judged by pictures that nothing learns from, and there are none; add --test 0.2")
    if not dataset.is_labelled(folder):
        raise UsageError(
            f"--qat is judged by the classes of pictures, and {folder} has no class folders; sort the pictures into "
            "some, or leave out --qat"
        )
    for name in qat.FORMATS:
        encode.tools(name)


def _finish(record: Training, result: recipe.Result, data: Dataset, path: Path, seed: int) -> Training:
    """Tune integers of the finished model, too."""
    began = time.monotonic()
    integers = qat.finish(path, result.model, data.without(result.unreadable), seed=seed)
    return replace(record, integers=integers, seconds=record.seconds | {"integers": round(time.monotonic() - began, 2)})


def read(folder: Path, options: Arguments, teacher: Teacher | None = None) -> Dataset:
    """Read the pictures of a folder and their splits; a teacher names the classes of pictures without class folders."""
    if teacher is None or dataset.is_labelled(folder):
        return dataset.read(folder, validation=options.validation, test=options.test)
    return dataset.unlabelled(folder, teacher.labels, teacher.label, validation=options.validation, test=options.test)


def inputs(model: Path, pictures: Sequence[Path]) -> NDArray[np.float32]:
    """Load pictures as inputs (n, height, width, channels) of a model that `train` made.

    Raises:
        InputError: None of them can be read, or the model does not say how pictures become its input.
    """
    _, about = artifact.metadata(model)
    if about is None:
        raise InputError(f"{model} does not say how pictures become its input; train it again")
    return rules.ordered(rules.load_paths(pictures, about.preprocess).pixels, about.preprocess)


def _rule(options: Arguments) -> Preprocess:
    """Return the rule of the published models, or the one that a file of weights states."""
    path, size = Path(options.weights), (options.rho, options.rho)
    if path.suffix == ".keras" and path.is_file():
        _, about = artifact.metadata(path)
        if about is not None:
            if about.preprocess.channels != 3:
                raise InputError(f"--weights {path} takes grey pictures; mnet train makes models of colour pictures")
            return replace(about.preprocess, size=size)
    return Preprocess(size).known("built-in")


def _source(data: Dataset, options: Arguments) -> str:
    """Describe where the weights come from; a digest of all that decides them tells one run from another."""
    given = (Path(options.weights), options.teacher)
    contents = [files.read_bytes(path) for path in given if path is not None and path.is_file()]
    anywhere = replace(options, weights=Path(options.weights).name, teacher=None, qat=False)
    parts = (data.sha256, anywhere, [hashlib.sha256(content).hexdigest() for content in contents])
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"{Path(options.weights).name}, trained on {data.folder.resolve().name} ({digest[:8]})"


def _about(spec: ModelSpec, data: Dataset, source: str, options: Arguments, rule: Preprocess) -> Metadata:
    return Metadata(
        variant=spec.name,
        precision="float32",
        classes=spec.classes,
        macs=layers.macs(spec),
        parameters=layers.parameters(spec),
        preprocess=rule,
        weights=Weights(source, options.seed),
        spec=spec,
        labels=data.classes,
    )
