"""What `mnet export` wrote, for reading."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_edge import units
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.report.markdown import Column, grid

_COLUMNS = (Column("file", True), Column("size"), Column("logits SNR"), Column("same top-1"), Column("on", True))


def table(artifacts: Sequence[Artifact]) -> str:
    """Lay out files with the figures of their check."""
    rows = [_row(each) for each in artifacts]
    lines = [grid(_COLUMNS, rows)]
    notes = {each.metadata.calibration.note for each in artifacts if each.metadata and each.metadata.calibration}
    return "\n".join([*lines, *(["", *(f"- {note}" for note in sorted(notes - {""}))] if notes - {""} else [])])


def _row(made: Artifact) -> list[str]:
    found = made.metadata.agreement if made.metadata else None
    if found is None:
        return [str(made.path), units.format_bytes(made.size_bytes), "", "", ""]
    images = made.metadata.calibration is None or made.metadata.calibration.source == "images"  # type: ignore[union-attr]
    return [
        str(made.path),
        units.format_bytes(made.size_bytes),
        f"{found.snr_db:.1f} dB",
        f"{found.top1:.1%}" if images else "not measured",
        f"{found.count} calibration images",
    ]
