"""What can be limited, and limits as people write them: "1.5 MB", "+2 %", "-0.5 points"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge import units
from mobilenet_edge.errors import UsageError

Kind = Literal["bytes", "count", "ms", "share"]

_PARSERS: Final[Mapping[str, Callable[[str], float]]] = {
    "bytes": units.parse_bytes,
    "count": units.parse_count,
    "ms": units.parse_ms,
    "share": units.parse_share,
}
_RELATIVE: Final = re.compile(r"([+-])\s*(.+)")
_POINTS: Final = re.compile(r"(.+?)\s*points?")
_BINARY: Final = re.compile(r"[kmg]ib", re.IGNORECASE)
# Products with decimal shares: 0.95 must be what "95 %" is, and 102 what "+2 %" of 100 is.
_DIGITS: Final = 9


@dataclass(frozen=True)
class Metric:
    """One thing that can be limited.

    Attributes:
        key: In the budget file.
        title: In reports.
        kind: Of quantity: bytes, count, ms (milliseconds) or share (of 1).
        floor: Whether the limit is the least that it may be, not the most.
        exact: Whether the same file always has the same figure; others cannot be ratcheted.
    """

    key: str
    title: str
    kind: Kind
    floor: bool = False
    exact: bool = True

    def text(self, value: float, *, binary: bool = False) -> str:
        """Write a quantity with its unit; sizes decimal (kB) unless `binary` (KiB)."""
        if self.kind == "share":
            return f"{100 * value:.2f} %"
        if self.kind == "ms":
            return f"{units.format_ms(value)} ms"
        if self.kind == "count":
            return units.format_count(round(value))
        return _binary(value) if binary else units.format_bytes(round(value))

    def exactly(self, value: float) -> str:
        """Write a quantity to its last digit."""
        if self.kind == "bytes":
            return f"{round(value):,} B".replace(",", " ")
        return f"{round(value):,}".replace(",", " ") if self.kind == "count" else self.text(value)

    def change(self, value: float, before: float) -> str:
        """Write how a quantity changed: in percent, a share in points."""
        if self.kind == "share":
            return f"{100 * (value - before):+.2f} points"
        if value == before:
            return "same"
        return f"{value / before - 1:+.2%}".replace("%", " %") if before else "new"


METRICS: Final[Mapping[str, Metric]] = {
    each.key: each
    for each in (
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
        metric: What it limits.
        text: As it was written.
        value: In bytes, milliseconds, or as it is counted; of a relative limit what is added.
        relative: None, "share" where `value` is a share of the baseline, "amount" where it is added to it.
    """

    metric: Metric
    text: str
    value: float
    relative: Literal["share", "amount"] | None = None

    @classmethod
    def parse(cls, text: str, metric: Metric) -> Limit:
        """Read a limit; one with a sign is relative to a baseline.

        Raises:
            UsageError: It is none; the message shows what would be one.
        """
        found = _RELATIVE.fullmatch(text.strip())
        if found is None:
            value = _absolute(text, metric)
            return cls(metric, text, value)
        sign, rest = (-1 if found[1] == "-" else 1), found[2].strip()
        if metric.kind == "share":
            return cls(metric, text, sign * _points(rest, text), "amount")
        if rest.endswith("%"):
            return cls(metric, text, round(sign * units.parse_share(rest), _DIGITS), "share")
        return cls(metric, text, sign * _PARSERS[metric.kind](rest), "amount")

    @property
    def binary(self) -> bool:
        """Whether it is written in KiB or MiB, as what is compared with it should be."""
        return bool(_BINARY.search(self.text))

    def bound(self, before: float | None) -> float:
        """Return the limit in its metric's unit; `before` is the baseline's figure, needed by a relative one."""
        if self.relative is None:
            return self.value
        if before is None:
            raise ValueError(f"{self.text} needs a baseline")
        return round(before * (1 + self.value) if self.relative == "share" else before + self.value, _DIGITS)

    def holds(self, actual: float, before: float | None) -> bool:
        """Whether a figure is within the limit; the limit itself is."""
        bound = self.bound(before)
        return actual >= bound if self.metric.floor else actual <= bound


def dump(metric: Metric, value: float, like: str) -> str:
    """Write a figure as a limit that it just holds, in the unit of the limit `like` where that can be exact."""
    if metric.kind == "share":
        # Down to a hundredth of a percent: rounding up would be more than there is.
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
        raise UsageError(f"{text!r} is more than all; {metric.key} is at most 100 %")
    return round(value, _DIGITS)


def _points(rest: str, text: str) -> float:
    found = _POINTS.fullmatch(rest)
    if found is None:
        raise UsageError(f'{text!r} could be of the share or of all; write points, such as "-0.5 points"')
    return round(units.parse_share(f"{found[1]}%"), _DIGITS)


def _binary(value: float) -> str:
    number, names = float(value), ["B", "KiB", "MiB", "GiB"]
    while number >= 1023.995 and len(names) > 1:
        number, names = number / 1024, names[1:]
    return f"{round(number)} B" if names[0] == "B" else f"{number:.2f} {names[0]}"
