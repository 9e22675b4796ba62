"""Read budget: stops a small file from expanding into a huge model through shared references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A sound file is read a few times over; a small one is mostly overhead.
_TIMES: Final = 4
_ALWAYS_BYTES: Final = 1 << 20


@dataclass
class Meter:
    """Counts what is read.

    Attributes:
        size: Of the file, in bytes.
        taken: Bytes read so far, shared parts as often as they are read.
    """

    size: int
    taken: int = 0

    def take(self, count: int) -> None:
        """Count bytes.

        Raises:
            ValueError: They are more than a file of this size can mean.
        """
        self.taken += count
        if self.taken > _TIMES * self.size + _ALWAYS_BYTES:
            raise ValueError("its parts refer to each other so often that it unpacks to many times its size")
