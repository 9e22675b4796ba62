"""`mnet train`: a classifier of one's own pictures as a .keras file."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import __version__, files, progress
from mobilenet_edge import records as writer
from mobilenet_edge.data import dataset
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.evaluation.scores import wilson
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.metadata import Preprocess as Stored
from mobilenet_edge.model import layers
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import BODY, ModelSpec
from mobilenet_edge.records.training import Training
from mobilenet_edge.training import run as training
from mobilenet_edge.training import tune, views
from mobilenet_edge.training.features import default_cache

_TOOLS: Final = ("keras", "numpy")
ALL: Final = "all"


def run(
    data: Path,
    *,
    alpha: float,
    rho: int,
    weights: str = "imagenet",
    epochs: int = 0,
    unfreeze: str = "6",
    teacher: Path | None = None,
    validation: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    out: Path,
) -> Training:
    """Train a classifier, write it and its training record.

    Args:
        data: A folder of class folders, or of `train`, `val` and `test` folders of these.
        alpha: Width multiplier.
        rho: Side of the input in pixels.
        weights: What the body begins with: "imagenet", "random" or a file.
        epochs: Passes of fine-tuning; 0 trains the head alone.
        unfreeze: Blocks that are fine-tuned, counted from the head: 0 to 13, or "all".
        teacher: A `.keras`, `.tflite` or `.onnx` classifier of the same classes whose answers are learned.
        validation: Share of the pictures that decide when to stop, where there is no folder of them.
        test: Share of the pictures that are only scored, likewise.
        seed: Of everything drawn at random.
        out: A folder.

    Returns:
        The record, which stands beside the model as `NAME.training.json`.

    Raises:
        InputError: The pictures or the weights cannot be used, or the place cannot be written.
        MissingExtraError: TensorFlow, Pillow or onnxruntime is not installed.
        UsageError: A number is out of range.
    """
    options = tune.Options(epochs=epochs, unfreeze=_blocks(unfreeze), seed=seed)
    _check(epochs, validation, test)
    found = dataset.read(data, validation=validation, test=test)
    spec = ModelSpec(alpha, rho, len(found.classes))
    path = out / f"{spec.name}.keras"
    files.try_file(path)
    rule = Preprocess(size=(rho, rho))
    steps = len(found.train) + len(found.validation) + epochs
    state = out / f".{spec.name}.training"
    with progress.bar(f"train {spec.name}", steps) as advance:
        result = training.train(
            *(spec, found, rule),
            weights=weights, options=options, teacher=_teacher(teacher, found.classes, rule),
            cache=default_cache(), state=state if epochs else None, advance=advance,
        )  # fmt: skip
    artifact.write(path, keras_bytes(result.model), _about(spec, found, weights, seed))
    record = _record(spec, found, result, weights, teacher, seed, rule, path)
    writer.write(out / f"{spec.name}.training.json", [record])
    _clear(state)
    return record


def _blocks(unfreeze: str) -> int:
    if unfreeze == ALL:
        return len(BODY) + 1
    if not unfreeze.isdecimal() or int(unfreeze) > len(BODY):
        raise UsageError(f"--unfreeze takes 0 to {len(BODY)} blocks, or all; got {unfreeze!r}")
    return int(unfreeze)


def _check(epochs: int, validation: float, test: float) -> None:
    if epochs < 0:
        raise UsageError(f"--epochs must be 0 or more, got {epochs}")
    if not (0 < validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise UsageError("--validation and --test are shares of the pictures; together they must be below 1")


def _teacher(path: Path | None, classes: tuple[str, ...], rule: Preprocess) -> tune.Teacher | None:
    if path is None:
        return None
    from mobilenet_edge.training.teacher import teacher

    return teacher(path, classes, rule)


def _about(spec: ModelSpec, data: dataset.Dataset, weights: str, seed: int) -> Metadata:
    return Metadata(
        variant=spec.name,
        precision="float32",
        classes=spec.classes,
        macs=layers.macs(spec),
        parameters=layers.parameters(spec),
        preprocess=Stored(resolution=spec.resolution),
        weights=Weights(f"{Path(weights).name}, trained on {data.folder.name}", seed, data.sha256),
        spec=spec,
        labels=data.classes,
        tools={"mobilenet-edge": __version__, **{name: version(name) for name in _TOOLS}},
    )


def _record(
    spec: ModelSpec,
    data: dataset.Dataset,
    result: training.Result,
    weights: str,
    teacher: Path | None,
    seed: int,
    rule: Preprocess,
    path: Path,
) -> Training:
    # The head of a model that was not fine-tuned has learned from the validation pictures in the end.
    scored = "test" if data.test else "validation"
    right, n = _score(result.model, data.test, rule)
    if not data.test:
        n = len(data.validation)
        right = round(result.validation_accuracy * n)
    return Training(
        variant=spec.name,
        artifact=str(path),
        spec=asdict(spec),
        data=str(data.folder),
        classes=data.classes,
        split=data.sha256,
        pictures={name: len(getattr(data, name)) for name in dataset.SPLITS},
        weights=weights if weights in ("imagenet", "random") else Path(weights).name,
        teacher=None if teacher is None else teacher.name,
        seed=seed,
        head=tuple(asdict(point) for point in result.head.curve),
        tuning=tuple(asdict(point) for point in result.tuning),
        accuracy=right / n,
        interval=wilson(right, n),
        scored=scored,
        n=n,
        seconds=result.seconds,
        unreadable=tuple(str(path) for path in result.unreadable),
        remarks=data.remarks,
        versions={name: version(name) for name in _TOOLS},
    )


def _score(model: Any, pictures: tuple[dataset.Picture, ...], rule: Preprocess) -> tuple[int, int]:
    """Count the right answers on the centre view; pictures that cannot be read are left out."""
    loaded = tune.Pictures(rule)
    right = n = 0
    for start in range(0, len(pictures), 64):
        pixels, labels = [], []
        for picture in pictures[start : start + 64]:
            try:
                pixels.append(loaded.view(picture, views.centre(rule)))
            except InputError:
                continue
            labels.append(picture.label)
        if pixels:
            outputs: NDArray[Any] = np.asarray(model.predict_on_batch(loaded.tensor(np.stack(pixels))))
            right += int((outputs.argmax(axis=1) == np.array(labels)).sum())
            n += len(labels)
    return right, n


def _clear(state: Path) -> None:
    import shutil

    shutil.rmtree(state, ignore_errors=True)
