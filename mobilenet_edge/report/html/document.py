"""The page: one HTML file with its script, its style and its data, which asks nobody for anything.

Text gets in by two ways: through Jinja2 with autoescape, or in a JSON block in which no character of HTML is left as
it is. What is executed are the scripts whose hashes the page's own policy names, and nothing is fetched.
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
from typing import Any, Final, NamedTuple

from mobilenet_edge import __version__
from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.report.cells import FIELDS, Field
from mobilenet_edge.report.columns import values
from mobilenet_edge.report.html import machines, palette, timeline
from mobilenet_edge.report.html.points import FAMILY, Point, points
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.markdown_table import Column
from mobilenet_edge.report.notes import notes
from mobilenet_edge.report.rows import Row, by_machine
from mobilenet_edge.text import printable

NEEDS: Final = ("jinja2", "plotly", "matplotlib")
SCRIPTS: Final = ("frame.js", "choice.js", "table.js", "chart.js", "tradeoff.js", "latency.js", "detail.js", "start.js")
# What a column of the table is sorted by: a column of the CSV.
SORTED_BY: Final[Mapping[str, str]] = {
    "MACs": "macs",
    "params": "parameters",
    "size": "size_bytes",
    "median ms": "median_ms",
    "p90 ms": "p90_ms",
    "top-1 (n)": "top1_percent",
    "published": "published_top1_percent",
    "agreement": "agreement_percent",
    "threads": "threads",
    "Pareto": "pareto",
}
FILTERS: Final = ("device", "format", "precision", "threads")


class Cell(NamedTuple):
    """Of the table: its text, and what it is sorted by; empty where there is nothing to sort."""

    text: str
    key: str


def check_packages() -> None:
    """Raise MissingExtraError where a package is missing that draws."""
    for package in NEEDS:
        if find_spec(package) is None:
            raise MissingExtraError(
                f"mnet report draws with {', '.join(NEEDS)}, and {package} is not installed", "report"
            )


def html(rows: Sequence[Row], entries: Sequence[Entry]) -> str:
    """Lay out the page.

    Args:
        rows: As `rows.join` makes them; may be empty where there is a history.
        entries: A history; may be empty.
    """
    import jinja2

    groups = by_machine(rows) if rows else {}
    names = machines.names(groups)
    every = points(groups, names)
    scripts = [_plotly(), "".join(_asset(script) for script in SCRIPTS)]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    columns = [field for field in _columns(names, groups) if field.needed(rows)]
    return environment.from_string(_asset("page.html")).render(
        policy=_policy(scripts),
        style=_asset("page.css"),
        scripts=scripts,
        data=_data(every, entries),
        columns=[column.column for column in columns],
        rows=[_cells(columns, row) for group in groups.values() for row in group],
        points=every,
        filters={
            **{name: _values(every, name) for name in FILTERS},
            "doubts": sorted({doubt["code"] for point in every for doubt in point["doubts"]}),
        },
        machines=[
            (names[machine], printable(machine), [printable(note) for note in notes(group)])
            for machine, group in groups.items()
        ],
        absent=[(every[index]["label"], *why) for index, why in _absent(groups)],
        facts=_facts(every, names, entries),
        version=__version__,
    )


def _columns(names: Mapping[str, str], groups: Mapping[str, Sequence[Row]]) -> list[Field]:
    """The table's columns: those of `mnet table`, the machine where there are several, the codes of doubts."""
    places = {id(row): names[machine] for machine, group in groups.items() for row in group}
    variant = Field(FIELDS[0].column, lambda row: row.record.variant.removeprefix(FAMILY))
    device = Field(Column("device", words=True), lambda row: places[id(row)], lambda _: len(names) > 1)
    doubts = Field(
        Column("doubts", words=True), lambda row: ", ".join(_codes(row)), lambda rows: any(map(_codes, rows))
    )
    pareto = next(field for field in FIELDS if field.column.title == "Pareto")
    return [variant, pareto, device, *(field for field in FIELDS[1:] if field is not pareto), doubts]


def _codes(row: Row) -> list[str]:
    return list(dict.fromkeys(doubt.code for doubt in row.latency.doubts)) if row.latency else []


def _cells(columns: Sequence[Field], row: Row) -> list[Cell]:
    own = values(row)
    own["median_ms"] = own["median_ms"] or own["predicted_ms"]
    texts = [(printable(column.cell(row)), SORTED_BY.get(column.column.title)) for column in columns]
    return [Cell(text, text.lower() if key is None else _number(own[key])) for text, key in texts]


def _number(value: float | None) -> str:
    return "" if value is None else f"{float(value):.10g}"


def _values(every: Sequence[Point], name: str) -> list[str]:
    found = {point[name] for point in every} - {None}
    return [
        str(each) for each in (dict.fromkeys(p[name] for p in every if p[name]) if name == "device" else sorted(found))
    ]


def _absent(groups: Mapping[str, Sequence[Row]]) -> list[tuple[int, tuple[str, str]]]:
    """Rows that the pictures leave out although somebody measured or tried to: index, where, why."""
    found: list[tuple[int, tuple[str, str]]] = []
    for index, row in enumerate(row for group in groups.values() for row in group):
        plain, unused = values(row), row.profile and unusable(row.profile)
        reasons = [sentence(unused) if unused else None, plain["failed"]]
        found += [(index, (str(plain["threads"] or ""), printable(reason))) for reason in reasons if reason]
    return found


def _facts(every: Sequence[Point], names: Mapping[str, str], entries: Sequence[Entry]) -> str:
    drawn = sum(point["median_ms"] is not None for point in every)
    predicted = sum(point["predicted"] for point in every)
    timed = _count(drawn - predicted, "latency", "latencies")
    files = _count(len({point["file"] for point in every} - {None}), "file", "files")
    parts = [
        f"{timed}{f' measured and {predicted} predicted' if predicted else ''} of {files}" if every else "",
        f"on {', '.join(name for name in names.values() if name != machines.UNKNOWN)}" if drawn else "",
        f"{_count(len(timeline.moments(entries)), 'check', 'checks')} in the history" if entries else "",
    ]
    return ", ".join(each for each in parts if each)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _data(every: Sequence[Point], entries: Sequence[Entry]) -> str:
    precisions = palette.of(point["precision"] for point in every if point["precision"])
    document: dict[str, Any] = {
        "points": every,
        "colours": {"own": precisions, "others": palette.COLOURS},
        "families": palette.FAMILIES,
        "symbols": {name: symbol for name, (symbol, _) in palette.FORMATS.items()},
        "history": {
            "moments": timeline.moments(entries),
            "entries": [
                {**asdict(entry), "moment": entry.moment, "file": entry.file, "line": entry.line} for entry in entries
            ],
        },
    }
    return _quoted(json.dumps(document, separators=(",", ":"), allow_nan=False))


def _quoted(text: str) -> str:
    """Write JSON with no character that means something in HTML; the same JSON to who parses it."""
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
    """Read the library that draws; the package itself is not imported, for it takes as long as all the rest."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("the page draws with plotly, which is not installed", "report")
    folder = Path(spec.submodule_search_locations[0])
    return (folder / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
