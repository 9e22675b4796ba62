"""Describe an artifact with all its known figures, for comparison with budgets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import schema
from mobilenet_edge.formats import artifact as reader

# Where an agreement was measured that says nothing of other images.
FITTED: Final = "the calibration images themselves"

Key = tuple[str, str | None, str | None, str | None]


@dataclass(frozen=True)
class Run:
    """The figures of one profile.

    Attributes:
        host: Name of the machine.
        threads: Threads within one inference.
        median_ms: Median latency.
        memory_bytes: Peak resident memory, None if unknown.
        unusable: Why the figures must not be used, None if they can be.
    """

    host: str
    threads: int
    median_ms: float
    memory_bytes: int | None = None
    unusable: str | None = None


@dataclass(frozen=True)
class Subject:
    """An artifact and its figures; None or () if unknown.

    Attributes:
        artifact: Path of the file, as given.
        variant: Name of the model.
        format: "tflite", "onnx" or "keras"; None if the export failed.
        precision: Precision of the file, such as "int8"; None if the export failed.
        target: Target of the export.
        size_bytes: Size of the file.
        macs: Multiply-accumulates of one inference.
        parameters: Number of weights and biases.
        agreement: Share of images with the same answer as the float model; the lowest measurement.
        agreement_of: The images of that measurement, in words; `FITTED` without an agreement for those that calibrated.
        top1: Top-1 accuracy, a share of 1; the lowest measurement.
        bytes: Size of each part of the file, None if not inspected.
        runs: The profiles.
        failures: Failed steps with their reasons.
    """

    artifact: str
    variant: str
    format: str | None = None
    precision: str | None = None
    target: str | None = None
    size_bytes: int | None = None
    macs: int | None = None
    parameters: int | None = None
    agreement: float | None = None
    agreement_of: str | None = None
    top1: float | None = None
    bytes: dict[str, int] | None = None
    runs: tuple[Run, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Variant, format, precision and target, which identify an artifact across exports."""
        return self.variant, self.format, self.precision, self.target

    def sections(self) -> dict[str, int] | None:
        """Return the size in bytes of each part of the file, reading the file if needed; None if unknown."""
        path = Path(self.artifact)
        if self.bytes is not None or self.size_bytes is None or not os.path.isfile(path):  # noqa: PTH113 - a name too long is none
            return self.bytes
        current = reader.read(path)
        # The file may have been replaced since it was measured.
        return current.contents.sections if current.size_bytes == self.size_bytes else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `from_dict` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Subject:
        """Build a subject from the JSON object of `to_dict`; keys of newer versions are ignored.

        Raises:
            TypeError: A key is missing, or a value has the wrong type.
        """
        return schema.from_dict(cls, entry)
