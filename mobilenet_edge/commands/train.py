"""`mnet train`: a classifier of one's own pictures as a .keras file."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from mobilenet_edge import __version__, files, progress, records
from mobilenet_edge.analysis.binomial import wilson
from mobilenet_edge.data import dataset
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.model import layers
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import BODY, ModelSpec
from mobilenet_edge.model.tf import tensorflow_version
from mobilenet_edge.records.training import Training
from mobilenet_edge.training import recipe, tune
from mobilenet_edge.training.album import Album
from mobilenet_edge.training.embedding import default_cache

ALL: Final = "all"
_SEEDS: Final = 1 << 32


def run(
    data: Path,
    *,
    alpha: float,
    rho: int,
    weights: str = sources.IMAGENET,
    epochs: int = 0,
    unfreeze: str = "6",
    teacher: Path | None = None,
    validation: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    out: Path,
    force: bool = False,
) -> Training:
    """Train a classifier, and write it and its training record.

    Args:
        data: A folder of class folders, or of `train`, `val` and `test` folders of these.
        alpha: Width multiplier.
        rho: Side of the input in pixels.
        weights: What the body begins with: "imagenet", "random" or a file.
        epochs: Passes of fine-tuning; 0 trains the head alone.
        unfreeze: Blocks that are fine-tuned, counted from the head: 0 to 13, or "all".
        teacher: A `.keras` classifier of the same classes whose answers are learned.
        validation: Share of the pictures that decide when to stop, where there is no folder of them.
        test: Share of the pictures that are only scored, likewise.
        seed: Of everything drawn at random, from 0 to 2^32 - 1.
        out: A folder.
        force: Write over another model, too.

    Returns:
        The record, which stands beside the model as `NAME.training.json`.

    Raises:
        InputError: The pictures or the weights cannot be used, or the place cannot be written.
        MissingExtraError: TensorFlow, Pillow or onnxruntime is not installed.
        UsageError: A number is out of range.
    """
    _check(epochs, validation, test, seed)
    options = tune.Options(epochs=epochs, unfreeze=_blocks(unfreeze), seed=seed)
    ModelSpec(alpha, rho)  # refuses a wrong number before any picture is read
    pictures = dataset.read(data, validation=validation, test=test)
    spec = ModelSpec(alpha, rho, len(pictures.classes))
    path = out / f"{spec.name}.keras"
    files.try_file(path)
    rule = _rule(weights, rho)
    source = _source(pictures, weights, options, teacher)
    about = _about(spec, pictures, source, seed, rule)
    overwrite.refuse(path, about, force=force)
    state = out / f".{spec.name}.{hashlib.sha256(source.encode()).hexdigest()[:8]}.training"
    with progress.bar(f"train {spec.name}", len(pictures.train) + len(pictures.validation) + epochs) as advance:
        result = recipe.train(
            *(spec, pictures, rule),
            weights=weights, options=options, teacher=_teacher(teacher, pictures.classes, rule),
            cache=default_cache(), state=state if epochs else None, advance=advance,
        )  # fmt: skip
    content = keras_bytes(result.model)
    learned = replace(about.weights, sha256=parse(content, str(path)).graph.sha256())
    tools = {"mobilenet-edge": __version__, **_versions()}
    artifact.write(path, content, replace(about, weights=learned, tools=tools))
    record = _record(spec, pictures, result, weights, teacher, seed, rule, path)
    records.write(out / f"{spec.name}.training.json", [record])
    shutil.rmtree(state, ignore_errors=True)
    return record


def _check(epochs: int, validation: float, test: float, seed: int) -> None:
    if not 0 <= seed < _SEEDS:
        raise UsageError(f"--seed must be from 0 to {_SEEDS - 1}, got {seed}")
    if epochs < 0:
        raise UsageError(f"--epochs must be 0 or more, got {epochs}")
    if not (0 < validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise UsageError(
            f"--validation {validation:g} and --test {test:g} must be shares of the pictures whose sum is below 1"
        )


def _blocks(unfreeze: str) -> int:
    if unfreeze == ALL:
        return len(BODY) + 1
    if not unfreeze.isdecimal() or int(unfreeze) > len(BODY):
        raise UsageError(f"--unfreeze must be 0 to {len(BODY)} blocks, or all; got {unfreeze!r}")
    return int(unfreeze)


def _rule(weights: str, rho: int) -> Preprocess:
    """Return the rule of the published models, or the one that a file of weights states."""
    path = Path(weights)
    if path.suffix == ".keras" and path.is_file():
        _, about = artifact.metadata(path)
        if about is not None:
            if about.preprocess.channels != 3:
                raise InputError(f"--weights {weights} takes grey pictures; mnet train makes models of colour pictures")
            return replace(about.preprocess, size=(rho, rho))
    return Preprocess((rho, rho)).known("built-in")


def _teacher(path: Path | None, classes: tuple[str, ...], rule: Preprocess) -> tune.Teacher | None:
    if path is None:
        return None
    from mobilenet_edge.training.teacher import teacher

    return teacher(path, classes, rule)


def _source(pictures: Dataset, weights: str, options: tune.Options, teacher: Path | None) -> str:
    """Describe where the weights come from; a digest of all that decides them tells one run from another."""
    contents = [files.read_bytes(path) for path in (Path(weights), teacher) if path is not None and path.is_file()]
    parts = (pictures.sha256, weights, options, [hashlib.sha256(content).hexdigest() for content in contents])
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"{Path(weights).name}, trained on {pictures.folder.resolve().name} ({digest[:8]})"


def _about(spec: ModelSpec, pictures: Dataset, source: str, seed: int, rule: Preprocess) -> Metadata:
    return Metadata(
        variant=spec.name,
        precision="float32",
        classes=spec.classes,
        macs=layers.macs(spec),
        parameters=layers.parameters(spec),
        preprocess=rule,
        weights=Weights(source, seed),
        spec=spec,
        labels=pictures.classes,
    )


def _versions() -> dict[str, str]:
    return {"tensorflow": tensorflow_version(), **{name: version(name) for name in ("keras", "numpy", "onnxruntime")}}


def _record(
    spec: ModelSpec,
    pictures: Dataset,
    result: recipe.Result,
    weights: str,
    teacher: Path | None,
    seed: int,
    rule: Preprocess,
    path: Path,
) -> Training:
    score = Album(rule).score(result.model, pictures.test) if pictures.test else result.validation
    return Training(
        variant=spec.name,
        artifact=str(path),
        spec=asdict(spec),
        data=str(pictures.folder),
        classes=pictures.classes,
        split=pictures.sha256,
        pictures={name: len(getattr(pictures, name)) for name in dataset.SPLITS},
        weights=Path(weights).name,
        teacher=None if teacher is None else teacher.name,
        seed=seed,
        head=tuple(asdict(point) for point in result.head.curve),
        tuning=tuple(asdict(point) for point in result.tuning),
        accuracy=score.right / score.n,
        interval=wilson(score.right, score.n),
        scored="test" if pictures.test else "validation",
        n=score.n,
        seconds=result.seconds,
        unreadable=tuple(str(path) for path in result.unreadable),
        remarks=pictures.remarks,
        versions=_versions(),
    )
