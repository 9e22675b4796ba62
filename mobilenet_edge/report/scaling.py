"""Compare what alpha and rho save in multiplications with what they save in time, over the grid of a sweep.

Sections 3.3 and 3.4 of arXiv:1704.04861: the multiplications are proportional to alpha² and to rho², nearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from json import dumps
from typing import Any, Final

from mobilenet_edge.model.spec import IMAGENET_CLASSES
from mobilenet_edge.report.cells import NONE
from mobilenet_edge.report.columns import delegate
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.report.notes import runtimes
from mobilenet_edge.report.rows import Row, grouped
from mobilenet_edge.units import format_count, format_ms

COLUMNS: Final = tuple(
    map(Column, ("alpha", "rho", "predicted", "MACs", "of MACs", "median ms", "of ms", "of ms / predicted"))
)
NOTE: Final = """\
All shares are of the variant in the first row; predicted is alpha² · rho². The share of the MACs is larger, because
the first layer and the depthwise convolutions shrink with alpha and not with alpha². The share of the milliseconds is
larger again where a call costs time that does not depend on the model, where few channels leave parts of the vector
registers empty, or where a layer waits for memory; it is smaller where a smaller model fits a cache."""

Line = list[tuple[float, float]]


@dataclass(frozen=True)
class Point:
    """One variant.

    Attributes:
        alpha: Width multiplier.
        resolution: Side of the input in pixels.
        macs: Multiply-accumulates of one inference.
        ms: Median latency.
        doubted: Whether the profile has doubts.
    """

    alpha: float
    resolution: int
    macs: int
    ms: float
    doubted: bool = False


@dataclass(frozen=True)
class Scaling:
    """Variants that differ in nothing but alpha and rho, measured on one machine with one number of threads.

    Attributes:
        machine: Description of the machine.
        title: What they have in common: precision, format, runtime, threads and whatever is not usual.
        points: Variants, the widest and largest first.
    """

    machine: str
    title: str
    points: tuple[Point, ...]

    @property
    def largest(self) -> Point:
        """The variant that all shares are of."""
        return self.points[0]

    @property
    def doubts(self) -> str:
        """Say how many latencies have doubts; empty for none."""
        count = sum(point.doubted for point in self.points)
        return f"{count} of {len(self.points)} latencies have doubts, which mnet table names." if count else ""

    def predicted(self, point: Point) -> float:
        """Return α²ρ² of a variant, as a share of that of the largest."""
        return (point.alpha / self.largest.alpha * point.resolution / self.largest.resolution) ** 2

    @cached_property
    def over_alpha(self) -> dict[float, Line]:
        """For each resolution with two widths: (alpha, latency as a share of that of the widest), ascending."""
        groups = grouped(self.points, lambda point: float(point.resolution))
        return {side: _line(group, "alpha") for side, group in groups.items() if len(group) > 1}

    @cached_property
    def over_rho(self) -> dict[float, Line]:
        """For each alpha with two resolutions: (resolution, latency as a share of that of the largest), ascending."""
        groups = grouped(self.points, lambda point: point.alpha)
        return {alpha: _line(group, "resolution") for alpha, group in groups.items() if len(group) > 1}


def scalings(rows: Sequence[Row]) -> list[Scaling]:
    """Find the measured variants that differ in nothing but alpha and rho, where there are at least two of them."""
    entries = [entry for row in rows if (entry := _entry(row))]
    found = []
    for (machine, title), group in grouped(entries, lambda entry: entry[:2]).items():
        # Of several files of one variant the last one counts.
        points = {(point.alpha, point.resolution): point for _, _, point in group}
        found.append(Scaling(machine, title, tuple(points[key] for key in sorted(points, reverse=True))))
    return [scaling for scaling in found if scaling.over_alpha or scaling.over_rho]


def text(found: Sequence[Scaling]) -> str:
    """Format one table for each of `scalings` in Markdown."""
    blocks = [
        block
        for each in found
        for block in (f"### {inline(f'{each.title}: {each.machine}')}", grid(COLUMNS, cells(each)), each.doubts)
    ]
    return "\n\n".join([*filter(None, blocks), NOTE])


def cells(scaling: Scaling) -> list[list[str]]:
    """Return the cells of `COLUMNS` for every variant."""
    largest = scaling.largest
    return [
        [
            f"{point.alpha:g}",
            str(point.resolution),
            f"{(predicted := scaling.predicted(point)):.3f}",
            format_count(point.macs),
            f"{point.macs / largest.macs:.3f}",
            format_ms(point.ms),
            f"{point.ms / largest.ms:.3f}",
            NONE if point is largest else f"{point.ms / largest.ms / predicted:.2f}",
        ]
        for point in scaling.points
    ]


def json(found: Sequence[Scaling]) -> str:
    """Format the values of `text` as JSON."""
    return dumps([values(each) for each in found], indent=1)


def values(scaling: Scaling) -> dict[str, Any]:
    """Return the values of one table, with units in the names."""
    largest = scaling.largest
    rows = [
        {
            "alpha": point.alpha,
            "resolution_px": point.resolution,
            "predicted": scaling.predicted(point),
            "macs": point.macs,
            "of_macs": point.macs / largest.macs,
            "median_ms": point.ms,
            "of_ms": point.ms / largest.ms,
            "doubted": point.doubted,
        }
        for point in scaling.points
    ]
    return {"machine": scaling.machine, "title": scaling.title, "rows": rows}


def _entry(row: Row) -> tuple[str, str, Point] | None:
    """Return machine, title and values of a row, or None if it is no measured MobileNet."""
    profile, artifact, spec = row.latency, row.artifact, row.spec
    if profile is None or artifact is None or spec is None or not artifact.macs:
        return None
    file = [
        None if spec.family == "mobilenet_v1" else spec.family,
        artifact.precision,
        artifact.format,
        artifact.target if artifact.target != "generic" else None,
    ]
    words = [
        " ".join(word for word in file if word),
        None if spec.classes == IMAGENET_CLASSES else f"{spec.classes} classes",
        None if spec.channels == 3 else f"{spec.channels} channel{'s' * (spec.channels != 1)}",
        *runtimes([profile]),
        delegate(row),
        f"{profile.threads} thread{'s' * (profile.threads != 1)}",
    ]
    point = Point(spec.alpha, spec.resolution, artifact.macs, profile.median_ms, bool(profile.doubts))
    return row.machine, ", ".join(word for word in words if word), point


def _line(points: Sequence[Point], name: str) -> Line:
    return [(getattr(point, name), point.ms / points[0].ms) for point in reversed(points)]
