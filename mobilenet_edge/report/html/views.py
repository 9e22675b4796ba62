"""Draw raw times, operators, sustained runs and the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.report.html import figure as draw
from mobilenet_edge.report.html import machines, palette, thin, timeline
from mobilenet_edge.report.html.points import family, label
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.rows import Row, grouped
from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Groups = Mapping[str, Sequence[Row]]
# A chart fits on a page; the HTML page shows all rows.
MAX_ROWS: Final = 24
# Golden ratio: runs that are close in time are never close in height.
GOLDEN_RATIO: Final = 0.618034


def distribution(groups: Groups) -> Figure | None:
    """Draw the times of the first rows as strips of dots, with median and 90th percentile; None without any."""
    timed = _latencies(groups)[:MAX_ROWS]
    if not timed:
        return None
    figure, axes = draw.rows(len(timed))
    colours = palette.assign(profile.precision for _, profile in timed)
    strips = [(profile.precision, *_strip(height, profile)) for height, (_, profile) in enumerate(timed)]
    # The dots of one colour are rasterised together, because thousands of vector dots would make a large file.
    for precision, group in grouped(strips, lambda strip: strip[0]).items():
        times = [time for _, times, _ in group for time in times]
        heights = [height for _, _, heights in group for height in heights]
        colour = colours[precision].light
        axes.plot(
            times, heights, linestyle="", marker=".", markersize=2.5, color=colour, alpha=0.5, rasterized=True, zorder=1
        )
    _bars(axes, [profile.median_ms for _, profile in timed], 0.42, 1.8)
    _bars(axes, [profile.percentile_ms(90) for _, profile in timed], 0.36, 0.7)
    axes.set_yticks(range(len(timed)), [name for name, _ in timed])
    axes.set_ylim(len(timed) - 0.4, -0.6)
    edges = [edge / 1e6 for _, profile in timed for edge in (min(profile.times_ns), max(profile.times_ns))]
    draw.logarithmic(axes, edges, "time of one inference in ms; thick: median, thin: p90")
    return figure


def _strip(height: int, profile: Profile) -> tuple[list[float], list[float]]:
    """Return times in ms, and heights that keep the dots apart."""
    times = [time / 1e6 for time in thin.dots(profile.times_ns)]
    return times, [height + ((index * GOLDEN_RATIO) % 1 - 0.5) * 0.6 for index in range(len(times))]


def _bars(axes: Axes, values: Sequence[float | None], half: float, width: float) -> None:
    known = [(value, height) for height, value in enumerate(values) if value is not None]
    low, high = ([height + sign * half for _, height in known] for sign in (-1, 1))
    axes.vlines([value for value, _ in known], low, high, color="#1c2024", linewidth=width, zorder=3)


def operators(groups: Groups) -> Figure | None:
    """Draw the time of each row by family of operators; return None if no operators were timed."""
    timed = [(name, profile) for name, profile in _latencies(groups) if profile.ops][:MAX_ROWS]
    if not timed:
        return None
    figure, axes = draw.rows(len(timed))
    left = [0.0] * len(timed)
    for name, colour in palette.FAMILIES.items():
        widths = [sum(max(op["ms"], 0) for op in p.ops or () if family(op["kind"]) == name) for _, p in timed]
        if any(widths):
            axes.barh(range(len(timed)), widths, left=left, color=colour.light, label=name, height=0.7)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(timed)), [name for name, _ in timed])
    axes.set_ylim(len(timed) - 0.4, -0.6)
    axes.set_xlabel("time of the operators in ms")
    figure.legend(loc="outside upper center", ncols=6)
    return figure


def trace(groups: Groups) -> Figure | None:
    """Draw sustained runs minute by minute, with the CPU temperature if known; return None without any."""
    sustained = [(name, profile) for name, profile in _latencies(groups) if profile.trace]
    if not sustained:
        return None
    has_temperature = any("temperature_c" in minute for _, profile in sustained for minute in profile.trace)
    figure, axes = draw.stacked(1 + has_temperature, 1, (draw.WIDTH, draw.HEIGHT), share_x=True)
    titles = ("latency in ms", "CPU in °C")
    for panel, key, title in zip(axes, ("median_ms", "temperature_c"), titles, strict=False):
        for index, (name, profile) in enumerate(sustained):
            line = [(minute["minute"], minute[key]) for minute in profile.trace if minute.get(key) is not None]
            colour = palette.COLOURS[index % len(palette.COLOURS)].light
            if line:
                panel.plot(*zip(*line, strict=True), marker="o", markersize=3, linewidth=1.4, color=colour, label=name)
        panel.set_ylabel(title)
    axes[0].set_ylim(bottom=0)
    axes[-1].set_xlabel("minute")
    axes[-1].locator_params(axis="x", integer=True)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def over_commits(entries: Sequence[Entry]) -> Figure | None:
    """Draw size and latency over commits; return None without a history."""
    if not entries:
        return None
    moments = timeline.moments(entries)
    timed = any(entry.median_ms is not None for entry in entries)
    figure, axes = draw.stacked(1 + timed, 1, (draw.WIDTH * 1.25, draw.HEIGHT * (1 + timed) * 0.8), share_x=True)
    places = {moment: index for index, moment in enumerate(moments)}
    _lines(axes[0], entries, places, lambda entry: entry.file, lambda entry: entry.size_bytes / 1e6)
    axes[0].set_ylabel("size in MB")
    if timed:
        _lines(axes[1], entries, places, lambda entry: entry.line, lambda entry: entry.median_ms)
        axes[1].set_ylabel("median latency in ms")
    step = -(-len(moments) // 7)
    axes[-1].set_xticks(range(0, len(moments), step), [printable(commit) for _, commit in moments[::step]])
    axes[-1].set_xlabel("commit")
    return figure


def _lines(
    axes: Axes, entries: Sequence[Entry], places: Mapping[tuple[str, str], int], name: Callable[[Entry], str],
    value: Callable[[Entry], float | None],
) -> None:  # fmt: skip
    known = [entry for entry in entries if value(entry) is not None]
    for index, (title, group) in enumerate(grouped(known, name).items()):
        line = sorted(((places[entry.moment], value(entry)) for entry in group), key=lambda pair: pair[0])
        colour = palette.COLOURS[index % len(palette.COLOURS)].light
        axes.plot(*zip(*line, strict=True), marker="o", markersize=3, linewidth=1.4, color=colour, label=title)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _latencies(groups: Groups) -> list[tuple[str, Profile]]:
    """Return name and profile of each timed row; names include machine and threads only if they differ."""
    names = machines.names(groups)
    timed = [(machine, row, row.latency) for machine, group in groups.items() for row in group if row.latency]
    many = len({machine for machine, _, _ in timed}) > 1
    threaded = len({profile.threads for _, _, profile in timed}) > 1
    return [
        (", ".join(chain([label(row)], [names[machine]] * many, [f"threads: {profile.threads}"] * threaded)), profile)
        for machine, row, profile in timed
    ]
