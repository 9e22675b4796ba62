"""The sweep's TOML file as frozen values; `toml` reads it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

from mobilenet_edge import toml
from mobilenet_edge.conversion.target import TARGETS
from mobilenet_edge.data.options import NOTHING, PixelOptions
from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.spec import IMAGENET_CLASSES, Family, ModelSpec

FORMATS: Final = ("tflite", "onnx")
PRECISIONS: Final = ("float32", "float16", "dynamic", "int8")
EFFORTS: Final = ("fast", "best")
SEEDS: Final = 1 << 32


@dataclass(frozen=True)
class GridTable:
    """Which artifacts: the product of all lists."""

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
                raise UsageError(f"grid.{name} holds {', '.join(sorted(wrong))}; known: {', '.join(known)}")
        for name in ("alpha", "rho", "format", "precision", "target", "family"):
            if not getattr(self, name):
                raise UsageError(f"grid.{name} is empty, which leaves nothing to sweep; give it a value")
        self.specs()
        self.targets()

    def specs(self) -> list[ModelSpec]:
        """Every (family, alpha, rho) once, in the order given."""
        every = product(self.family, self.alpha, self.rho)
        return list(dict.fromkeys(ModelSpec(alpha, rho, self.classes, family) for family, alpha, rho in every))

    def targets(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Each target with the formats and precisions to write for it.

        Only int8 files differ by target; all others are written once, for the first target that takes them.

        Raises:
            UsageError: A target takes nothing of the grid.
        """
        found, written = [], set[str]()
        for name in dict.fromkeys(self.target):
            made_for = TARGETS[name]
            formats = tuple(format_ for format_ in self.format if format_ in made_for.formats)
            taken = (*made_for.precisions, *made_for.more)
            precisions = tuple(
                precision
                for precision in dict.fromkeys(self.precision)
                if precision in taken and precision not in written
            )
            if not formats or not precisions:
                raise UsageError(
                    f"grid.target {name} takes nothing of this grid; it is for {' and '.join(made_for.formats)} in "
                    f"{' or '.join(taken)}"
                )
            written |= set(precisions) - {"int8"}
            found.append((name, formats, precisions))
        return found


@dataclass(frozen=True)
class WeightsTable:
    """`source` as `mnet build --weights`; `seed` of random ones."""

    source: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise UsageError(f"weights.seed must be from 0 to {SEEDS - 1}, got {self.seed}")


@dataclass(frozen=True)
class CalibrationTable:
    """`source`: a folder of images, or "random" for noise."""

    source: str = "random"
    count: int = 100
    effort: str = "fast"

    def __post_init__(self) -> None:
        _at_least_one("calibration.count", self.count)
        if self.effort not in EFFORTS:
            raise UsageError(f"calibration.effort is {self.effort!r}; known: {', '.join(EFFORTS)}")


@dataclass(frozen=True)
class Profiling:
    """As the options of `mnet profile`; `hosts` as its `--host`."""

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
class Evaluating:
    """As the options of `mnet evaluate`; no `data`, no accuracy."""

    data: str | None = None
    labels: str | None = None


@dataclass(frozen=True)
class Sweep:
    """A whole file; `preprocess` as the options of `mnet build`."""

    grid: GridTable
    weights: WeightsTable = field(default_factory=WeightsTable)
    calibration: CalibrationTable = field(default_factory=CalibrationTable)
    profile: Profiling = field(default_factory=Profiling)
    evaluate: Evaluating = field(default_factory=Evaluating)
    preprocess: PixelOptions = NOTHING


def load_sweep(path: Path) -> Sweep:
    """Read a sweep's file.

    Raises:
        InputError: It cannot be read, is not TOML, or has a key or value that cannot be.
    """
    return toml.read(path, Sweep)


def _at_least_one(name: str, number: int) -> None:
    if number < 1:
        raise UsageError(f"{name} must be at least 1, got {number}")
