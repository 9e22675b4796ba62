"""What is compared with budgets: an artifact, with all that is known of it."""

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
    """What one profile found.

    Attributes:
        host: Name of the machine.
        threads: Within one inference.
        median_ms: Latency.
        memory_bytes: Peak resident memory, None where unknown.
        unusable: Why its figures are not for use, None where they are.
    """

    host: str
    threads: int
    median_ms: float
    memory_bytes: int | None = None
    unusable: str | None = None


@dataclass(frozen=True)
class Subject:
    """An artifact and its figures; None and () for what is not known.

    Attributes:
        artifact: Path, as it was given.
        variant: Name of the model.
        format: "tflite", "onnx" or "keras"; None where making the model failed.
        precision: None likewise.
        target: What it was made for.
        size_bytes: Of the file.
        macs: Multiply-accumulates of one inference.
        parameters: Weights and biases.
        agreement: Share of images answered as by the float model; the lowest that was measured.
        agreement_of: On what; `FITTED` without an agreement where it was measured, but cannot be believed.
        top1: The lowest that was measured.
        bytes: Where they go, by part; None where that was not looked at.
        runs: Its profiles.
        failures: What could not be made or measured, and why.
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
        """What stays the same when an artifact is made anew."""
        return self.variant, self.format, self.precision, self.target

    def sections(self) -> dict[str, int] | None:
        """Where the bytes go; read from the file where that was not done before, None where there is none."""
        path = Path(self.artifact)
        if self.bytes is not None or self.size_bytes is None or not os.path.isfile(path):  # noqa: PTH113 - a name too long is none
            return self.bytes
        found = reader.read(path)
        # The file may have been made again since it was measured.
        return found.contents.sections if found.size_bytes == self.size_bytes else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object; `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Subject:
        """Read what `to_dict` returned; it passes over keys of newer versions.

        Raises:
            KeyError, TypeError: It is something else.
        """
        return schema.from_dict(cls, entry)
