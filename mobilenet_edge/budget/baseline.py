"""Read the baseline: earlier figures of artifacts, from records or an earlier check, in a file or a commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Final, TypeVar

from mobilenet_edge import files, records
from mobilenet_edge.budget import git
from mobilenet_edge.budget.gather import gather
from mobilenet_edge.budget.subject import Key, Subject
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import strict

GIT: Final = "git:"
KIND: Final = "check"
SCHEMA_VERSION: Final = 1
GroupKey = TypeVar("GroupKey", PurePath, Key)


@dataclass(frozen=True)
class Baseline:
    """Artifacts with their earlier figures.

    Attributes:
        source: Where the baseline was read, for messages.
        subjects: The artifacts, in the order of the file.
    """

    source: str
    subjects: tuple[Subject, ...]

    @cached_property
    def _by_path(self) -> Mapping[PurePath, list[Subject]]:
        return _group(self.subjects, lambda subject: PurePath(subject.artifact))

    @cached_property
    def _by_key(self) -> Mapping[Key, list[Subject]]:
        return _group(self.subjects, lambda subject: subject.key)

    def find(self, subject: Subject) -> Subject | None:
        """Find an artifact in the baseline: by its path, or else by `Subject.key`.

        Returns:
            The artifact with its earlier figures, None if it is new. Several with the same path are told apart by key,
            several with the same key by file name.

        Raises:
            InputError: Several entries still match.
        """
        path = PurePath(subject.artifact)
        matches = self._by_path.get(path, [])
        if len(matches) > 1:
            matches = [candidate for candidate in matches if candidate.key == subject.key] or matches
        if not matches:
            matches = self._by_key.get(subject.key, [])
            if len(matches) > 1:
                matches = [candidate for candidate in matches if PurePath(candidate.artifact).name == path.name]
        if len(matches) > 1:
            raise InputError(
                f"{self.source} has {subject.artifact} {len(matches)} times; keep one of its records there"
            )
        return matches[0] if matches else None


def _group(subjects: Iterable[Subject], key: Callable[[Subject], GroupKey]) -> Mapping[GroupKey, list[Subject]]:
    groups = defaultdict[GroupKey, list[Subject]](list)
    for subject in subjects:
        groups[key(subject)].append(subject)
    return groups


def read(source: str, path: str | None = None) -> Baseline:
    """Read a baseline.

    Args:
        source: A file, or `git:REF:PATH` for a file in a commit, or `git:REF` for `path` in a commit.
        path: Path of the baseline that the budget file names, None if it names none.

    Raises:
        InputError: The baseline cannot be read or has the wrong content, or `git:REF` is given without a path.
    """
    if not source.startswith(GIT):
        return loads(files.read_bytes(Path(source)), source)
    ref, _, named = source.removeprefix(GIT).partition(":")
    file = named or path
    if file is None:
        raise InputError(f"{source} names no file; write git:{ref}:PATH, or set baseline = PATH in the budget file")
    return loads(git.show(ref, file), f"{file} at {ref}")


def loads(text: bytes, source: str) -> Baseline:
    """Parse an array of records, or the JSON of `mnet check --format json`.

    Args:
        text: Content of the file.
        source: Name of the file, for messages.

    Raises:
        InputError: The text is neither.
    """
    if not text.lstrip().startswith(b"{"):
        return Baseline(source, tuple(gather([], records.loads(text, source))[0]))
    try:
        document = strict.loads(text)
        if document["kind"] != KIND or document["schema_version"] != SCHEMA_VERSION:
            raise ValueError("its kind or version is another")
        return Baseline(source, tuple(map(Subject.from_dict, document["artifacts"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fact = " ".join(str(error).split())
        message = f"{source} is not a baseline ({fact:.80}); write one with: mnet check --format json --out FILE"
        raise InputError(message) from error
