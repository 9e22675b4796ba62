"""What an export found out, as records: one of each file that it wrote."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from mobilenet_edge.conversion.pipeline import Files
from mobilenet_edge.conversion.search import Search
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.records.export import Cut, Division, Export
from mobilenet_edge.records.record import CALIBRATED

# Facts of a machine that change during a measurement.
_VARYING: Final = ("before", "after")


def records(files: Files) -> list[Export]:
    """Return a record of each file."""
    return [_record(file, files) for file in files]


def _record(file: Artifact, files: Files) -> Export:
    agreement = file.metadata.agreement if file.metadata else None
    return Export(
        **file.identity(),
        agreement=None if agreement is None else asdict(agreement),
        remarks=files.remarks if file.precision in CALIBRATED else (),
        division=_division(files.search, file.format) if files.search and file.precision == "mixed" else None,
        losses=files.losses if file.precision == "int8" else (),
    )


def _division(search: Search, kind: str) -> Division:
    timed = search.timed[kind]
    cuts = tuple(
        Cut(
            name=point.cut,
            layers=point.layers,
            macs_share=point.share,
            ms=point.ms[kind],
            agreement=point.agreement,
            snr_db=point.snr_db,
        )
        for point in search.points
    )
    return Division(
        cut=search.chosen[kind].cut,
        wanted=search.wanted,
        views=search.views,
        pictures=search.pictures,
        cuts=cuts,
        float32_ms=search.float32_ms[kind],
        runtime=timed.runtime,
        runtime_version=timed.runtime_version,
        threads=timed.threads,
        host={name: fact for name, fact in timed.host.items() if name not in _VARYING},
    )
