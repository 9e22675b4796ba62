"""How a model was trained, as a record: data, curve, accuracy, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mobilenet_edge.records.record import Record
from mobilenet_edge.records.remark import Remark


@dataclass(frozen=True, kw_only=True)
class Training(Record):
    """One training run.

    Attributes:
        variant: Name of the model.
        artifact: Path of the `.keras` file.
        spec: As in `ArtifactRecord`.
        data: Folder of the pictures.
        classes: Names of the classes, in the order of the outputs.
        split: Digest of the classes and of which picture is in which split, as hex.
        pictures: Number of pictures in "train", "validation" and "test".
        weights: What the body began with: "imagenet", "random" or the name of a file.
        teacher: Name of the file whose answers were learned, None without one.
        seed: Of everything drawn at random.
        head: Curve of the head on frozen features: {"step", "loss", "validation_loss", "validation_accuracy"}.
        tuning: Curve of fine-tuning: {"epoch", "loss", "validation_loss", "validation_accuracy"}; empty without any.
        blend: Share of fine-tuning that was kept, from 0 (the head alone) to 1; None without fine-tuning.
        validation_accuracy: Share of right answers on the validation pictures, before these were learned from.
        accuracy: Share of right answers on the scored pictures.
        interval: Its 95 % interval (Wilson).
        scored: "test" or "validation"; accuracy on the latter is optimistic, since they decided when to stop.
        n: Number of scored pictures.
        seconds: Wall-clock time of "features", "head", "model" (building it in Keras) and, if any, "tuning".
        unreadable: Pictures that could not be read.
        remarks: What a user should know of data and training.
        versions: Of the packages that decide the result.
    """

    kind = "training"

    variant: str
    artifact: str
    spec: dict[str, Any]
    data: str
    classes: tuple[str, ...]
    split: str
    pictures: dict[str, int]
    weights: str
    teacher: str | None = None
    seed: int
    head: tuple[dict[str, Any], ...]
    tuning: tuple[dict[str, Any], ...] = ()
    blend: float | None = None
    validation_accuracy: float | None = None
    accuracy: float
    interval: tuple[float, float]
    scored: str
    n: int
    seconds: dict[str, float]
    unreadable: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    versions: dict[str, str]
