"""A data set of class folders, split into training, validation and test pictures by what each file contains."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.data import folders, images
from mobilenet_edge.errors import InputError

SPLITS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": folders.TRAINING,
    "validation": folders.VALIDATION,
    "test": folders.TEST,
}
"""Names of the folders that hold one split of a data set."""
FEWEST: Final = 5
FEW: Final = 50
_SHOWN: Final = 5


@dataclass(frozen=True)
class Picture:
    """One picture of a known class.

    Attributes:
        path: The file.
        label: Index of its class.
        sha256: Digest of the file, as hex.
    """

    path: Path
    label: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """Pictures of named classes in three splits.

    Attributes:
        folder: Where they are.
        classes: Names of the class folders, sorted as strings; their order is that of the labels.
        train: What is learned from.
        validation: What decides when to stop.
        test: What is only ever scored; empty unless asked for or present as a folder.
        remarks: What a user should know of the data, a sentence each.
    """

    folder: Path
    classes: tuple[str, ...]
    train: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    test: tuple[Picture, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of the classes and of which picture is in which split, as hex."""
        digest = hashlib.sha256("\0".join(self.classes).encode())
        for name in SPLITS:
            for picture in sorted(getattr(self, name), key=lambda picture: picture.sha256):
                digest.update(f"{name} {picture.label} {picture.sha256}\n".encode())
        return digest.hexdigest()

    def class_weights(self) -> tuple[float, ...]:
        """Weight of each class in a loss: inversely proportional to its training pictures, 1 on average."""
        counts = Counter(picture.label for picture in self.train)
        return tuple(len(self.train) / (len(self.classes) * counts[label]) for label in range(len(self.classes)))


def read(folder: Path, *, validation: float = 0.2, test: float = 0.0) -> Dataset:
    """Read a folder of class folders, or of `train`, `val` and `test` folders of these.

    Which split a picture belongs to is a function of its content, so that it stays when others are added, and copies of
    a picture are never on both sides.

    Args:
        folder: The data set.
        validation: Share of validation pictures where there is no folder of them.
        test: Share of test pictures, likewise.

    Raises:
        InputError: There are fewer than two classes, a class has fewer than `FEWEST` pictures, or class folders differ
            between the splits.
    """
    parts = _split_folders(folder)
    if parts:
        return _of_splits(folder, parts, validation)
    classes, pictures, duplicates = _read_classes(folder)
    splits = {"train": [], "validation": [], "test": []}  # type: dict[str, list[Picture]]
    for label in range(len(classes)):
        for picture, split in _divide([picture for picture in pictures if picture.label == label], validation, test):
            splits[split].append(picture)
    return _checked(folder, classes, splits, duplicates)


def _split_folders(folder: Path) -> dict[str, Path]:
    """Find the folder of each split; empty where the folder holds classes."""
    parts: dict[str, Path] = {}
    for name in folders.split_names(folder):
        split = next(split for split, names in SPLITS.items() if name.lower() in names)
        if split in parts:
            raise InputError(f"{parts[split]} and {folder / name} are both {split} pictures; keep one of them")
        parts[split] = folder / name
    if parts and "train" not in parts:
        raise InputError(f"{folder} has {min(parts.values()).name}/ but no train/; add it, or give a folder of classes")
    return parts


def _of_splits(folder: Path, parts: Mapping[str, Path], validation: float) -> Dataset:
    classes, train, duplicates = _read_classes(parts["train"])
    splits = {"train": list(train), "validation": [], "test": []}  # type: dict[str, list[Picture]]
    pictures = {picture.sha256: picture for picture in train}
    for split in ("validation", "test"):
        if split not in parts:
            continue
        names, pictures_of_split, copies = _read_classes(parts[split])
        if unknown := set(names) - set(classes):
            raise InputError(f"{parts[split]} has the class folder {min(unknown)!r}, which {parts['train']} has not")
        duplicates += copies
        for picture in pictures_of_split:
            added = replace(picture, label=classes.index(names[picture.label]))
            if copy := _copy(added, pictures):
                duplicates.append(copy)
            else:
                splits[split].append(added)
    if "validation" not in parts:
        splits["train"] = []
        for label in range(len(classes)):
            for picture, split in _divide([picture for picture in train if picture.label == label], validation, 0.0):
                splits[split].append(picture)
    return _checked(folder, classes, splits, duplicates)


