"""Record of the accuracy of an artifact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mobilenet_edge.records.answers import ClassScore, Comparison, Confusion, unpack
from mobilenet_edge.records.record import ArtifactRecord, check_keys
from mobilenet_edge.records.remark import Remark

# Types of the keys that mnet reads back from fields with arbitrary contents.
_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "delegate": {"path": str},
    "workstation": {"runtime": str, "runtime_version": str, "agreement": float | None, "cosine": float | None},
}


@dataclass(frozen=True, kw_only=True)
class Evaluation(ArtifactRecord):
    """Accuracy of one artifact on a folder of pictures.

    Attributes:
        top1: Fraction of pictures whose top prediction is right: the class with the highest score, or, for a single
            score, the side of the threshold it lies on. For multi-label pictures, any of the labels counts. For
            features, None.
        top5: Fraction of pictures with the right class among the top five predictions; None for features.
        n: Number of pictures scored.
        interval: 95 % Wilson interval of `top1`; None without one.
        head: Type of the outputs: "classes", "logits", "probability", "logit", "labels" or "features".
        accuracy: For multi-label models, the fraction of right decisions over all pairs of picture and label.
        f1_micro: For multi-label models, the F1 score over all decisions.
        f1_macro: For multi-label models, the mean F1 score of the labels.
        mean_average_precision: For multi-label models, the mean over the labels that occur.
        cosine: For features, the mean cosine similarity with the reference.
        agreement: Fraction of pictures with the same prediction as the reference: the same top-1, or the same set of
            labels; None without a reference.
        reference: Path of the reference model.
        data: Folder of the pictures.
        unreadable: Picture files that could not be read, relative to `data`; not counted in `n`.
        classes: The classes or labels that occur, in the order of the outputs; of more than 200, those with the most
            errors.
        confusions: Pairs of classes that are confused, the most frequent first, at most 200; empty for multi-label
            models.
        class_count: Number of classes that occur.
        confusion_count: Number of pairs of classes that are confused.
        ece: Expected calibration error of the probabilities; None if the outputs are not probabilities.
        confidence: Mean probability of the answers; None if the outputs are not probabilities.
        pictures: SHA-256 of the names and sizes of the scored pictures, in order, and of their listed labels;
            evaluations with the same digest can be compared picture by picture.
        right: Whether each of these pictures, in sorted order, is answered rightly (for multi-label models, all of its
            labels): base64 of one bit per picture, the first in the highest bit.
        comparisons: Answers beside those of the reference, and of the float32 file of the same model.
        remarks: What is known about whether the pictures were used to make the file.
        runtime: Runtime that ran the model.
        runtime_version: Version of the runtime.
        host: Machine that ran the model: "local", or the name of a device.
        delegate: As in a profile.
        workstation: Where another machine, runtime or delegate ran the model: `runtime`, `runtime_version` and
            `agreement` (for features `cosine`) of the same file on the same tensors on the machine that prepared them;
            None if it does not run there.
        conditions: `threads`, `split`, `images_found`, `labels` (their source) and `preprocess` (the preprocessing
            rule).
    """

    kind = "evaluation"

    top1: float | None = None
    top5: float | None = None
    n: int
    interval: tuple[float, float] | None = None
    head: str = "classes"
    accuracy: float | None = None
    f1_micro: float | None = None
    f1_macro: float | None = None
    mean_average_precision: float | None = None
    cosine: float | None = None
    agreement: float | None = None
    reference: str | None = None
    data: str = ""
    unreadable: tuple[str, ...] = ()
    classes: tuple[ClassScore, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    class_count: int = 0
    confusion_count: int = 0
    ece: float | None = None
    confidence: float | None = None
    pictures: str = ""
    right: str = ""
    comparisons: tuple[Comparison, ...] = ()
    remarks: tuple[Remark, ...] = ()
    runtime: str = ""
    runtime_version: str = ""
    host: str = "local"
    delegate: dict[str, Any] | None = None
    workstation: dict[str, Any] | None = None
    conditions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if len({value is None for value in (self.top1, self.top5, self.interval)}) > 1:
            raise ValueError("top1, top5 and interval belong together")
        if self.top1 is None and self.cosine is None:
            raise ValueError("only features, which have a cosine, have no top1")
        if not 0 <= (self.top1 or 0) <= (self.top5 or 0) <= 1:
            raise ValueError("top1 and top5 must be from 0 to 1, and top5 at least top1")
        for name in ("agreement", "accuracy", "f1_micro", "f1_macro", "mean_average_precision", "ece", "confidence"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} must be from 0 to 1")
        for name, types in _TYPES.items():
            if (value := getattr(self, name)) is not None:
                check_keys(name, value, types)
        if self.right:
            unpack(self.right, self.n)

    def other_metrics(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the text of each metric of multi-label models and of features."""
        shares = {
            "label accuracy": self.accuracy,
            "F1 micro": self.f1_micro,
            "F1 macro": self.f1_macro,
            "mean average precision": self.mean_average_precision,
        }
        yield from ((name, f"{share:.1%}") for name, share in shares.items() if share is not None)
        if self.cosine is not None:
            yield "cosine", f"{self.cosine:.4f}"

    @property
    def measure(self) -> str:
        """Name of the metric that `merit` holds."""
        if self.mean_average_precision is not None:
            return "mean average precision"
        return "cosine" if self.top1 is None else "top-1"

    @property
    def merit(self) -> float | None:
        """Main metric: mean average precision for multi-label models, cosine for features, else top-1."""
        if self.mean_average_precision is not None:
            return self.mean_average_precision
        return self.cosine if self.top1 is None else self.top1
