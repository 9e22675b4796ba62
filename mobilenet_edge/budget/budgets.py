"""The budget file: which artifacts, and what they may cost. docs/check.md documents every key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path, PurePath
from typing import Final

from mobilenet_edge import files, schema, toml
from mobilenet_edge.budget.limit import METRICS, Limit
from mobilenet_edge.conversion.target import TARGETS
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats.artifact import READERS

PATH: Final = Path("configs/budgets.toml")
SELECTORS: Final = ("variant", "format", "precision", "target")
# What artifacts say of themselves; "unknown" and foreign types too, which cannot be misspelt into these.
_KNOWN: Final = {
    "format": dict.fromkeys(READERS),
    "precision": dict.fromkeys(("float32", "float16", "dynamic", "int8", "uint8", "unknown")),
    "target": TARGETS,
}


@dataclass(frozen=True)
class Budget:
    """One table of the file: selectors, all of which an artifact has to match, and limits.

    Attributes:
        name: In reports; made of the selectors where it is None.
        artifact: Patterns of paths, read from the right: `*` stands for any part of one name.
        variant: Patterns of names; likewise `format`, `precision` and `target`.
        device: The machine that `latency` and `memory` are limited on.
        threads: Of the profile that they are read from.
        size: Limits on bytes of the file.
        memory: On the peak resident memory.
        macs: On multiply-accumulates.
        parameters: On weights and biases.
        latency: On the median latency.
        min_agreement: Least share of images answered as the float model does.
        min_top1: Least top-1.
        ratchet: Whether `--update` may tighten the limits.
    """

    name: str | None = None
    artifact: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    precision: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    device: str | None = None
    threads: int = 1
    size: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    latency: tuple[str, ...] = ()
    min_agreement: tuple[str, ...] = ()
    min_top1: tuple[str, ...] = ()
    ratchet: bool = False

    @property
    def title(self) -> str:
        """Its name, else its selectors."""
        chosen = [" or ".join(getattr(self, each)) for each in ("artifact", *SELECTORS) if getattr(self, each)]
        return self.name or ", ".join(chosen) or "all artifacts"

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """Every limit, in the order of `METRICS`."""
        return tuple(Limit.parse(text, metric) for key, metric in METRICS.items() for text in getattr(self, key))

    def matches(self, artifact: str, **own: str | None) -> bool:
        """Whether an artifact of this path, variant, format, precision and target is meant."""
        if self.artifact and not any(PurePath(artifact).match(each) for each in self.artifact):
            return False
        chosen = {name: patterns for name in SELECTORS if (patterns := getattr(self, name))}
        return all(any(fnmatchcase(own[name] or "", each) for each in held) for name, held in chosen.items())

    def wrong(self) -> Iterator[tuple[str | None, str]]:
        """What cannot be, as key (None for the whole) and message."""
        for key, metric in METRICS.items():
            for text in getattr(self, key):
                try:
                    limit = Limit.parse(text, metric)
                except UsageError as error:
                    yield key, str(error)
                    continue
                if self.ratchet and not metric.exact:
                    yield (
                        key,
                        f"{key} differs from run to run, so that a ratchet would keep the luckiest; set no ratchet",
                    )
                elif self.ratchet and limit.relative:
                    yield (
                        key,
                        f"{text!r} is relative, and a ratchet turns on what the file says; give an absolute limit",
                    )
        if not any(getattr(self, key) for key in METRICS):
            yield None, f"the budget limits nothing; give it {', '.join(METRICS)}"
        yield from self._wrong_device()
        yield from self._wrong_patterns()

    def _wrong_device(self) -> Iterator[tuple[str, str]]:
        if self.latency and not self.device:
            yield "latency", 'a latency is that of a machine; add its name as in the records, such as device = "pi4"'
        if self.device and not (self.latency or self.memory):
            yield "device", "device is for latency and memory, and the budget limits neither; take it out"
        if self.threads < 1:
            yield "threads", f"threads must be at least 1, got {self.threads}"

    def _wrong_patterns(self) -> Iterator[tuple[str, str]]:
        for each in self.artifact:
            if "**" in each:
                yield "artifact", f"{each!r} has **; write one * for each folder"
            elif not each or PurePath(each).is_absolute():
                yield "artifact", f"{each!r} must be a path relative to where mnet runs, such as results/*.tflite"
        for name, table in _KNOWN.items():
            for each in getattr(self, name):
                if each not in table and not set(each) & set("*?["):
                    yield name, f"there is no {name} {each!r}; {schema.nearest(each, table)}"


@dataclass(frozen=True)
class _File:
    budget: tuple[Budget, ...]
    baseline: str | None = None


@dataclass(frozen=True)
class Budgets:
    """A budget file.

    Attributes:
        path: Of the file.
        text: Of the file.
        budgets: In its order.
        baseline: Path of the baseline that it names, None where it names none.
    """

    path: Path
    text: str
    budgets: tuple[Budget, ...]
    baseline: str | None = None

    def line(self, index: int, key: str | None = None) -> int:
        """Line of a key of a budget, or of the budget's beginning."""
        return _line(self.text, index, key)


def load(path: Path) -> Budgets:
    """Read a budget file.

    Raises:
        InputError: It cannot be read, is not TOML, or has a key or value that cannot be; with its line.
    """
    if path == PATH and not path.exists():
        raise InputError(f"there are no budgets yet: write {path} as docs/check.md shows, or name yours with --budgets")
    found = toml.read(path, _File)
    made = Budgets(path, files.read_bytes(path).decode(), found.budget, found.baseline)
    if not made.budgets:
        raise InputError(f"{path} holds no budget; begin one with [[budget]], see docs/check.md")
    for index, budget in enumerate(made.budgets):
        for key, message in budget.wrong():
            raise InputError(f"{path}, line {made.line(index, key)}: {message}")
    return made


@cache
def _line(text: str, index: int, key: str | None) -> int:
    # A single [budget] is taken for a list of one.
    places: tuple[schema.KeyPath, ...] = (
        ("budget", index, key or ""),
        ("budget", key or ""),
        ("budget", index),
        ("budget",),
    )
    return next((line for each in places if (line := toml.line_of(text, each))), 1)
