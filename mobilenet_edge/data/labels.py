"""The names of a model's classes, and how they fit its outputs. docs/models.md has the rules.

Class indexes here count the labels, from 0. A model may have an output more, for "background", as Google's do; `shift`
says by how much a model's indexes differ.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.data import listing
from mobilenet_edge.errors import InputError

BACKGROUND: Final = "background"
# One score that is no class of its own: below or above a threshold, which makes two.
BINARY: Final = 1
_IMAGENET: Final = 1000
_SYNSET: Final = re.compile(r"(n\d{8})(?:[\s,]+(.+))?")


@dataclass(frozen=True)
class Labels:
    """The classes in index order.

    Attributes:
        lines: One class each: "synset name", a synset, or a name.
        source: Where they come from, in words.
        assumed: Whether they are only the sub-folders in sorted order, the order `image_dataset_from_directory` of
            Keras gives the classes of a model that was trained on them.
        remark: What a reader should know of the order or of the folders; may be empty.
        inside: Whether the model's own file names them; it may then have an output more, for a background.
    """

    lines: tuple[str, ...]
    source: str
    assumed: bool = False
    remark: str = ""
    inside: bool = False

    def by_name(self) -> dict[str, set[int]]:
        """Index the classes by synset, name and synonym, each as `key` writes it."""
        classes: dict[str, set[int]] = defaultdict(set)
        for index, line in enumerate(self.lines):
            for name in _names(line):
                classes[key(name)].add(index)
        return classes


def read(path: Path) -> Labels:
    """Read a labels file in any of the forms of `listing.parse`.

    Raises:
        InputError: It cannot be read, is no text, or does not name each class once.
    """
    return Labels(listing.parse(files.read_bytes(path), str(path)), str(path))


def count(outputs: int) -> int:
    """Say how many classes a model with so many outputs tells apart: one score tells two."""
    return 2 if outputs == BINARY else outputs


def shift(outputs: int, labels: Labels, model: str) -> int:
    """Say how many outputs of a model lie before the one of class 0.

    Returns:
        1 for a background class of a model of ImageNet, or of one whose file names its other classes; -1 where the
        labels alone begin with "background"; else 0.

    Raises:
        InputError: The labels are of another number of classes.
    """
    classes, names = count(outputs), len(labels.lines)
    extra = classes - names
    if extra == 0 or (extra == 1 and (names == _IMAGENET or labels.inside)):
        return extra
    if extra == -1 and key(labels.lines[0]) == BACKGROUND:
        return extra
    several = f"{classes} classes" + (" (one score, below or above its threshold)" if outputs == BINARY else "")
    if labels.assumed:
        raise InputError(
            f"{model} has {several}, but there are {names} {labels.source}{labels.remark and f' ({labels.remark})'}; "
            "say which is which with --labels FILE, a class name a line"
        )
    add = f", or begin them with a line {BACKGROUND!r} if its first output is that" if extra == 1 else ""
    raise InputError(f"{model} has {several}, but {labels.source} names {names}; give its own with --labels{add}")


def fit(outputs: int, labels: Labels, model: str) -> Labels:
    """Drop or add a background line, so that line k is output k.

    Raises:
        InputError: As `shift`.
    """
    extra = shift(outputs, labels, model)
    lines = labels.lines[1:] if extra < 0 else (BACKGROUND,) * extra + labels.lines
    return replace(labels, lines=lines)


def key(name: str) -> str:
    """Write a class name for comparing: case does not matter, and `_`, `-` and space are one."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def short_names(lines: Sequence[str]) -> tuple[str, ...]:
    """Name the classes without synsets and synonyms, each differently: "tench" for "n01440764 tench, Tinca tinca".

    ImageNet has two cranes: their whole lines, or else their indexes, tell them apart.
    """
    names = [_short(line) for line in lines]
    repeated, whole = Counter(names), Counter(lines)
    return tuple(
        name if repeated[name] == 1 else line if whole[line] == 1 else f"{line} #{index}"
        for index, (name, line) in enumerate(zip(names, lines, strict=True))
    )


def _short(line: str) -> str:
    match = _SYNSET.fullmatch(line)
    return match[2].split(",")[0] if match and match[2] else line


def _names(line: str) -> Iterator[str]:
    match = _SYNSET.fullmatch(line)
    synset, name = match.groups() if match else (None, line)
    if synset:
        yield synset
    if name:
        yield name
        # ImageNet's own list gives synonyms: "tench, Tinca tinca".
        yield from name.split(",")
