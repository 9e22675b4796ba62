"""What `mnet export` wrote, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mobilenet_edge import units
from mobilenet_edge.conversion.coral import compiler
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Agreement
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable

NOTES: Final = """\
Each file was opened again and run beside the float model. SNR is the signal-to-noise ratio of its logits, for float32
of its outputs: 20 dB more is a tenth of the error."""
_COLUMNS: Final = (
    Column("file", words=True),
    Column("size"),
    Column("SNR"),
    Column("same top-1"),
    Column("checked on", words=True),
)


def table(artifacts: Sequence[Artifact], mutual: float | None = None, split: str = "") -> str:
    """Lay out files with the figures of their check.

    Args:
        artifacts: The files.
        mutual: Share of images on which the int8 files agree with each other, None where that is not known.
        split: Which of several splits calibrated, in words.
    """
    calibrations = [artifact.metadata.calibration for artifact in artifacts if artifact.metadata]
    remarks = dict.fromkeys(calibration.note for calibration in calibrations if calibration and calibration.note)
    notes = [NOTES, *(f"Calibration of int8: {printable(remark)}." for remark in remarks)]
    if mutual is not None:
        names = " and ".join(printable(artifact.path.name) for artifact in artifacts if artifact.precision == "int8")
        notes.append(
            f"{names} answer like each other on {mutual:.1%} of the images checked; how often they answer like the "
            "float model stands above."
        )
    if split:
        notes.append(f"Calibrated with {printable(split)}.")
    notes += _uncompiled(artifacts)
    return "\n\n".join([grid(_COLUMNS, [_row(artifact) for artifact in artifacts]), "\n".join(notes)])


def _uncompiled(artifacts: Sequence[Artifact]) -> list[str]:
    """How to compile what was made for the Edge TPU, where no compiler was at hand."""
    made = [artifact for artifact in artifacts if artifact.metadata and artifact.metadata.target == "edgetpu"]
    if any(each.metadata and each.metadata.compilation for each in made):
        return []
    return [printable(compiler.advice(each.path)) for each in made]


def _row(made: Artifact) -> list[str]:
    found = made.metadata.agreement if made.metadata else None
    if found is None:
        return [str(made.path), units.format_bytes(made.size_bytes), "", "", ""]
    real = found.inputs == "images"
    return [
        str(made.path),
        units.format_bytes(made.size_bytes),
        f"{found.snr_db:.1f} dB",
        _same(found) if real else "not measured",
        _inputs(found),
    ]


def _same(found: Agreement) -> str:
    if found.measure == "cosine":
        return f"cosine {found.top1:.4f}"
    return f"{found.top1:.1%}" + ("" if found.measure == "top-1" else f" ({found.measure})")


def _inputs(agreement: Agreement) -> str:
    """What a file was checked on."""
    if agreement.inputs != "images":
        return f"{agreement.count} images of noise"
    if agreement.held_out:
        return f"{agreement.count} held-out images"
    return f"{agreement.count}, the calibration images themselves"
