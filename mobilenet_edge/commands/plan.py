"""`mnet plan`: compute the cost of variants, without building them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from json import dumps
from pathlib import Path
from typing import Final

from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.layers import int8_bytes, macs
from mobilenet_edge.model.published import lookup
from mobilenet_edge.model.spec import IMAGENET_CLASSES, PUBLISHED, Family, ModelSpec
from mobilenet_edge.report import explain, variants
from mobilenet_edge.units import format_bytes, format_count

# Every model is larger than this.
_MIN_BYTES: Final = 1000


@dataclass(frozen=True)
class _Limit:
    """One constraint.

    Attributes:
        option: Option on the command line.
        excess: Function that returns the excess of a variant; 0 or less if it fits.
        figure: Function that returns the figure of a variant as text.
        in_megabytes: For an implausibly small size, the option with the unit MB; else empty.
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
) -> tuple[str, list[ModelSpec]]:
    """Tabulate variants, or explain one layer by layer.

    Args:
        alphas: Width multipliers; empty for the published ones.
        resolutions: Input sides in pixels; empty for the published ones.
        layers: Explain a single variant.
        max_macs: Maximum multiply-accumulates of one inference.
        max_size: Maximum size of the int8 file in bytes; compared with the lower bound of the size.
        min_top1: Minimum published float32 top-1 in percent.
        classes: Number of classes.
        families: Families of the variants.

    Returns:
        Markdown text, and the variants that fit.

    Raises:
        UsageError: A value is out of range, or there is more than one variant with `layers`.
    """
    specs = [spec for family in families for spec in _specs(family, alphas, resolutions, classes)]
    if layers and len(specs) > 1:
        raise UsageError(f"--layers explains one variant, not {len(specs)}; give one --alpha and one --rho")
    unknown = [] if min_top1 is None else [spec for spec in specs if lookup(spec) is None]
    note = f"--min-top1 excludes {_names(unknown)}, for lack of a published figure." if unknown else ""
    candidates = [spec for spec in specs if spec not in unknown]
    met: list[str] = []
    for limit in _limits(max_macs, max_size, min_top1):
        fitting = [spec for spec in candidates if limit.excess(spec) <= 0]
        if candidates and not fitting:
            return _join(_no_fit(candidates, limit, met), note), []
        candidates = fitting
        met.append(limit.option)
    if not candidates:
        return f"No variant is left: {note}", []
    return _join(explain.text(candidates[0]) if layers else variants.table(candidates), note), candidates


def measure(spec: ModelSpec, hosts: Sequence[str], devices: Path | None = None, threads: int = 1) -> tuple[str, str]:
    """Time the separable blocks of a variant beside the standard convolutions that they replace.

    Args:
        spec: A MobileNet v1.
        hosts: Machine to measure on.
        devices: Devices file, None for the usual one.
        threads: Thread count.

    Returns:
        The tables in Markdown, and the variant with its blocks as JSON.

    Raises:
        HostError: The machine cannot be reached, or an operator cannot be timed.
        UsageError: There are several machines, or the variant is not a MobileNet v1.
    """
    from mobilenet_edge.profiling import separable, targets
    from mobilenet_edge.report import savings

    if len(hosts) > 1:
        raise UsageError(f"--measure is for one machine, not {len(hosts)}; give one --host")
    (machine,) = targets.find(hosts, devices)
    timings, profile = separable.measure(spec, machine, threads=threads)
    values = [{**variants.values(spec), "blocks": savings.values(timings)}]
    return savings.text(timings, profile), dumps(values, indent=1)


def _specs(family: Family, alphas: Sequence[float], resolutions: Sequence[int], classes: int) -> list[ModelSpec]:
    """List variants of a family, widest first; the published ones by default."""
    pairs = set(PUBLISHED[family])
    if alphas or resolutions:
        pairs = set(product(alphas or {alpha for alpha, _ in pairs}, resolutions or {side for _, side in pairs}))
    return sorted({ModelSpec(*pair, classes, family) for pair in pairs}, reverse=True)


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
                f"--max-size {max_size}MB" if max_size < _MIN_BYTES else "",
            )
        )
    if min_top1 is not None:
        if not 1 <= min_top1 <= 100:
            raise UsageError(f"--min-top1 is in percent, from 1 to 100, got {min_top1:g}; give, for example, 55")
        limits.append(
            _Limit(
                f"--min-top1 {min_top1:g}",
                lambda spec: min_top1 - _top1(spec),
                lambda spec: f"published top-1 {_top1(spec)} %",
            )
        )
    return limits


def _top1(spec: ModelSpec) -> float:
    published = lookup(spec)
    return published.top1 if published else 0.0


def _no_fit(candidates: Sequence[ModelSpec], limit: _Limit, met: Sequence[str]) -> str:
    closest = min(candidates, key=limit.excess)
    last = "the last variant" if len(candidates) == 1 else f"the last {len(candidates)}"
    within = f" within {' and '.join(met)}" if met else ""
    unit = (
        f"\nA number without a unit is in bytes; for megabytes, give {limit.in_megabytes}."
        if limit.in_megabytes
        else ""
    )
    return (
        f"No variant fits: {limit.option} removes {last}{within}.\n"
        f"The closest is {closest.name}, with {limit.figure(closest)}.{unit}"
    )


def _names(specs: Sequence[ModelSpec]) -> str:
    shown = ", ".join(spec.name for spec in specs[:3])
    return shown if len(specs) <= 3 else f"{shown} and {len(specs) - 3} more"


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
