"""Damage that knows nothing of a format, or only where its parts begin."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from corpus.case import REFUSED, Case

# Most bytes of a model are weights, where a flipped bit changes an answer and nothing else.
STRUCTURAL: Final = 0.8
FLIPS: Final = (1, 1, 1, 2, 4, 16, 64)


def flipped(name: str, data: bytes, structure: Sequence[range], count: int, chance: random.Random) -> Iterator[Case]:
    """Flip bits, most of them in the bytes that are not weights.

    Args:
        name: Of the file.
        data: The file.
        structure: Where its bytes are that are not weights.
        count: Number of damaged files.
        chance: Chooses.
    """
    weights = [len(each) for each in structure]
    for index in range(count):
        damaged = bytearray(data)
        for _ in range(chance.choice(FLIPS)):
            inside = structure and chance.random() < STRUCTURAL
            place = chance.choice(chance.choices(structure, weights)[0]) if inside else chance.randrange(len(data))
            damaged[place] ^= 1 << chance.randrange(8)
        yield Case(f"flip{index}-{name}", "bits flipped", bytes(damaged), run=frozenset({0, 3, 6}))


def truncated(name: str, data: bytes, boundaries: Sequence[int]) -> Iterator[Case]:
    """Cut a file at each boundary; what is left may still be a whole model."""
    for place in sorted({each for each in boundaries if 0 < each < len(data)}):
        run = frozenset({0, 3, 6})
        yield Case(f"cut{place}-{name}", "cut off at a structural boundary", data[:place], run=run)


def empty(names: Sequence[str]) -> Iterator[Case]:
    """Files of nothing, of one byte, and of zeros."""
    for name in names:
        for title, data in (("empty", b""), ("byte", b"\0"), ("zeros", bytes(4096))):
            yield Case(f"{title}-{name}", "empty, or nothing but zeros", data, REFUSED)


def swapped(files: Mapping[str, bytes], suffixes: Sequence[str]) -> Iterator[Case]:
    """Give each file the suffix of every other format."""
    for name, data in files.items():
        for suffix in suffixes:
            if suffix != Path(name).suffix:
                yield Case(f"as-{name}{suffix}", "of another type than its name says", data, REFUSED)


def around(holes: Sequence[range], size: int) -> list[range]:
    """What is left of a file of `size` bytes without some ranges."""
    left, place = [], 0
    for each in sorted(holes, key=lambda hole: hole.start):
        if each.start > place:
            left.append(range(place, each.start))
        place = max(place, each.stop)
    return [*left, range(place, size)] if place < size else left
