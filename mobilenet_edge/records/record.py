"""What every record has in common, and the identity of an artifact."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final

from mobilenet_edge import schema
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records.remark import Remark

SCHEMA_VERSION: Final = 2


@dataclass(frozen=True, kw_only=True)
class Record:
    """One entry of a file: of some kind, flat, its fields held to their annotations.

    Raises:
        TypeError: A field holds something else than it should.
    """

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        schema.check(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object: the fields, the derived figures, and the version."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"schema_version": SCHEMA_VERSION, "kind": self.kind, **values, **self.derived()}

    def derived(self) -> dict[str, Any]:
        """Figures computed from the fields; written for readers, never read back."""
        return {}


@dataclass(frozen=True, kw_only=True)
class ArtifactRecord(Record):
    """Identity of an artifact; every kind of record that is of a file begins with it.

    Attributes:
        artifact: Path, as it was given.
        sha256: Of the file, as hex; records of one artifact are joined by it.
        size_bytes: File size.
        format: "tflite", "onnx" or "keras".
        precision: "float32", "int8", "uint8", "float16", "dynamic" or "unknown".
        variant: Name of the model; the file's stem for a foreign file.
        spec: {"alpha", "resolution", "classes"} of a MobileNet of the paper, else None.
        target: What the file was made for, None for a foreign file.
        macs: Multiply-accumulates of one inference, None where unknown.
        parameters: Weights and biases, None where unknown.
        weights: "random", "imagenet" or a file name, None where unknown.
        calibration: {"source", "count", "note"...} of an int8 file, else None.
        lacks: What the file does not say of itself, in words.
    """

    artifact: str
    sha256: str
    size_bytes: int
    format: str
    precision: str
    variant: str
    spec: dict[str, Any] | None = None
    target: str | None = None
    macs: int | None = None
    parameters: int | None = None
    weights: str | None = None
    calibration: dict[str, Any] | None = None
    lacks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spec is not None:
            schema.from_dict(ModelSpec, self.spec)
            if not {"alpha", "resolution", "classes"} <= self.spec.keys():
                raise ValueError("spec lacks alpha, resolution or classes")
        for name in ("source", "note"):
            if not schema.fits((self.calibration or {}).get(name, ""), str):
                raise TypeError(f"the {name} of calibration is not text")


def _plain(value: Any) -> Any:
    if isinstance(value, Remark):
        return value.to_dict()
    return tuple(map(_plain, value)) if isinstance(value, tuple) and value and isinstance(value[0], Remark) else value
