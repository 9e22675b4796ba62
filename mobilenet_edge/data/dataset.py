"""A data set of class folders, split into training, validation and test pictures by what each file contains."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
        test_folder: The folder that holds the test pictures.
        copies: Files that are left out, each with the file of the same content that is used.
    """

    folder: Path
    classes: tuple[str, ...]
    train: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    test: tuple[Picture, ...] = ()
    test_folder: Path | None = None
    copies: tuple[tuple[Path, Path], ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Number of pictures of each class, in all splits together."""
        counts = Counter(picture.label for name in SPLITS for picture in getattr(self, name))
        return {name: counts[label] for label, name in enumerate(self.classes)}

    @property
    def sha256(self) -> str:
        """Digest of the classes and of which picture is in which split, as hex."""
        digest = hashlib.sha256("\0".join(self.classes).encode())
        for name in SPLITS:
            for picture in sorted(getattr(self, name), key=lambda picture: picture.sha256):
                digest.update(f"{name} {picture.label} {picture.sha256}\n".encode())
        return digest.hexdigest()

    def without(self, paths: Collection[Path]) -> Dataset:
        """Return the data set without some files."""
        train, validation, test = (
            tuple(picture for picture in split if picture.path not in paths)
            for split in (self.train, self.validation, self.test)
        )
        return replace(self, train=train, validation=validation, test=test)

    def class_weights(self) -> tuple[float, ...]:
        """Weight of each class in a loss: inversely proportional to its training pictures, 1 on average.

        A class that the teacher of unlabelled pictures never named has the weight 0.
        """
        counts = Counter(picture.label for picture in self.train)
        share = len(self.train) / len(counts)
        return tuple(share / counts[label] if counts[label] else 0.0 for label in range(len(self.classes)))


def read(folder: Path, *, validation: float = 0.2, test: float = 0.0) -> Dataset:
    """Read a folder of class folders, or of `train`, `val` and `test` folders of these.

    Which split a picture belongs to is a function of its content, so that it stays when others are added, and copies of
    a picture are never on both sides. Where there is no folder of validation or test pictures, they are taken from the
    training pictures.

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
        return _of_splits(folder, parts, validation, test)
    classes, pictures, copies = _read_classes(folder)
    splits = _divide(pictures, validation, test)
    return _checked(Dataset(folder, classes, **splits, test_folder=folder, copies=tuple(copies)))


def unlabelled(
    folder: Path, classes: tuple[str, ...], label: Callable[[Path], int | None], *, validation: float, test: float
) -> Dataset:
    """Read the pictures of a folder whose classes are given by a function.

    Args:
        folder: Pictures, at any depth.
        classes: Names of the classes.
        label: Returns the index of a picture's class, or None if it cannot be read.
        validation: Share of validation pictures.
        test: Share of test pictures.

    Raises:
        InputError: There are fewer than `FEWEST` pictures that can be read.
    """
    pictures: dict[str, Picture] = {}
    copies = []
    for path in images.find(folder):
        digest = hashlib.sha256(files.read_bytes(path)).hexdigest()
        if digest in pictures:
            copies.append((path, pictures[digest].path))
        elif (index := label(path)) is not None:
            pictures[digest] = Picture(path, index, digest)
    if len(pictures) < FEWEST:
        raise InputError(f"{folder} has {len(pictures)} pictures that can be read; training needs {FEWEST} at least")
    splits = _divide([replace(picture, label=0) for picture in pictures.values()], validation, test)
    parts = {name: _sorted(pictures[picture.sha256] for picture in part) for name, part in splits.items()}
    return Dataset(folder, classes, **parts, test_folder=folder, copies=tuple(copies))


def is_labelled(folder: Path) -> bool:
    """Return whether all pictures of a folder are in class folders."""
    return bool(_split_folders(folder)) or all("/" in name for name in images.names(folder))


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


def _of_splits(folder: Path, parts: Mapping[str, Path], validation: float, test: float) -> Dataset:
    classes, train, copies = _read_classes(parts["train"])
    given: dict[str, list[Picture]] = {"validation": [], "test": []}
    pictures = {picture.sha256: picture for picture in train}
    for split in parts.keys() - {"train"}:
        names, pictures_of_split, more = _read_classes(parts[split])
        if unknown := set(names) - set(classes):
            raise InputError(f"{parts[split]} has the class folder {min(unknown)!r}, which {parts['train']} has not")
        copies += more
        for picture in pictures_of_split:
            added = replace(picture, label=classes.index(names[picture.label]))
            if copy := _copy(added, pictures):
                copies.append(copy)
            else:
                given[split].append(added)
    shares = {"validation": validation, "test": test}
    splits = _divide(train, *(0.0 if split in parts else share for split, share in shares.items()))
    splits |= {split: _sorted(given[split]) for split in given if split in parts}
    test_folder = parts.get("test", parts["train"])
    return _checked(Dataset(folder, classes, **splits, test_folder=test_folder, copies=tuple(copies)))


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


def _divide(pictures: Sequence[Picture], validation: float, test: float) -> dict[str, tuple[Picture, ...]]:
    """Give each picture its split, class by class."""
    splits: dict[str, list[Picture]] = {name: [] for name in SPLITS}
    by_label = defaultdict(list)
    for picture in pictures:
        by_label[picture.label].append(picture)
    for group in by_label.values():
        for picture, split in _divide_class(group, validation, test):
            splits[split].append(picture)
    return {name: _sorted(part) for name, part in splits.items()}


def _divide_class(pictures: Sequence[Picture], validation: float, test: float) -> Iterator[tuple[Picture, str]]:
    """Give each picture of one class its split, by its digest, which is as good as a random number."""
    ordered = sorted(pictures, key=lambda picture: picture.sha256)
    fractions = [int(picture.sha256[:13], 16) / 16**13 for picture in ordered]
    first, second = (sum(fraction < share for fraction in fractions) for share in (test, test + validation))
    # A small class may have none of a split by chance; then the picture next in order serves.
    least = 1 if validation else 0
    first = max(0, min(max(first, 1 if test else 0), len(ordered) - 1 - least))
    second = min(max(second, first + least), len(ordered) - 1)
    parts = ["test"] * first + ["validation"] * (second - first) + ["train"] * (len(ordered) - second)
    return zip(ordered, parts, strict=True)


def _sorted(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    return tuple(sorted(pictures, key=lambda picture: picture.path))


def _checked(data: Dataset) -> Dataset:
    if len(data.classes) < 2:
        raise InputError(
            f"{data.folder} holds one class, {data.classes[0]!r}; a classifier needs two class folders or more"
        )
    name, number = min(data.counts.items(), key=lambda pair: pair[1])
    if number < FEWEST:
        raise InputError(f"class {name!r} has {number} pictures; training needs {FEWEST} of each at least")
    return data
