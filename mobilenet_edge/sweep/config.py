"""Read the TOML file of a sweep."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Final

from mobilenet_edge import toml
from mobilenet_edge.conversion.target import TARGETS
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.spec import IMAGENET_CLASSES, Family, ModelSpec
from mobilenet_edge.records.record import CALIBRATED
from mobilenet_edge.sweep.train_table import TrainTable
from mobilenet_edge.sweep.weights_table import WeightsTable

FORMATS: Final = ("tflite", "onnx")
PRECISIONS: Final = ("float32", "float16", "dynamic", "int8", "mixed")
EFFORTS: Final = ("fast", "best")
# Values in the place of a path.
NAMES: Final = ("random", "imagenet")


@dataclass(frozen=True)
class GridTable:
    """Grid of artifacts: the product of all lists."""

    alpha: tuple[float, ...]
    rho: tuple[int, ...]
    format: tuple[str, ...] = FORMATS
    precision: tuple[str, ...] = ("float32", "int8")
    target: tuple[str, ...] = ("generic",)
    classes: int = IMAGENET_CLASSES
    family: tuple[Family, ...] = ("mobilenet_v1",)

    def __post_init__(self) -> None:
        for name, values, known in (
            ("format", self.format, FORMATS),
            ("precision", self.precision, PRECISIONS),
            ("target", self.target, tuple(TARGETS)),
        ):
            if wrong := set(values) - set(known):
                raise UsageError(
                    f"unknown values in grid.{name}: {', '.join(sorted(wrong))}; known: {', '.join(known)}"
                )
        for name in ("alpha", "rho", "format", "precision", "target", "family"):
            if not getattr(self, name):
                raise UsageError(f"grid.{name} is empty; give it at least one value")
        self.specs()
        self.targets()

    def with_classes(self, count: int) -> GridTable:
        """Return the grid for the classes of a data set.

        Raises:
            UsageError: Another number is stated.
        """
        if self.classes not in (IMAGENET_CLASSES, count):
            raise UsageError(f"grid.classes is {self.classes}, but train.data has {count} class folders; remove it")
        return replace(self, classes=count)

    def specs(self) -> list[ModelSpec]:
        """Return the distinct combinations of family, alpha and rho, in the given order."""
        combinations = product(self.family, self.alpha, self.rho)
        return list(dict.fromkeys(ModelSpec(alpha, rho, self.classes, family) for family, alpha, rho in combinations))

    def targets(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Return each target with the formats and precisions to export for it.

        Only int8 and mixed files differ by target. Other precisions are exported once, for the first target that
        supports them.

        Raises:
            UsageError: A target supports no format or no precision of the grid.
        """
        exports, exported = [], set[str]()
        for name in dict.fromkeys(self.target):
            target = TARGETS[name]
            formats = tuple(format_ for format_ in self.format if format_ in target.formats)
            supported = (*target.precisions, *target.more)
            precisions = tuple(
                precision
                for precision in dict.fromkeys(self.precision)
                if precision in supported and precision not in exported
            )
            if not formats or not precisions:
                raise UsageError(
                    f"grid.target {name} exports nothing of this grid; it supports {' and '.join(target.formats)} in "
                    f"{' or '.join(supported)}"
                )
            exported |= set(precisions) - set(CALIBRATED)
            exports.append((name, formats, precisions))
        return exports


@dataclass(frozen=True)
class CalibrationTable:
    """Calibration: `source` is a folder of images, or "random" for synthetic images."""

    source: str = "random"
    count: int = 100
    effort: str = "fast"

    def __post_init__(self) -> None:
        _at_least_one("calibration.count", self.count)
        if self.effort not in EFFORTS:
            raise UsageError(f"calibration.effort is {self.effort!r}; known: {', '.join(EFFORTS)}")


@dataclass(frozen=True)
class ProfileTable:
    """Options of `mnet profile`; `hosts` are the values of `--host`."""

    threads: tuple[int, ...] = (1,)
    hosts: tuple[str, ...] = ("local",)
    runs: int = 50
    seconds: float = 1.0
    rounds: int = 3

    def __post_init__(self) -> None:
        if not self.threads:
            raise UsageError("profile.threads is empty; give it a number, such as 1")
        if not self.hosts:
            raise UsageError('profile.hosts is empty; give it a machine, such as "local"')
        for name, number in (("threads", min(self.threads)), ("runs", self.runs), ("rounds", self.rounds)):
            _at_least_one(f"profile.{name}", number)
        if not (self.seconds >= 0 and math.isfinite(self.seconds)):
            raise UsageError(f"profile.seconds must be 0 or more, got {self.seconds:g}")


@dataclass(frozen=True)
class EvaluateTable:
    """Options of `mnet evaluate`; without `data`, accuracy is not measured."""

    data: str | None = None
    labels: str | None = None


@dataclass(frozen=True)
class Sweep:
    """Contents of the file; `preprocess` takes the options of `mnet build`.

    Raises:
        UsageError: Tables contradict each other.
    """

    grid: GridTable
    weights: WeightsTable = field(default_factory=WeightsTable)
    calibration: CalibrationTable = field(default_factory=CalibrationTable)
    profile: ProfileTable = field(default_factory=ProfileTable)
    evaluate: EvaluateTable = field(default_factory=EvaluateTable)
    preprocess: PixelOptions = NOTHING
    train: TrainTable | None = None

    def __post_init__(self) -> None:
        if self.train is not None:
            for name, value in (
                ("calibration.source", self.calibration.source if self.calibration.source != "random" else None),
                ("evaluate.data", self.evaluate.data),
                ("evaluate.labels", self.evaluate.labels),
                ("preprocess", None if self.preprocess == NOTHING else self.preprocess),
            ):
                if value is not None:
                    raise UsageError(
                        f"{name} cannot be used with [train], which calibrates with training pictures, evaluates with "
                        f"test pictures and takes the pixels of the weights; remove it"
                    )
        for spec in self.grid.specs():
            source = self.bodies.of(spec.alpha)
            if self.train is not None:
                self.train.options(spec, source)

    @property
    def bodies(self) -> WeightsTable:
        """The weights that are built, or that training begins with."""
        if self.train is None:
            return self.weights
        if self.train.weights is not None:
            return self.train.weights
        return self.weights if self.weights.stated else WeightsTable("imagenet")


def load_sweep(path: Path) -> Sweep:
    """Read the file of a sweep, in which relative paths are relative to its folder.

    Raises:
        InputError: The file cannot be read, is not TOML, or has an unknown key or an invalid value.
    """
    sweep = toml.read(path, Sweep)

    def place(text: str) -> str:
        return text if text in NAMES else str(path.parent / text)

    def optional(text: str | None) -> str | None:
        return None if text is None else place(text)

    def weights(table: WeightsTable) -> WeightsTable:
        files = tuple((alpha, place(file)) for alpha, file in table.files)
        return replace(table, source=place(table.source), files=files)

    train = sweep.train
    if train is not None:
        bodies = None if train.weights is None else weights(train.weights)
        train = replace(train, data=place(train.data), teacher=optional(train.teacher), weights=bodies)
    return replace(
        sweep,
        weights=weights(sweep.weights),
        calibration=replace(sweep.calibration, source=place(sweep.calibration.source)),
        evaluate=EvaluateTable(optional(sweep.evaluate.data), optional(sweep.evaluate.labels)),
        train=train,
    )


def _at_least_one(name: str, number: int) -> None:
    if number < 1:
        raise UsageError(f"{name} must be at least 1, got {number}")
