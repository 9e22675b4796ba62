"""What is written down of a training: its record, and what the model file says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Final

from mobilenet_edge import __version__
from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.data import dataset
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import metadata
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.tf import tensorflow_version
from mobilenet_edge.records.remark import Remark
from mobilenet_edge.records.training import Training
from mobilenet_edge.training import recipe
from mobilenet_edge.training.album import Album
from mobilenet_edge.training.arguments import Arguments

# Entries of a list in a remark.
SHOWN: Final = 5
# Share of the pictures from which on one class makes an accuracy misleading.
DOMINANT: Final = 0.8


def record(
    spec: ModelSpec, data: Dataset, result: recipe.Result, options: Arguments, rule: Preprocess, path: Path
) -> Training:
    """Score a trained model and describe its training.

    Raises:
        InputError: There are test pictures, and none of them can be read.
    """
    score = Album(rule).score(result.model, data.test) if data.test else result.validation
    if not score.n:
        raise InputError(f"none of {len(data.test)} test pictures can be read; the first: {data.test[0].path}")
    return Training(
        variant=spec.name,
        artifact=str(path),
        spec=asdict(spec),
        data=str(data.folder),
        classes=data.classes,
        split=data.sha256,
        pictures={name: len(getattr(data, name)) for name in dataset.SPLITS},
        weights=Path(options.weights).name,
        teacher=None if options.teacher is None else options.teacher.name,
        seed=options.seed,
        head=tuple(asdict(point) for point in result.head.curve),
        tuning=tuple(asdict(point) for point in result.tuning),
        blend=result.blend,
        validation_accuracy=result.validation.right / result.validation.n,
        accuracy=score.right / score.n,
        interval=wilson(score.right, score.n),
        scored="test" if data.test else "validation",
        n=score.n,
        seconds=result.seconds,
        unreadable=tuple(str(path) for path in result.unreadable),
        remarks=tuple(_remarks(data, result, options)),
        versions=_versions(),
    )


def provenance(record: Training) -> metadata.Training:
    """Return what the model file, and every file exported from it, says of a training."""
    return metadata.Training(
        data=Path(record.data).resolve().name,
        split=record.split,
        pictures=record.pictures,
        body=record.weights,
        teacher=record.teacher,
        epochs=max(0, len(record.tuning) - 1),
        accuracy=record.accuracy,
        scored=record.scored,
        n=record.n,
    )


def tools() -> dict[str, str]:
    """Return the versions of the packages that made the model."""
    return {"mobilenet-edge": __version__, **_versions()}


def _versions() -> dict[str, str]:
    return {"tensorflow": tensorflow_version(), **{name: version(name) for name in ("keras", "numpy", "onnxruntime")}}


def _remarks(data: Dataset, result: recipe.Result, options: Arguments) -> Iterator[Remark]:
    if options.teacher is not None and not dataset.is_labelled(data.folder):
        yield Remark("teacher-labels", teacher=options.teacher.name)
    else:
        few = [f"{name} ({count})" for name, count in data.counts.items() if count < dataset.FEW]
        if few:
            yield Remark("few-pictures", least=dataset.FEW, count=len(few), classes=few[:SHOWN])
    largest, count = max(data.counts.items(), key=lambda pair: pair[1])
    if (share := count / sum(data.counts.values())) >= DOMINANT:
        yield Remark("one-class-dominates", label=largest, share=share)
    if data.copies:
        pairs = [f"{copy.relative_to(data.folder)} = {first.relative_to(data.folder)}" for copy, first in data.copies]
        yield Remark("same-picture", count=len(pairs), pairs=pairs[:SHOWN])
    if result.restarted:
        yield Remark("state-damaged")
    if result.blend == 0:
        yield Remark("tuning-unused")
