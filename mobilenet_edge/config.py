"""The sweep's TOML file as frozen values. An unknown key is refused with the nearest known one."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from mobilenet_edge import files, typed
from mobilenet_edge.errors import InputError, MnetError, UsageError
from mobilenet_edge.spec import IMAGENET_CLASSES, ModelSpec

FORMATS: Final = ("tflite", "onnx")
PRECISIONS: Final = ("float32", "float16", "dynamic", "int8")
SEEDS: Final = 1 << 32
KINDS: Final[Mapping[Any, str]] = {int: "a whole number", float: "a number", str: "text", str | None: "text"}


@dataclass(frozen=True)
class Grid:
    """Which artifacts: the product of all lists."""

    alpha: tuple[float, ...]
    rho: tuple[int, ...]
    format: tuple[str, ...] = FORMATS
    precision: tuple[str, ...] = ("float32", "int8")
    classes: int = IMAGENET_CLASSES

    def __post_init__(self) -> None:
        for name, values, known in (("format", self.format, FORMATS), ("precision", self.precision, PRECISIONS)):
            if wrong := set(values) - set(known):
                raise UsageError(f"grid.{name} holds {', '.join(sorted(wrong))}; known: {', '.join(known)}")
        for name in ("alpha", "rho", "format", "precision"):
            if not getattr(self, name):
                raise UsageError(f"grid.{name} is empty, which leaves nothing to sweep; give it a value")

    def specs(self) -> list[ModelSpec]:
        """Every (alpha, rho) once, in the order given."""
        return list(dict.fromkeys(ModelSpec(alpha, rho, self.classes) for alpha in self.alpha for rho in self.rho))


@dataclass(frozen=True)
class Weights:
    """`source` as `mnet build --weights`; `seed` of random ones."""

    source: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise UsageError(f"weights.seed must be from 0 to {SEEDS - 1}, got {self.seed}")


@dataclass(frozen=True)
class Calibration:
    """`source`: a folder of images, or "random" for noise."""

    source: str = "random"
    count: int = 100

    def __post_init__(self) -> None:
        _at_least_one("calibration.count", self.count)


@dataclass(frozen=True)
class Profiling:
    """As the options of `mnet profile`."""

    threads: tuple[int, ...] = (1,)
    runs: int = 50
    seconds: float = 1.0
    rounds: int = 3

    def __post_init__(self) -> None:
        if not self.threads:
            raise UsageError("profile.threads is empty; give it a number, such as 1")
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
    """A whole file."""

    grid: Grid
    weights: Weights = field(default_factory=Weights)
    calibration: Calibration = field(default_factory=Calibration)
    profile: Profiling = field(default_factory=Profiling)
    evaluate: Evaluating = field(default_factory=Evaluating)


def load_sweep(path: Path) -> Sweep:
    """Read a sweep's file.

    Raises:
        InputError: It cannot be read, is not TOML, or has a key or value that cannot be.
    """
    try:
        table = tomllib.loads(files.read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {error}; see configs/ for examples") from error
    try:
        sweep: Sweep = _read(Sweep, table, "")
        sweep.grid.specs()
    except (MnetError, OverflowError) as error:
        raise InputError(f"{path}: {error}") from error
    return sweep


def _at_least_one(name: str, number: int) -> None:
    if number < 1:
        raise UsageError(f"{name} must be at least 1, got {number}")


def _read(cls: Any, table: Mapping[str, Any], place: str) -> Any:
    known, hints = {each.name for each in fields(cls)}, get_type_hints(cls)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise InputError(f"unknown key {place + key!r}; {hint}")
    values = {key: _value(hints[key], value, f"{place}{key}") for key, value in table.items()}
    needed = [each.name for each in fields(cls) if each.default is MISSING and each.default_factory is MISSING]
    if missing := [name for name in needed if name not in values]:
        where = f"the table [{place.rstrip('.')}]" if place else "the file"
        raise InputError(f"{where} lacks {' and '.join(missing)}; see configs/ for examples")
    return cls(**values)


def _value(kind: Any, value: Any, place: str) -> Any:
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise InputError(f"{place} is {value!r:.60}; it must be a table [{place}]")
        return _read(kind, value, f"{place}.")
    if get_origin(kind) is tuple:
        items = value if isinstance(value, list) else [value]
        return tuple(_value(get_args(kind)[0], item, place) for item in items)
    if not typed.fits(value, kind):
        raise InputError(f"{place} is {value!r:.60}; it must be {KINDS[kind]}")
    return float(value) if kind is float else value
