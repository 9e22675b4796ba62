"""Parse and format quantities: "50M" MACs, "1.5MB", "20ms", "10m", "5/s", "2%".

K, M and G are decimal everywhere: 1kB is 1000 bytes and 1KiB is 1024, as in IEC 80000-13. Letter case and spaces before
the unit do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mobilenet_edge.errors import UsageError

COUNTS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
BYTES: Final = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
MILLISECONDS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}
SECONDS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
PER_SECOND: Final = {"/s": 1.0, "/m": 1 / 60, "/min": 1 / 60, "/h": 1 / 3600}
SHARES: Final = {"%": 0.01}

# In the paper, rho is a share of the base side; sides are multiples of the step.
_BASE_SIDE: Final = 224
_STEP: Final = 32

# A double represents fifteen digits exactly.
_QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15}) *([A-Za-z]*|%|/[A-Za-z]*)")


def parse_count(text: str) -> int:
    """Parse a count such as "50M", "1.5G" or "50000000".

    Raises:
        UsageError: The text is not a count.
    """
    return round(_parse(text, COUNTS, "a count such as 50000000, 500K, 50M or 1.5G"))


def parse_bytes(text: str) -> int:
    """Parse a size such as "1.5MB", "512KiB" or "1500000", in bytes.

    Raises:
        UsageError: The text is not a size; "1M" is refused too, since it may mean MB or MiB.
    """
    return round(_parse(text, BYTES, "a size such as 1500000, 1500kB, 1.5MB (decimal) or 1.5MiB (binary)"))


def parse_ms(text: str) -> float:
    """Parse a duration such as "20ms", "1.5s" or "800us", in milliseconds.

    Raises:
        UsageError: The text is not a duration with a unit.
    """
    return _parse(text, MILLISECONDS, "a duration such as 800us, 20ms or 1.5s")


def parse_seconds(text: str) -> float:
    """Parse a duration such as "30s", "10m" or "1.5h", in seconds.

    Raises:
        UsageError: The text is not a duration with a unit.
    """
    return _parse(text, SECONDS, "a duration such as 500ms, 30s, 10m or 1.5h")


def parse_rate(text: str) -> float:
    """Parse a rate such as "5/s" or "30/min", in 1/s.

    Raises:
        UsageError: The text is not a rate with a unit.
    """
    return _parse(text, PER_SECOND, "a rate such as 5/s or 30/min")


def parse_share(text: str) -> float:
    """Parse a percentage such as "2%" or "0.5%", as a share of 1.

    Raises:
        UsageError: The text is not a percentage; a number without % is refused too, since it may mean a share.
    """
    return _parse(text, SHARES, "a percentage such as 2% or 0.5%")


def parse_pixels(text: str) -> int:
    """Parse the side of an image in pixels.

    Raises:
        UsageError: The text is not a whole number; for a share of 224, the paper's rho, the message gives the pixels.
    """
    if text.strip().isdecimal():
        return int(text)
    share = _QUANTITY.fullmatch(text.strip())
    if share and not share[2] and 0 < float(share[1]) <= 1:
        side = round(float(share[1]) * _BASE_SIDE / _STEP) * _STEP
        raise UsageError(f"--rho takes pixels; {share[1].lstrip('0')} of {_BASE_SIDE} is {max(side, _STEP)}")
    raise UsageError(f"{text!r} is not a side in pixels such as 224 or 160; --rho takes pixels")


def format_count(number: int) -> str:
    """Format a count with three or four digits: "76.5 M", "464.6 k", "950"."""
    return _scaled(number, ("", "k", "M", "G"))


def format_bytes(number: int) -> str:
    """Format a size in decimal units with three or four digits: "1.39 MB", "516.4 kB", "950 B"."""
    return _scaled(number, ("B", "kB", "MB", "GB"))


def format_ms(number: float) -> str:
    """Format milliseconds without a unit: two decimals, three below 0.1; measurements vary more than that."""
    return f"{number:.3f}" if number < 0.0995 else f"{number:.2f}"


def _parse(text: str, factors: Mapping[str, float], forms: str) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    factor = factors.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise UsageError(f"{text!r} is not {forms}")
    return float(match[1]) * factor


def _scaled(number: int, names: tuple[str, ...]) -> str:
    if number < 1000:
        return f"{number} {names[0]}".rstrip()
    value, power = float(number), 0
    # From 999.95 on the next unit is used, since rounding would give "1000.0".
    while value >= 999.95 and power < len(names) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.{1 if value >= 9.995 else 2}f} {names[power]}"
