"""The public API: build, convert, evaluate, profile, tradeoff, recommend.

Nothing here prints. Heavy packages are imported by the functions that need them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from mobilenet_edge import progress
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec

if TYPE_CHECKING:
    from mobilenet_edge.commands.recommend import Advice
    from mobilenet_edge.records import Evaluation, Failure, Profile, Record
    from mobilenet_edge.report.rows import Row

Progress = Callable[[str, int, int], object]
Format = Literal["tflite", "onnx"]
Precision = Literal["float32", "float16", "dynamic", "int8", "mixed"]

P = ParamSpec("P")
R = TypeVar("R")

# Parameters whose option on the command line has another name.
_OPTIONS = {
    "calibrate": "calibration",
    "host": "devices",
    "max-latency": "latency_ms",
    "max-size": "size_bytes",
    "max-memory": "memory_bytes",
    "min-top1": "top1",
}


def _public(function: Callable[P, R]) -> Callable[P, R]:
    """Have the errors of a function name its parameters instead of the options of the command line."""
    parameters = signature(function).parameters

    def parameter(option: re.Match[str]) -> str:
        name = _OPTIONS.get(option[1], option[1].replace("-", "_"))
        return f"`{name}`" if name in parameters else option[0]

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except MnetError as error:
            error.args = (re.sub(r"--([a-z][a-z0-9-]*)", parameter, str(error)),)
            raise

    return call


@_public
def build(spec: ModelSpec | None = None, *, weights: str | Path = "random", seed: int = 0) -> Any:
    """Build a MobileNet in Keras.

    Args:
        spec: Family, width, resolution and classes; MobileNet v1 at alpha 1 and 224 pixels by default.
        weights: "random", "imagenet", or the path of a `.h5`, `.weights.h5` or `.keras` file.
        seed: Seed of random weights.

    Returns:
        keras.Model: float32 (n, height, width, channels) in -1..1 to probabilities (n, classes).

    Raises:
        InputError: The weights cannot be used.
        MissingExtraError: TensorFlow is not installed.
        UsageError: No ImageNet weights were published for the spec.
    """
    from mobilenet_edge.model import weights as sources
    from mobilenet_edge.model.build import build as build_model

    spec = spec or ModelSpec()
    arrays = sources.read(str(weights), spec)
    model = build_model(spec, seed)
    sources.assign(model, arrays)
    return model


@_public
def convert(
    model: Any,
    *,
    format: Format = "tflite",
    precision: Precision = "float32",
    calibration: Any = None,
    count: int = 100,
    labels: str | Path | None = None,
    io: Literal["float32", "int8", "uint8"] | None = None,
    target: str = "generic",
    effort: Literal["fast", "best"] = "fast",
    pixels: str | None = None,
    on_progress: Progress | None = None,
) -> Artifact:
    """Convert a Keras model, and compare the file with it.

    Args:
        model: A keras.Model, or the path of a `.keras` or `.h5` file.
        format: Format of the file.
        precision: Precision of the file; "int8" and "mixed" need `calibration`.
        calibration: A folder of pictures, or an array (n, height, width, channels): uint8 pixels in RGB order, or
            float32 as the model takes them. "random" makes synthetic pictures.
        count: Maximum number of pictures of a folder.
        labels: File of class names to put into the file.
        io: Element type of input and output of an int8 file; by default int8 for TFLite and float32 for ONNX.
        target: Where an int8 file will run; see docs/quantisation.md.
        effort: How long the quantiser may take.
        pixels: What the model takes: "-1..1", "0..1", "0..255", "imagenet", "caffe" or "mean=…,std=…"; by default
            what the model itself tells, else -1..1.
        on_progress: Called with a description, the steps done and their total, not always from the same thread.

    Returns:
        The file in memory; `save` writes it.

    Raises:
        BuildError: The model has a layer that cannot be converted, or the file failed its check.
        InputError: The model, the pictures or the labels cannot be read.
        MissingExtraError: A package of the extra `export` is not installed.
        UsageError: A parameter is out of range, or they do not go together.
    """
    from mobilenet_edge.conversion import pipeline

    with tempfile.TemporaryDirectory(prefix="mnet-") as folder, _reporting(on_progress):
        (artifact,) = pipeline.run(
            Path(model) if isinstance(model, str | Path) else model,
            formats=(format,),
            precisions=(precision,),
            calibrate=calibration,
            count=count,
            io=io,
            labels_file=None if labels is None else Path(labels),
            target=target,
            effort=effort,
            options=PixelOptions(pixels),
            out=Path(folder) / "out",
        )
    return replace(artifact, path=Path(artifact.path.name))


@_public
def evaluate(
    artifacts: Sequence[Artifact | str | Path],
    data: str | Path,
    *,
    reference: Any = None,
    labels: str | Path | None = None,
    limit: int | None = None,
    pixels: str | None = None,
    on_progress: Progress | None = None,
) -> list[Evaluation]:
    """Score models on pictures.

    Args:
        artifacts: Artifacts, or paths of `.tflite`, `.onnx`, `.keras` and `.h5` files.
        data: Folder of class folders.
        reference: A float model for the agreement: a keras.Model, an artifact or a path.
        labels: File of class names; by default those inside the files.
        limit: Maximum number of pictures, evenly spread over the folder.
        pixels: What the models take, if the files do not say it; as in `convert`.
        on_progress: Called with a description, the steps done and their total.

    Returns:
        One record per artifact, in order.

    Raises:
        HostError: A runtime crashed.
        InputError: A model, the pictures or the labels cannot be used, or do not fit each other.
        MissingExtraError: A runtime or Pillow is not installed.
    """
    from mobilenet_edge.evaluation.evaluate import evaluate as score

    with _files(artifacts) as paths, _files([] if reference is None else [reference]) as judge, _reporting(on_progress):
        return score(
            paths,
            Path(data),
            reference=judge[0] if judge else None,
            labels=None if labels is None else Path(labels),
            limit=limit,
            options=PixelOptions(pixels),
        )


@_public
def profile(
    artifacts: Sequence[Artifact | str | Path],
    *,
    devices: Sequence[str] = ("local",),
    threads: Sequence[int] = (1,),
    runs: int = 50,
    seconds: float = 1.0,
    rounds: int = 3,
    on_progress: Progress | None = None,
) -> list[Profile | Failure]:
    """Measure latency and memory, interleaved on each device.

    Args:
        artifacts: Artifacts, or paths of `.tflite` and `.onnx` files.
        devices: "local", names of `configs/devices.toml`, aliases of ssh, or "user@host".
        threads: Thread counts.
        runs: Minimum number of inferences, over all rounds.
        seconds: Minimum time of these in seconds.
        rounds: Number of fresh processes.
        on_progress: Called with a description, the steps done and their total.

    Returns:
        A profile for each device, artifact and thread count, or a failure where there is none.

    Raises:
        HostError: There is one device only, and it cannot be reached or its worker failed.
        InputError: A file cannot be read.
        UsageError: A number is out of range, or there is no such device.
    """
    from mobilenet_edge.profiling import latency, targets
    from mobilenet_edge.profiling.settings import Plan

    plan = Plan(runs=runs, seconds=seconds, rounds=rounds)
    with _files(artifacts) as paths, _reporting(on_progress):
        return latency.profile(paths, plan, threads=threads, machines=targets.find(devices))


@dataclass(frozen=True)
class Table:
    """Records joined into rows: latency beside accuracy and size.

    A notebook shows it as a table.
    """

    joined: Sequence[Row]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dictionary per row: the columns of docs/records.md."""
        from mobilenet_edge.report.columns import values

        return [values(row) for row in self.joined]

    @property
    def markdown(self) -> str:
        """The table with its notes, a section for each machine."""
        from mobilenet_edge.report import summary

        return summary.markdown(self.joined) if self.joined else "no records"

    def to_pandas(self) -> Any:
        """Return the rows as a pandas.DataFrame.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame(self.rows)

    def _repr_markdown_(self) -> str:
        return self.markdown


@_public
def tradeoff(records: Sequence[Record]) -> Table:
    """Join records of `evaluate` and `profile`, of any machine, into the tradeoff table."""
    from mobilenet_edge.report.rows import join

    return Table(join(records))


@_public
def recommend(
    records: Sequence[Record],
    *,
    latency_ms: float | None = None,
    size_bytes: float | None = None,
    memory_bytes: float | None = None,
    top1: float | None = None,
    device: str | None = None,
) -> Advice:
    """Choose the best artifact within limits.

    Args:
        records: Of `profile`, and of `evaluate` where accuracy was measured.
        latency_ms: Maximum median latency in milliseconds.
        size_bytes: Maximum file size in bytes.
        memory_bytes: Maximum peak memory in bytes.
        top1: Minimum top-1 in percent.
        device: Name of the machine, where there are several.

    Returns:
        The advice: `recommendation.pick` is the choice, or None if nothing fits; `notes` say what it rests on.

    Raises:
        InputError: There is nothing to choose from, or accuracy was measured on different pictures.
        UsageError: A limit is out of range, or the machine is not clear.
    """
    from mobilenet_edge.analysis.choice import Limits
    from mobilenet_edge.commands.recommend import advise

    return advise(records, Limits(latency_ms, size_bytes, memory_bytes, top1), device)


def _save(model: Any, folder: Path) -> Path:
    """Save a keras.Model under its own name."""
    from mobilenet_edge.model.recognise import safe_name
    from mobilenet_edge.model.save import keras_bytes

    path = folder / f"{safe_name(model.name)}.keras"
    path.write_bytes(keras_bytes(model))
    return path


@contextmanager
def _files(models: Sequence[Any]) -> Iterator[list[Path]]:
    """Yield the paths of models; those in memory are written to a temporary folder for the block."""
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        paths = []
        for number, model in enumerate(models):
            if isinstance(model, Artifact) and not model.path.is_file():
                place = Path(folder) / str(number) / model.path.name
                model.save(place)
                paths.append(place)
            elif isinstance(model, Artifact | str | Path):
                paths.append(Path(model.path if isinstance(model, Artifact) else model))
            else:
                paths.append(_save(model, Path(folder)))
        yield paths


@contextmanager
def _reporting(listener: Progress | None) -> Iterator[None]:
    with progress.report_to(listener or (lambda *_: None)):
        yield
