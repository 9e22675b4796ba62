"""The parts of an evaluation that say which classes and pictures a model gets wrong."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Recall and precision of one class, or of one label of several.

    Attributes:
        name: Name of the class.
        n: Number of pictures of this class.
        answered: Number of pictures for which the model answered this class.
        right: Number of pictures of this class for which it did.
        recall: `right` over `n`; None without pictures.
        recall_interval: Its 95 % Wilson interval.
        precision: `right` over `answered`; None if it was never answered.
        precision_interval: Its 95 % Wilson interval.
    """

    name: str
    n: int
    answered: int
    right: int
    recall: float | None = None
    recall_interval: Interval | None = None
    precision: float | None = None
    precision_interval: Interval | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.right <= min(self.n, self.answered):
            raise ValueError(f"{self.right} right of {self.n} and {self.answered}")


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Pictures of one class for which another class was answered.

    Attributes:
        truth: Name of the right class.
        answer: Name of the class that was answered.
        n: Number of pictures.
    """

    truth: str
    answer: str
    n: int


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """Pictures of one class that only one of two models has right.

    Attributes:
        name: Name of the class.
        gained: Pictures that only this model has right.
        lost: Pictures that only the other model has right.
    """

    name: str
    gained: int
    lost: int


@dataclass(frozen=True, kw_only=True)
class PictureChange:
    """A picture with another answer.

    Attributes:
        picture: Name of the file below the image folder.
        truth: Name of the right class; several labels are joined by " | ".
        before: Answer of the other model.
        after: Answer of this model.
        effect: 1 if only this model is right, -1 if only the other is, 0 if neither is.
    """

    picture: str
    truth: str
    before: str
    after: str
    effect: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """An artifact's answers beside those of another one on the same pictures.

    Attributes:
        against: Path of the other artifact.
        sha256: Digest of the other artifact.
        n: Number of pictures that both answered.
        changed: Number of pictures with another answer.
        gained: Number of pictures that only this artifact has right.
        lost: Number of pictures that only the other has right.
        difference: Accuracy of this artifact minus that of the other.
        interval: 95 % interval of `difference`.
        p_value: Two-sided p-value of the exact McNemar test.
        shown: Whether the p-value is below 0.05.
        needed: Estimated number of pictures that would show a difference of this size; None if there is none.
        classes: Up to 100 classes in which `gained` or `lost` is not 0, those with the most first.
        pictures: Up to 50 pictures with another answer: first those lost, then those gained.
    """

    against: str
    sha256: str
    n: int
    changed: int
    gained: int
    lost: int
    difference: float
    interval: Interval
    p_value: float
    shown: bool
    needed: int | None = None
    classes: tuple[ClassChange, ...] = ()
    pictures: tuple[PictureChange, ...] = ()

    def __post_init__(self) -> None:
        if self.n < 1 or min(self.gained, self.lost) < 0 or not self.gained + self.lost <= self.changed <= self.n:
            raise ValueError(f"{self.gained} gained, {self.lost} lost and {self.changed} changed of {self.n}")


def pack(right: NDArray[np.bool_]) -> str:
    """Pack a flag for each picture into base64, eight flags to the byte, the first one in the highest bit."""
    import numpy as np

    return base64.b64encode(np.packbits(right).tobytes()).decode()


def unpack(text: str, n: int) -> NDArray[np.bool_]:
    """Unpack the flags of `pack`: (n,).

    Raises:
        ValueError: The text is not base64, or not of `n` flags.
    """
    import numpy as np

    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the flags are not base64") from error
    if len(data) != -(-n // 8):
        raise ValueError(f"{len(data)} bytes for {n} flags")
    return np.unpackbits(np.frombuffer(data, np.uint8), count=n).astype(np.bool_)
