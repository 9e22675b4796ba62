"""Define the metrics that can be limited, and parse limits: "1.5 MB", "+2 %", "-0.5 points"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge import units
from mobilenet_edge.errors import UsageError

Unit = Literal["bytes", "count", "ms", "share"]

_PARSERS: Final[Mapping[str, Callable[[str], float]]] = {
    "bytes": units.parse_bytes,
    "count": units.parse_count,
    "ms": units.parse_ms,
    "share": units.parse_share,
}
_RELATIVE: Final = re.compile(r"([+-])\s*(.+)")
_POINTS: Final = re.compile(r"(.+?)\s*points?")
_BINARY: Final = re.compile(r"[kmg]ib", re.IGNORECASE)
# Decimal places that survive rounding, so that "95 %" equals 0.95 and "+2 %" of 100 equals 102.
_DIGITS: Final = 9


@dataclass(frozen=True)
class Metric:
    """A figure that can be limited.

    Attributes:
        key: Key in the budget file.
        title: Name in reports.
        kind: Type of quantity: bytes, count, ms (milliseconds) or share (of 1).
        floor: Whether limits are lower limits.
        exact: Whether the same file always has the same figure; only such a metric can have a ratchet.
    """

    key: str
    title: str
    kind: Unit
    floor: bool = False
    exact: bool = True

    def text(self, value: float, *, binary: bool = False) -> str:
        """Format a quantity with its unit; sizes are decimal (kB) unless `binary` (KiB)."""
        if self.kind == "share":
            return f"{100 * value:.2f} %"
        if self.kind == "ms":
            return f"{units.format_ms(value)} ms"
        if self.kind == "count":
            return units.format_count(round(value))
        return _binary(value) if binary else units.format_bytes(round(value))

    def exactly(self, value: float) -> str:
        """Format a quantity with all its digits."""
        if self.kind == "bytes":
            return f"{round(value):,} B".replace(",", " ")
        return f"{round(value):,}".replace(",", " ") if self.kind == "count" else self.text(value)

    def change(self, value: float, before: float) -> str:
        """Format the change of a quantity: in percent, or for a share in points."""
        if self.kind == "share":
            return f"{100 * (value - before):+.2f} points"
        if value == before:
            return "same"
        return f"{value / before - 1:+.2%}".replace("%", " %") if before else "new"


METRICS: Final[Mapping[str, Metric]] = {
    metric.key: metric
    for metric in (
        Metric("size", "size", "bytes"),
        Metric("memory", "memory", "bytes", exact=False),
        Metric("macs", "MACs", "count"),
        Metric("parameters", "parameters", "count"),
        Metric("latency", "latency", "ms", exact=False),
        Metric("min_agreement", "agreement", "share", floor=True),
        Metric("min_top1", "top-1", "share", floor=True),
    )
}


@dataclass(frozen=True)
class Limit:
    """A limit on a metric.

    Attributes:
        metric: The limited figure.
        text: The limit as written in the file.
        value: The limit in the unit of the metric; for a relative limit the allowed change.
        relative: None for an absolute limit, "share" if `value` is a share of the baseline, "amount" if it is in the
            unit of the metric.
    """

    metric: Metric
    text: str
    value: float
    relative: Literal["share", "amount"] | None = None

    @classmethod
    def parse(cls, text: str, metric: Metric) -> Limit:
        """Parse a limit; one with a sign is relative to a baseline.

        Raises:
            UsageError: The text is not a limit; the message gives valid examples.
        """
        match = _RELATIVE.fullmatch(text.strip())
        if match is None:
            value = _absolute(text, metric)
            return cls(metric, text, value)
        sign, rest = (-1 if match[1] == "-" else 1), match[2].strip()
        if metric.kind == "share":
            return cls(metric, text, sign * _points(rest, text), "amount")
        if rest.endswith("%"):
            return cls(metric, text, round(sign * units.parse_share(rest), _DIGITS), "share")
        return cls(metric, text, sign * _PARSERS[metric.kind](rest), "amount")

    @property
    def binary(self) -> bool:
        """Whether the limit is written in binary units such as KiB, so that figures beside it are too."""
        return bool(_BINARY.search(self.text))

    def bound(self, before: float | None) -> float:
        """Return the limit in the unit of its metric; a relative one needs `before`, the figure of the baseline."""
        if self.relative is None:
            return self.value
        if before is None:
            raise ValueError(f"{self.text} needs a baseline")
        return round(before * (1 + self.value) if self.relative == "share" else before + self.value, _DIGITS)

    def holds(self, actual: float, before: float | None) -> bool:
        """Return whether a figure is within the limit; a figure equal to the limit is."""
        bound = self.bound(before)
        return actual >= bound if self.metric.floor else actual <= bound


def dump(metric: Metric, value: float, like: str) -> str:
    """Format the tightest limit for a figure, in the unit of the limit `like` if that is exact."""
    if metric.kind == "share":
        # Rounded down to a hundredth of a percent, since the figure must reach the limit.
        return f"{int(value * 10_000 + 1e-6) / 100:g} %"
    number = round(value)
    unit = like.strip().lstrip("0123456789. ")
    scale = {"kb": 3, "mb": 6, "gb": 9}.get(unit.lower()) if metric.kind == "bytes" else None
    if scale is None:
        return f"{number} B" if metric.kind == "bytes" else str(number)
    whole, part = divmod(number, 10**scale)
    return f"{whole}.{part:0{scale}}".rstrip("0").rstrip(".") + f" {unit}"


def _absolute(text: str, metric: Metric) -> float:
    value = _PARSERS[metric.kind](text)
    if metric.kind == "share" and value > 1:
        raise UsageError(f"{text!r} is too high; {metric.key} is at most 100 %")
    return round(value, _DIGITS)


def _points(rest: str, text: str) -> float:
    match = _POINTS.fullmatch(rest)
    if match is None:
        raise UsageError(f'{text!r} is ambiguous for a share; write percentage points, such as "-0.5 points"')
    return round(units.parse_share(f"{match[1]}%"), _DIGITS)


def _binary(value: float) -> str:
    number, names = float(value), ["B", "KiB", "MiB", "GiB"]
    while number >= 1023.995 and len(names) > 1:
        number, names = number / 1024, names[1:]
    return f"{round(number)} B" if names[0] == "B" else f"{number:.2f} {names[0]}"
