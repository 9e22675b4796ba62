"""Convert the curves of mixed precision to plain values for the page: agreement against latency, a point a cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mobilenet_edge.records import Export, Record
from mobilenet_edge.records.export import Cut, Division
from mobilenet_edge.report.html.points import name
from mobilenet_edge.text import printable
from mobilenet_edge.units import format_ms

_DIGITS: Final = 4


def select(records: Iterable[Record]) -> list[Export]:
    """Return what exports found out, the last record of each file."""
    found = [record for record in records if isinstance(record, Export)]
    return list({record.sha256: record for record in found}.values())


def data(exports: Sequence[Export]) -> list[dict[str, Any]]:
    """Return a chart for each mixed file with a curve: latencies are relative to all int8, agreements in percent."""
    return [_chart(export, export.division) for export in exports if export.division]


def _chart(export: Export, division: Division) -> dict[str, Any]:
    int8, *_ = division.cuts
    return {
        "label": name(export),
        "format": printable(export.format),
        "wanted": round(100 * division.wanted, _DIGITS),
        "float32": round(division.float32_ms / int8.ms, _DIGITS),
        "points": [_point(cut, division) for cut in division.cuts if cut.agreement is not None],
        "facts": _facts(division),
    }


def _point(cut: Cut, division: Division) -> dict[str, Any]:
    return {
        "name": printable(cut.name) or "int8",
        "ratio": round(cut.ms / division.cuts[0].ms, _DIGITS),
        "agreement": round(100 * (cut.agreement or 0), _DIGITS),
        "snr_db": None if cut.snr_db is None else round(cut.snr_db, _DIGITS),
        "int8": not cut.name,
        "chosen": cut.name == division.cut,
        "lines": [
            f"{_layers(cut)} in float, {cut.macs_share:.0%} of the MACs" if cut.name else "all layers in int8",
            f"agreement {cut.agreement:.1%}" + ("" if cut.snr_db is None else f", SNR {cut.snr_db:.1f} dB"),
            f"{format_ms(cut.ms)} ms by estimate, {cut.ms / division.cuts[0].ms:.2f} times int8",
        ],
    }


def _layers(cut: Cut) -> str:
    return f"{cut.layers} layer{'s' * (cut.layers != 1)}"


def _facts(division: Division) -> str:
    """Say what was chosen, and what the figures are worth."""
    chosen, int8 = division.chosen, division.cuts[0]
    untried = sum(cut.agreement is None for cut in division.cuts)
    machine = division.host.get("cpu") or division.host.get("name") or "an unknown machine"
    parts = [
        f"Chosen for an agreement of {division.wanted:.1%}: {_layers(chosen)} in float, "
        f"{chosen.ms / int8.ms:.2f} times the latency of int8."
        if chosen
        else "",
        f"Agreement is measured on {division.views} views of {division.pictures} held-out pictures; latency adds up "
        f"operators timed with {division.runtime} {division.runtime_version} on {machine}.",
        f"{untried} cut{'s were' if untried > 1 else ' was'} not tried; mnet export --explain tries all."
        if untried
        else "",
    ]
    return printable(" ".join(part for part in parts if part))