def _read_classes(folder: Path) -> tuple[tuple[str, ...], list[Picture], list[tuple[Path, Path]]]:
    """Class names, one picture for each content, and the pairs of files that are copies of each other."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for name in images.names(folder):
        class_name, below, _ = name.partition("/")
        if not below:
            raise InputError(f"{folder / name} lies in no class folder; put it into a sub-folder named by its class")
        by_class[class_name].append(name)
    empty = [
        path.name for path in folder.iterdir() if path.is_dir() and path.name not in by_class and path.name[0] != "."
    ]
    if empty:
        raise InputError(f"class folder {folder / min(empty)} holds no pictures; add some or remove it")
    classes = tuple(sorted(by_class))
    pictures: dict[str, Picture] = {}
    duplicates = []
    for label, class_name in enumerate(classes):
        for name in by_class[class_name]:
            picture = Picture(folder / name, label, hashlib.sha256(files.read_bytes(folder / name)).hexdigest())
            if copy := _copy(picture, pictures):
                duplicates.append(copy)
    return classes, list(pictures.values()), duplicates


def _copy(picture: Picture, pictures: dict[str, Picture]) -> tuple[Path, Path] | None:
    """Add a picture; return it and its twin, where the same content is there already."""
    twin = pictures.setdefault(picture.sha256, picture)
    if twin.label != picture.label:
        raise InputError(f"{picture.path} and {twin.path} are the same picture in two classes; remove the wrong one")
    return None if twin is picture else (picture.path, twin.path)


def _divide(pictures: Sequence[Picture], validation: float, test: float) -> Iterator[tuple[Picture, str]]:
    """Give each picture of one class its split, by its digest, which is as good as a random number."""
    ordered = sorted(pictures, key=lambda picture: picture.sha256)
    fractions = [int(picture.sha256[:13], 16) / 16**13 for picture in ordered]
    first, second = (sum(fraction < share for fraction in fractions) for share in (test, test + validation))
    # A small class may have none of a split by chance; then the picture next in order serves.
    first = max(0, min(max(first, 1 if test else 0), len(ordered) - 2))
    second = min(max(second, first + 1), len(ordered) - 1)
    parts = ["test"] * first + ["validation"] * (second - first) + ["train"] * (len(ordered) - second)
    return zip(ordered, parts, strict=True)


def _checked(
    folder: Path,
    classes: tuple[str, ...],
    splits: Mapping[str, Sequence[Picture]],
    duplicates: Sequence[tuple[Path, Path]],
) -> Dataset:
    if len(classes) < 2:
        raise InputError(f"{folder} holds one class, {classes[0]!r}; a classifier needs two class folders or more")
    counts = Counter(picture.label for pictures in splits.values() for picture in pictures)
    fewest, number = min(((label, counts[label]) for label in range(len(classes))), key=lambda pair: pair[1])
    if number < FEWEST:
        raise InputError(f"class {classes[fewest]!r} has {number} pictures; training needs {FEWEST} of each at least")
    remarks = []
    few = [f"{classes[label]} ({counts[label]})" for label in range(len(classes)) if counts[label] < FEW]
    if few:
        remarks.append(f"fewer than {FEW} pictures: {_listed(few)}; more would help most there")
    if duplicates:
        pairs = [f"{copy.relative_to(folder)} = {first.relative_to(folder)}" for copy, first in duplicates]
        remarks.append(f"the same picture twice, used once: {_listed(pairs)}")
    parts = {name: tuple(sorted(pictures, key=lambda picture: picture.path)) for name, pictures in splits.items()}
    return Dataset(folder, classes, parts["train"], parts["validation"], parts["test"], tuple(remarks))


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
