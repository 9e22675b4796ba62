"""Base classes of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, ClassVar, Final

from mobilenet_edge import schema
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records.remark import Remark

SCHEMA_VERSION: Final = 2
# Precisions with integer activations, in part at least: they are calibrated, and differ by target.
CALIBRATED: Final = ("int8", "mixed")


@dataclass(frozen=True, kw_only=True)
class Record:
    """Entry of a JSON file; its fields are checked against their annotations.

    Raises:
        TypeError: A field has a value of another type.
    """

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        schema.check(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object with the fields, the derived figures and the schema version."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"schema_version": SCHEMA_VERSION, "kind": self.kind, **values, **self.derived()}

    def derived(self) -> dict[str, Any]:
        """Return figures computed from the fields, which are written but never read back."""
        return {}


@dataclass(frozen=True, kw_only=True)
class ArtifactRecord(Record):
    """Record that begins with the identity of an artifact.

    Attributes:
        artifact: Path, as given by the user.
        sha256: SHA-256 of the file in hex; records of one artifact are joined by it.
        size_bytes: Size of the file.
        format: "tflite", "onnx" or "keras".
        precision: "float32", "float16", "dynamic", "int8", "mixed", "uint8" or "unknown".
        variant: Name of the model; for a foreign file, its name without the suffix.
        spec: `alpha`, `resolution` (pixels), `classes`, `family` and `channels` of a MobileNet, else None.
        target: Target of the export; None for a foreign file.
        macs: Multiply-accumulates of one inference, None if unknown.
        parameters: Number of weights and biases after folding, None if unknown.
        weights: "random", "imagenet" or the name of a file, None if unknown.
        calibration: For an int8 file, `source` ("images" or "synthetic"), `count`, `sha256`, `method` and `note`, which
            tables repeat; else None.
        lacks: What the file does not state about itself; empty for an artifact of `mnet export`.
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


def check_keys(name: str, entry: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    """Check the values of a field with arbitrary contents against the types of its known keys.

    Raises:
        TypeError: A value has another type.
    """
    for key, hint in types.items():
        value = entry.get(key)
        if not schema.fits(tuple(value) if isinstance(value, list) else value, hint):
            raise TypeError(f"{key} of {name} cannot be {value!r:.60}")


def _plain(value: Any) -> Any:
    if isinstance(value, Remark):
        return value.to_dict()
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return tuple(map(_plain, value))
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
