"""What artifacts cost before: records, or what an earlier check wrote, from a file or from a commit."""

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
Place = TypeVar("Place", PurePath, Key)


@dataclass(frozen=True)
class Baseline:
    """Artifacts as they were.

    Attributes:
        source: Where they were read.
        subjects: In the order of the file.
    """

    source: str
    subjects: tuple[Subject, ...]

    @cached_property
    def _by_path(self) -> Mapping[PurePath, list[Subject]]:
        return _grouped(self.subjects, lambda subject: PurePath(subject.artifact))

    @cached_property
    def _by_key(self) -> Mapping[Key, list[Subject]]:
        return _grouped(self.subjects, lambda subject: subject.key)

    def find(self, subject: Subject) -> Subject | None:
        """Return the artifact as it was: what had its path, whatever that was, else what was of its kind.

        Returns:
            None where it is new; among several of its kind the one of its file name.

        Raises:
            InputError: There are several all the same.
        """
        path = PurePath(subject.artifact)
        found = self._by_path.get(path, [])
        if len(found) > 1:
            found = [each for each in found if each.key == subject.key] or found
        if not found:
            found = self._by_key.get(subject.key, [])
            if len(found) > 1:
                found = [each for each in found if PurePath(each.artifact).name == path.name]
        if len(found) > 1:
            raise InputError(f"{self.source} has {subject.artifact} {len(found)} times; keep one record of it there")
        return found[0] if found else None


def _grouped(subjects: Iterable[Subject], key: Callable[[Subject], Place]) -> Mapping[Place, list[Subject]]:
    found = defaultdict[Place, list[Subject]](list)
    for each in subjects:
        found[key(each)].append(each)
    return found


def read(source: str, path: str | None = None) -> Baseline:
    """Read a baseline.

    Args:
        source: A file, or `git:REF` for `path` as it was committed there, or `git:REF:PATH`.
        path: The budget file's own baseline.

    Raises:
        InputError: It cannot be read or is something else, or `git:REF` has no path.
    """
    if not source.startswith(GIT):
        return loads(files.read_bytes(Path(source)), source)
    ref, _, named = source.removeprefix(GIT).partition(":")
    where = named or path
    if where is None:
        raise InputError(f"{source} of which file? Write git:{ref}:PATH, or baseline = PATH into the budget file")
    return loads(git.show(ref, where), f"{where} at {ref}")


def loads(text: bytes, source: str) -> Baseline:
    """Parse an array of records, or the object of `mnet check --format json`.

    Raises:
        InputError: It is neither.
    """
    if not text.lstrip().startswith(b"{"):
        return Baseline(source, tuple(gather([], records.loads(text, source))[0]))
    try:
        whole = strict.loads(text)
        if whole["kind"] != KIND or whole["schema_version"] != SCHEMA_VERSION:
            raise ValueError("its kind or version is another")
        return Baseline(source, tuple(Subject.from_dict(each) for each in whole["artifacts"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fact = " ".join(str(error).split())
        message = f"{source} is no baseline ({fact:.80}); make one with: mnet check --format json --out FILE"
        raise InputError(message) from error
