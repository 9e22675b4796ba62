"""Read the budget file: limits on the figures of artifacts. docs/ci.md documents every key."""

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
# Values that artifacts can have, "unknown" included; other values without a wildcard are spelling mistakes.
_KNOWN: Final = {
    "format": dict.fromkeys(READERS),
    "precision": dict.fromkeys(("float32", "float16", "dynamic", "int8", "mixed", "uint8", "unknown")),
    "target": TARGETS,
}


@dataclass(frozen=True)
class Budget:
    """One table of the budget file: limits, and selectors that an artifact must match all.

    Attributes:
        name: Name in reports, None for one made of the selectors.
        artifact: Patterns of paths, matched from the right; `*` stands for any part of one name.
        variant: Patterns of variant names.
        format: Patterns of formats.
        precision: Patterns of precisions.
        target: Patterns of targets.
        device: The machine that the limits on `latency` and `memory` are for.
        threads: Number of threads of the profiles with these figures.
        size: Limits on the size of the file, in bytes.
        memory: Limits on the peak resident memory, in bytes.
        macs: Limits on the multiply-accumulates.
        parameters: Limits on the number of weights and biases.
        latency: Limits on the median latency.
        min_agreement: Lower limits on the share of images with the same answer as the float model.
        min_top1: Lower limits on the top-1 accuracy.
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
        """The name, or else the selectors."""
        selectors = [" or ".join(getattr(self, name)) for name in ("artifact", *SELECTORS) if getattr(self, name)]
        return self.name or ", ".join(selectors) or "all artifacts"

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """All limits, in the order of `METRICS`."""
        return tuple(Limit.parse(text, metric) for key, metric in METRICS.items() for text in getattr(self, key))

    def matches(self, artifact: str, **properties: str | None) -> bool:
        """Return whether an artifact matches all selectors.

        Args:
            artifact: Path of the artifact.
            **properties: Its variant, format, precision and target.
        """
        if self.artifact and not any(map(PurePath(artifact).match, self.artifact)):
            return False
        selectors = {name: patterns for name in SELECTORS if (patterns := getattr(self, name))}
        return all(
            any(fnmatchcase(properties[name] or "", pattern) for pattern in patterns)
            for name, patterns in selectors.items()
        )

    def problems(self) -> Iterator[tuple[str | None, str]]:
        """Yield each invalid setting: its key (None for the whole table) and a message."""
        for key, metric in METRICS.items():
            for text in getattr(self, key):
                try:
                    limit = Limit.parse(text, metric)
                except UsageError as error:
                    yield key, str(error)
                    continue
                if self.ratchet and not metric.exact:
                    yield key, f"{key} varies between runs, so a ratchet would keep the best run; remove ratchet"
                elif self.ratchet and limit.relative:
                    yield key, f"{text!r} is relative, and a ratchet needs an absolute limit; give an absolute limit"
        if not any(getattr(self, key) for key in METRICS):
            yield None, f"the budget limits nothing; give it {', '.join(METRICS)}"
        yield from self._device_problems()
        yield from self._pattern_problems()

    def _device_problems(self) -> Iterator[tuple[str, str]]:
        if self.latency and not self.device:
            yield "latency", 'a limit on latency needs a machine; add its name in the records, such as device = "pi4"'
        if self.device and not (self.latency or self.memory):
            yield "device", "device is for latency and memory, and the budget limits neither; remove it"
        if self.threads < 1:
            yield "threads", f"threads must be at least 1, got {self.threads}"

    def _pattern_problems(self) -> Iterator[tuple[str, str]]:
        for pattern in self.artifact:
            if "**" in pattern:
                yield "artifact", f"{pattern!r} has **; write one * for each folder"
            elif not pattern or PurePath(pattern).is_absolute():
                yield "artifact", f"{pattern!r} must be a path relative to where mnet runs, such as results/*.tflite"
        for name, known in _KNOWN.items():
            for pattern in getattr(self, name):
                if pattern not in known and not set(pattern) & set("*?["):
                    yield name, f"there is no {name} {pattern!r}; {schema.nearest(pattern, known)}"


@dataclass(frozen=True)
class _File:
    budget: tuple[Budget, ...] = ()
    baseline: str | None = None


@dataclass(frozen=True)
class Budgets:
    """A budget file.

    Attributes:
        path: Path of the file.
        text: Content of the file.
        budgets: The budgets, in the order of the file.
        baseline: Path of the baseline, None if the file names none.
    """

    path: Path
    text: str
    budgets: tuple[Budget, ...]
    baseline: str | None = None

    def line(self, index: int, key: str | None = None) -> int:
        """Return the line, from 1, of a key of a budget or of the start of the budget."""
        return _line(self.text, index, key)


def load(path: Path) -> Budgets:
    """Read a budget file, whose baseline is relative to its folder.

    Raises:
        InputError: The file cannot be read, is not TOML, or has an invalid key or value; the message gives the line.
    """
    if path == PATH and not path.exists():
        raise InputError(f"no budgets yet: mnet init writes {path}, or give another file with --budgets")
    file = toml.read(path, _File)
    baseline = None if file.baseline is None else str(path.parent / file.baseline)
    budgets = Budgets(path, files.read_bytes(path).decode(), file.budget, baseline)
    if not budgets.budgets:
        raise InputError(f"{path} has no budget; add one with [[budget]], see docs/ci.md")
    for index, budget in enumerate(budgets.budgets):
        for key, message in budget.problems():
            raise InputError(f"{path}, line {budgets.line(index, key)}: {message}")
    return budgets


@cache
def _line(text: str, index: int, key: str | None) -> int:
    # A single [budget] is also valid, as a list of one.
    key_paths: tuple[schema.KeyPath, ...] = (
        ("budget", index, key or ""),
        ("budget", key or ""),
        ("budget", index),
        ("budget",),
    )
    return next((line for key_path in key_paths if (line := toml.line_of(text, key_path))), 1)
