"""How a model was trained, as a record: data, curve, accuracy, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mobilenet_edge.records.record import Record
from mobilenet_edge.records.remark import Remark


@dataclass(frozen=True, kw_only=True)
class IntegerTuning:
    """Quantisation-aware training of an int8 model, scored on pictures that nothing has learned from.

    Attributes:
        artifacts: Paths of the int8 files.
        epoch: Epoch whose integers the files hold, by the loss on the validation pictures; 0 for those before
            tuning, where that loss is not lower by more than its standard error.
        curve: {"epoch", "loss", "validation_loss", "validation_accuracy"} from epoch 0.
        n: Number of scored pictures.
        float32: Pictures that the float model has right.
        rounded: Pictures that the int8 model before tuning has right: what `mnet export` makes.
        tuned: Pictures that the int8 file has right.
        agreement: Share of pictures with the float model's answer, before and after tuning.
        gained: Pictures that only the tuned one of the int8 models has right.
        lost: Pictures that only the other one has right.
        p_value: Of the exact McNemar test between the two.
    """

    artifacts: tuple[str, ...]
    epoch: int
    curve: tuple[dict[str, Any], ...]
    n: int
    float32: int
    rounded: int
    tuned: int
    agreement: tuple[float, float]
    gained: int
    lost: int
    p_value: float

    @property
    def shown(self) -> bool:
        """Whether tuning is shown to help."""
        return self.gained > self.lost and self.p_value < 0.05


@dataclass(frozen=True, kw_only=True)
class Training(Record):
    """One training run.

    Attributes:
        variant: Name of the model.
        artifact: Path of the `.keras` file.
        spec: `alpha`, `resolution` (pixels), `classes`, `family` and `channels`.
        data: Folder of the pictures.
        classes: Names of the classes, in the order of the outputs.
        split: Digest of the classes and of which picture is in which split, as hex.
        pictures: Number of pictures in `train`, `validation` and `test`.
        weights: What the body began with: "imagenet", "random" or the name of a file.
        teacher: Name of the file whose answers were learned, None without one.
        seed: Seed of the random numbers.
        head: Curve of the head on frozen features: `step`, `loss`, `validation_loss` and `validation_accuracy`.
        tuning: Curve of fine-tuning from epoch 0, before it: `epoch`, `loss`, `validation_loss` and
            `validation_accuracy`; empty without fine-tuning.
        blend: Share of fine-tuning that was kept, from 0 (the head alone) to 1; None without fine-tuning.
        validation_accuracy: Accuracy on the validation pictures, before these were learned from.
        accuracy: Accuracy on the scored pictures, of a model that did not learn from them.
        interval: 95 % Wilson interval of `accuracy`.
        scored: "test" or "validation"; accuracy on the latter is optimistic, since they decided when to stop.
        n: Number of scored pictures.
        integers: Quantisation-aware training, None without it.
        seconds: Wall-clock time of `model` (building it in Keras), `features`, `head` and, if any, `tuning` and
            `integers`.
        unreadable: Pictures that could not be read.
        remarks: What a user should know of data and training.
        versions: Versions of the packages that decide the result.
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
    integers: IntegerTuning | None = None
    seconds: dict[str, float]
    unreadable: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    versions: dict[str, str]
