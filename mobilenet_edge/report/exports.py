"""Format the results of `mnet export`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from mobilenet_edge import units
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.conversion.coral import compiler
from mobilenet_edge.conversion.micro.emit import Sources
from mobilenet_edge.conversion.pipeline import Files
from mobilenet_edge.conversion.search import Search
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Agreement
from mobilenet_edge.records.remark import Remark
from mobilenet_edge.report import divisions, losses, npu
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable

NOTES: Final = """\
Each file was read back and compared with the float model. SNR is the signal-to-noise ratio of its logits (of its
outputs for float32); 20 dB more is a tenth of the error."""
_COLUMNS: Final = (
    Column("file", words=True),
    Column("size"),
    Column("SNR"),
    Column("same top-1"),
    Column("checked on", words=True),
)


def text(files: Files) -> str:
    """Format all that an export has to say: the table, and which layers lose most where that was asked for."""
    shown = table(files, files.mutual, files.split, files.remarks, files.search, files.sources)
    return f"{shown}\n\n{losses.text(files.losses)}" if files.losses else shown


def table(
    artifacts: Sequence[Artifact],
    mutual: float | None = None,
    split: str = "",
    remarks: Sequence[Remark] = (),
    search: Search | None = None,
    sources: Sequence[Sources] = (),
) -> str:
    """Format the files with the results of their verification.

    Args:
        artifacts: Exported files.
        mutual: Fraction of images on which the int8 files agree with each other, or None if unknown.
        split: Description of the split used for calibration, if there are several.
        remarks: What speaks against the calibration images.
        search: Result of the search for mixed files, if there was one.
        sources: C++ written for microcontrollers.
    """
    calibrations = [artifact.metadata.calibration for artifact in artifacts if artifact.metadata]
    provenance = dict.fromkeys(calibration.note for calibration in calibrations if calibration and calibration.note)
    notes = [NOTES, *(f"Calibration of int8: {printable(remark)}." for remark in provenance)]
    if mutual is not None:
        names = " and ".join(printable(artifact.path.name) for artifact in artifacts if artifact.precision == "int8")
        notes.append(
            f"{names} give the same top-1 on {mutual:.1%} of the checked images; the table shows how often they "
            "agree with the float model."
        )
    if split:
        notes.append(f"Calibrated with {printable(split)}.")
    notes += [f"Warning: {sentence(remark)}." for remark in remarks]
    notes += [*divisions.compare(artifacts, search), *_uncompiled(artifacts), *_compiled(artifacts)]
    notes += map(_source, sources)
    parts = [grid(_COLUMNS, [_row(artifact) for artifact in artifacts]), "\n".join(notes)]
    return "\n\n".join([*parts, *([divisions.table(search)] if search else [])])


def _uncompiled(artifacts: Sequence[Artifact]) -> list[str]:
    """Return how to compile the files for the Edge TPU if no compiler was available."""
    targeted = [artifact for artifact in artifacts if artifact.metadata and artifact.metadata.target == "edgetpu"]
    if any(artifact.metadata and artifact.metadata.compilation for artifact in targeted):
        return []
    return [printable(compiler.advice(artifact.path)) for artifact in targeted]


def _compiled(artifacts: Sequence[Artifact]) -> list[str]:
    """Describe the files that Vela compiled."""
    reports = [(file.path.name, file.metadata.compilation) for file in artifacts if file.metadata]
    return [npu.note(name, asdict(report)) for name, report in reports if report and report.estimate]


def _source(source: Sources) -> str:
    """Describe the C++ of a model and the memory that it takes."""
    taken, names = source.footprint, ", ".join(printable(path.name) for path in source.contents)
    return (
        f"{names}: the model as C++. It takes {units.format_bytes(taken.flash_bytes)} of flash and an arena of "
        f"{taken.arena_bytes:,} bytes, found with {taken.interpreter}; whether a board has that, mnet inspect "
        "--target tflm --board NAME tells."
    )


def _row(artifact: Artifact) -> list[str]:
    agreement = artifact.metadata.agreement if artifact.metadata else None
    if agreement is None:
        return [str(artifact.path), units.format_bytes(artifact.size_bytes), "", "", ""]
    real = agreement.inputs == "images"
    return [
        str(artifact.path),
        units.format_bytes(artifact.size_bytes),
        f"{agreement.snr_db:.1f} dB",
        _same(agreement) if real else "not measured",
        _inputs(agreement),
    ]


# As new and as older files say it.
_TOP1: Final = ("same top-1", "top-1")


def _same(agreement: Agreement) -> str:
    if agreement.measure == "cosine":
        return f"cosine {agreement.top1:.4f}"
    return f"{agreement.top1:.1%}" + ("" if agreement.measure in _TOP1 else f" ({agreement.measure})")


def _inputs(agreement: Agreement) -> str:
    """Return what the file was checked on."""
    if agreement.inputs != "images":
        return f"{agreement.count} synthetic images"
    if agreement.held_out:
        return f"{agreement.count} held-out images"
    return f"{agreement.count}, the calibration images themselves"
