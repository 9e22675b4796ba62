"""Render the report page, a single HTML file with its scripts, style and data.

Data enters the page through Jinja2 with autoescape, or in a JSON block in which all HTML characters are escaped. The
content security policy allows only the scripts with the listed hashes, and no requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files as resources
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mobilenet_edge import __version__
from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.records import Export, Training
from mobilenet_edge.report import losses, scaling
from mobilenet_edge.report.cells import FIELDS, Field
from mobilenet_edge.report.columns import values
from mobilenet_edge.report.html import curves, cuts, machines, multipliers, palette, shares, timeline
from mobilenet_edge.report.html.confusion import mistakes
from mobilenet_edge.report.html.points import FAMILY, Point, points
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.markdown_table import Column
from mobilenet_edge.report.notes import notes
from mobilenet_edge.report.rows import Row, by_machine
from mobilenet_edge.text import printable

if TYPE_CHECKING:
    from jinja2 import Template

NEEDS: Final = ("jinja2", "plotly", "matplotlib")
SCRIPTS: Final = (
    "frame.js",
    "choice.js",
    "table.js",
    "chart.js",
    "limits.js",
    "tradeoff.js",
    "latency.js",
    "mistakes.js",
    "training.js",
    "cuts.js",
    "multipliers.js",
    "detail.js",
    "start.js",
)
# Column of the CSV that a column of the table is sorted by.
SORT_KEYS: Final[Mapping[str, str]] = {
    "MACs": "macs",
    "params": "parameters",
    "size": "size_bytes",
    "median ms": "median_ms",
    "p90 ms": "p90_ms",
    "mJ": "energy_mj",
    "top-1 (n)": "top1_percent",
    "published": "published_top1_percent",
    "agreement": "agreement_percent",
    "threads": "threads",
    "Pareto": "pareto",
}
# Columns that come before the others, so that a phone shows them.
FIRST: Final = ("Pareto", "format", "precision", "threads", "median ms", "top-1 (n)", "size")
FILTERS: Final = ("device", "format", "precision", "threads")


class Cell(NamedTuple):
    """Cell of the table with its text and its sort key, which may be empty."""

    text: str
    key: str


def check_packages() -> None:
    """Raise MissingExtraError if a package for the charts is missing."""
    for package in NEEDS:
        if find_spec(package) is None:
            raise MissingExtraError(f"mnet report needs {', '.join(NEEDS)}, but {package} is not installed", "report")


def html(
    rows: Sequence[Row],
    entries: Sequence[Entry],
    thumbnails: Mapping[str, str] = MappingProxyType({}),
    runs: Sequence[Training] = (),
    exports: Sequence[Export] = (),
) -> str:
    """Render the page.

    Args:
        rows: Rows of `rows.join`; may be empty if there is a history.
        entries: History; may be empty.
        thumbnails: Pictures to show, as data URIs by name.
        runs: Training runs; may be empty.
        exports: What exports found out; may be empty.
    """
    groups = by_machine(rows) if rows else {}
    names = machines.names(groups)
    all_points = points(groups, names)
    scripts = [_plotly(), "".join(_asset(script) for script in SCRIPTS)]
    training, divided, multiplied = curves.data(runs), cuts.data(exports), multipliers.data(rows, names)
    columns = [field for field in _columns(names, groups) if field.needed(rows)]
    return _template().render(
        policy=_policy(scripts),
        style=_asset("page.css"),
        scripts=scripts,
        data=_data(all_points, rows, entries, thumbnails, training, divided, multiplied),
        training=training,
        cuts=divided,
        losses=shares.data(exports),
        loss_columns=losses.COLUMNS,
        multipliers=multiplied,
        multiplier_columns=scaling.COLUMNS,
        multiplier_note=scaling.NOTE,
        columns=[column.column for column in columns],
        rows=[_cells(columns, row) for group in groups.values() for row in group],
        points=all_points,
        filters=_filters(all_points),
        machines=[
            (names[machine], printable(machine), [printable(note) for note in notes(group)])
            for machine, group in groups.items()
        ],
        absent=[(all_points[index]["label"], *why) for index, why in _absent(groups)],
        facts=_facts(all_points, names, entries),
        version=__version__,
    )


def _template() -> Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("page.html"))


def _filters(all_points: Sequence[Point]) -> dict[str, list[str]]:
    """Return what can be chosen by each filter."""
    doubts = sorted({doubt["code"] for point in all_points for doubt in point["doubts"]})
    return {**{name: _values(all_points, name) for name in FILTERS}, "doubts": doubts}


def _columns(names: Mapping[str, str], groups: Mapping[str, Sequence[Row]]) -> list[Field]:
    """Return the columns of `mnet table`, with the machine if there are several, and the codes of doubts."""
    places = {id(row): names[machine] for machine, group in groups.items() for row in group}
    variant = Field(FIELDS[0].column, lambda row: row.record.variant.removeprefix(FAMILY))
    device = Field(Column("device", words=True), lambda row: places[id(row)], lambda _: len(names) > 1)
    doubts = Field(
        Column("doubts", words=True), lambda row: ", ".join(_codes(row)), lambda rows: any(map(_codes, rows))
    )
    first = [field for title in FIRST for field in FIELDS if field.column.title == title]
    return [variant, *first[:1], device, *first[1:], *(field for field in FIELDS[1:] if field not in first), doubts]


def _codes(row: Row) -> list[str]:
    return list(dict.fromkeys(doubt.code for doubt in row.latency.doubts)) if row.latency else []


def _cells(columns: Sequence[Field], row: Row) -> list[Cell]:
    plain = values(row)
    plain["median_ms"] = plain["median_ms"] or plain["predicted_ms"]
    texts = [(printable(column.cell(row)), SORT_KEYS.get(column.column.title)) for column in columns]
    return [Cell(text, text.lower() if key is None else _number(plain[key])) for text, key in texts]


def _number(value: float | None) -> str:
    return "" if value is None else f"{float(value):.10g}"


def _values(all_points: Sequence[Point], name: str) -> list[str]:
    distinct = dict.fromkeys(point[name] for point in all_points if point[name] is not None)
    return [str(value) for value in (distinct if name == "device" else sorted(distinct))]


def _absent(groups: Mapping[str, Sequence[Row]]) -> list[tuple[int, tuple[str, str]]]:
    """List the rows that the charts leave out despite a measurement or an attempt: index, (threads, reason)."""
    absent: list[tuple[int, tuple[str, str]]] = []
    for index, row in enumerate(row for group in groups.values() for row in group):
        plain, unused = values(row), row.profile and unusable(row.profile)
        reasons = [sentence(unused) if unused else None, plain["failed"]]
        absent += [(index, (str(plain["threads"] or ""), printable(reason))) for reason in reasons if reason]
    return absent


def _facts(all_points: Sequence[Point], names: Mapping[str, str], entries: Sequence[Entry]) -> str:
    drawn = sum(point["median_ms"] is not None for point in all_points)
    predicted = sum(point["predicted"] for point in all_points)
    timed = _count(drawn - predicted, "latency", "latencies")
    files = _count(len({point["file"] for point in all_points} - {None}), "file", "files")
    parts = [
        f"{timed}{f' measured and {predicted} predicted' if predicted else ''} of {files}" if all_points else "",
        f"on {', '.join(name for name in names.values() if name != machines.UNKNOWN)}" if drawn else "",
        f"{_count(len(timeline.moments(entries)), 'check', 'checks')} in the history" if entries else "",
    ]
    return ", ".join(part for part in parts if part)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _data(
    all_points: Sequence[Point],
    rows: Sequence[Row],
    entries: Sequence[Entry],
    thumbnails: Mapping[str, str],
    training: Sequence[Mapping[str, Any]],
    divided: Sequence[Mapping[str, Any]],
    multiplied: Sequence[Mapping[str, Any]],
) -> str:
    precisions = palette.assign(point["precision"] for point in all_points if point["precision"])
    document: dict[str, Any] = {
        "points": all_points,
        "training": training,
        "cuts": divided,
        "multipliers": [{name: each[name] for name in ("title", "alpha", "rho")} for each in multiplied],
        "mistakes": mistakes(row.evaluation for row in rows if row.evaluation),
        "thumbnails": dict(thumbnails),
        "colours": {"precisions": precisions, "all": palette.PRECISIONS, "others": palette.COLOURS},
        "families": palette.FAMILIES,
        "symbols": {name: symbol for name, (symbol, _) in palette.FORMATS.items()},
        "history": {
            "moments": timeline.moments(entries),
            "entries": [
                {**asdict(entry), "moment": entry.moment, "file": entry.file, "line": entry.line} for entry in entries
            ],
        },
    }
    return _escape_html(json.dumps(document, separators=(",", ":"), allow_nan=False))


def _escape_html(text: str) -> str:
    """Escape the characters of HTML in JSON, without changing its meaning."""
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (resources("mobilenet_edge.report.html") / "assets" / name).read_text(encoding="utf-8")


def _plotly() -> str:
    """Read the script of plotly without importing the package, which is slow."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("mnet report needs plotly, which is not installed", "report")
    folder = Path(spec.submodule_search_locations[0])
    return (folder / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
