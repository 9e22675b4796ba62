"""The sweep's TOML file as frozen values. An unknown key is refused with the nearest known one."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from mobilenet_edge import files
from mobilenet_edge.errors import InputError, MnetError, UsageError
from mobilenet_edge.spec import IMAGENET_CLASSES, ModelSpec

FORMATS: Final = ("tflite", "onnx")
PRECISIONS: Final = ("float32", "int8")


@dataclass(frozen=True)
class Grid:
    """Which artifacts: the product of all lists."""

    alpha: tuple[float, ...]
    rho: tuple[int, ...]
    format: tuple[str, ...] = FORMATS
    precision: tuple[str, ...] = PRECISIONS
    classes: int = IMAGENET_CLASSES

    def __post_init__(self) -> None:
        for name, values, known in (("format", self.format, FORMATS), ("precision", self.precision, PRECISIONS)):
            if wrong := set(values) - set(known):
                raise UsageError(f"grid.{name} holds {', '.join(sorted(wrong))}; known: {', '.join(known)}")
        if not all((self.alpha, self.rho, self.format, self.precision)):
            raise UsageError("a list of the grid is empty; there is nothing to sweep")

    def specs(self) -> list[ModelSpec]:
        """Every (alpha, rho), in the order given."""
        return [ModelSpec(alpha, rho, self.classes) for alpha in self.alpha for rho in self.rho]


@dataclass(frozen=True)
class Weights:
    """`source` as `mnet build --weights`; `seed` of random ones."""

    source: str = "random"
    seed: int = 0


@dataclass(frozen=True)
class Calibration:
    """`source`: a folder of images, or "random" for noise."""

    source: str = "random"
    count: int = 100


@dataclass(frozen=True)
class Profiling:
    """As the options of `mnet profile`."""

    threads: tuple[int, ...] = (1,)
    runs: int = 50
    seconds: float = 1.0
    rounds: int = 3


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    try:
        sweep: Sweep = _read(Sweep, table, "")
        sweep.grid.specs()
    except MnetError as error:
        raise InputError(f"{path}: {error}") from error
    return sweep


def _read(cls: Any, table: Mapping[str, Any], place: str) -> Any:
    known, hints = {each.name for each in fields(cls)}, get_type_hints(cls)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise InputError(f"unknown key {place}{key!r}; {hint}")
    values = {key: _value(hints[key], value, f"{place}{key}") for key, value in table.items()}
    try:
        return cls(**values)
    except TypeError as error:
        missing = [each.name for each in fields(cls) if each.name not in values]
        raise InputError(f"{place or 'the file'} needs {', '.join(missing[:2])}") from error


def _value(kind: Any, value: Any, place: str) -> Any:
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise InputError(f"{place} is {value!r}; it must be a table [{place}]")
        return _read(kind, value, f"{place}.")
    if get_origin(kind) is tuple:
        items = value if isinstance(value, list) else [value]
        return tuple(_value(get_args(kind)[0], item, place) for item in items)
    wanted = get_args(kind) or (kind,)
    if float in wanted and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise InputError(f"{place} is {value!r}; it must be {' or '.join(each.__name__ for each in wanted[:1])}")
    return value
