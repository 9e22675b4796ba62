"""`mnet plan`: what each variant costs, from arithmetic and published figures alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.layers import int8_bytes, macs
from mobilenet_edge.model.published import lookup
from mobilenet_edge.model.spec import IMAGENET_CLASSES, PUBLISHED, Family, ModelSpec
from mobilenet_edge.report import explain, variants
from mobilenet_edge.units import format_bytes, format_count

# Less than any model's header and weights.
_LEAST_BYTES: Final = 1000


@dataclass(frozen=True)
class _Limit:
    """One constraint.

    Attributes:
        option: How it was asked.
        excess: By how much a variant misses it; 0 or less where it fits.
        figure: A variant's figure.
        in_megabytes: The option as it was probably meant, where a size is too small to be one; else empty.
    """

    option: str
    excess: Callable[[ModelSpec], float]
    figure: Callable[[ModelSpec], str]
    in_megabytes: str = ""


def run(
    alphas: Sequence[float] = (),
    resolutions: Sequence[int] = (),
    *,
    layers: bool = False,
    max_macs: int | None = None,
    max_size: int | None = None,
    min_top1: float | None = None,
    classes: int = IMAGENET_CLASSES,
    families: Sequence[Family] = ("mobilenet_v1",),
) -> tuple[str, bool]:
    """Tabulate variants, or explain one layer by layer.

    Args:
        alphas: Width multipliers; empty for the published ones.
        resolutions: Input sides in pixels; empty for the published ones.
        layers: Explain the one variant asked for.
        max_macs: Most multiply-accumulates of one inference.
        max_size: Most bytes of the int8 file, judged by its floor.
        min_top1: Least published float top-1, in percent.
        classes: Number of outputs.
        families: Of the variants.

    Returns:
        Text for the terminal, which is Markdown too, and whether a variant is left; where none is, a sentence.

    Raises:
        UsageError: A value is out of range, or `layers` with more than one variant.
    """
    specs = [spec for family in families for spec in _specs(family, alphas, resolutions, classes)]
    if layers and len(specs) > 1:
        raise UsageError(f"--layers explains one variant, not {len(specs)}; give one --alpha and one --rho")
    unknown = [] if min_top1 is None else [spec for spec in specs if lookup(spec) is None]
    note = f"--min-top1 needs a published figure and leaves out {_names(unknown)}." if unknown else ""
    kept = [spec for spec in specs if spec not in unknown]
    met: list[str] = []
    for limit in _limits(max_macs, max_size, min_top1):
        fitting = [spec for spec in kept if limit.excess(spec) <= 0]
        if kept and not fitting:
            return _joined(_nothing(kept, limit, met), note), False
        kept = fitting
        met.append(limit.option)
    if not kept:
        return f"No variant is left: {note}", False
    return _joined(explain.text(kept[0]) if layers else variants.table(kept), note), True


def _specs(family: Family, alphas: Sequence[float], resolutions: Sequence[int], classes: int) -> list[ModelSpec]:
    """List the variants of a family, widest first; the published ones where nothing is asked for."""
    asked = set(PUBLISHED[family])
    if alphas or resolutions:
        asked = set(product(alphas or {alpha for alpha, _ in asked}, resolutions or {side for _, side in asked}))
    return sorted({ModelSpec(*each, classes, family) for each in asked}, reverse=True)


def _limits(max_macs: int | None, max_size: int | None, min_top1: float | None) -> list[_Limit]:
    limits = []
    if max_macs is not None:
        limits.append(
            _Limit(
                f"--max-macs {format_count(max_macs)}",
                lambda spec: macs(spec) - max_macs,
                lambda spec: f"{format_count(macs(spec))} MACs",
            )
        )
    if max_size is not None:
        limits.append(
            _Limit(
                f"--max-size {format_bytes(max_size)}",
                lambda spec: int8_bytes(spec) - max_size,
                lambda spec: f"at least {format_bytes(int8_bytes(spec))} in int8",
                f"--max-size {max_size}MB" if max_size < _LEAST_BYTES else "",
            )
        )
    if min_top1 is not None:
        if not 1 <= min_top1 <= 100:
            raise UsageError(f"--min-top1 is in percent, from 1 to 100, got {min_top1:g}; for example 55")
        limits.append(
            _Limit(
                f"--min-top1 {min_top1:g}",
                lambda spec: min_top1 - _top1(spec),
                lambda spec: f"published top-1 {_top1(spec)} %",
            )
        )
    return limits


def _top1(spec: ModelSpec) -> float:
    known = lookup(spec)
    return known.top1 if known else 0.0


def _nothing(left: Sequence[ModelSpec], limit: _Limit, met: Sequence[str]) -> str:
    closest = min(left, key=limit.excess)
    last = "the last one" if len(left) == 1 else f"the last {len(left)}"
    within = f" within {' and '.join(met)}" if met else ""
    unit = f"\nA bare number is bytes; with a unit: {limit.in_megabytes}." if limit.in_megabytes else ""
    return (
        f"No variant fits: {limit.option} removes {last}{within}.\n"
        f"The closest is {closest.name}, with {limit.figure(closest)}.{unit}"
    )


def _names(specs: Sequence[ModelSpec]) -> str:
    shown = ", ".join(spec.name for spec in specs[:3])
    return shown if len(specs) <= 3 else f"{shown} and {len(specs) - 3} more"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
