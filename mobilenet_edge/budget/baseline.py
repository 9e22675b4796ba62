"""What artifacts cost before: records, or what an earlier check wrote, from a file or from a commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from mobilenet_edge import files, records
from mobilenet_edge.budget import git
from mobilenet_edge.budget.gather import gather
from mobilenet_edge.budget.subject import Key, Subject
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import strict

GIT: Final = "git:"
KIND: Final = "check"
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True)
class Baseline:
    """Artifacts as they were.

    Attributes:
        source: Where they were read.
        subjects: By what stays the same when an artifact is made anew.
    """

    source: str
    subjects: Mapping[Key, tuple[Subject, ...]]

    @classmethod
    def of(cls, source: str, subjects: Iterable[Subject]) -> Baseline:
        """Sort subjects by their keys."""
        found = defaultdict[Key, list[Subject]](list)
        for each in subjects:
            found[each.key].append(each)
        return cls(source, {key: tuple(group) for key, group in found.items()})

    def find(self, subject: Subject) -> Subject | None:
        """Return the artifact as it was, None where it is new; among several alike, the one of its file name.

        Raises:
            InputError: Several have its file name too.
        """
        alike = self.subjects.get(subject.key, ())
        if len(alike) > 1:
            alike = tuple(each for each in alike if PurePath(each.artifact).name == PurePath(subject.artifact).name)
        if len(alike) > 1:
            raise InputError(f"{self.source} has {subject.artifact} {len(alike)} times; keep one record of it there")
        return alike[0] if alike else None


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
        return Baseline.of(source, gather([], records.loads(text, source))[0])
    try:
        whole = strict.loads(text)
        if whole["kind"] != KIND or whole["schema_version"] != SCHEMA_VERSION:
            raise ValueError("its kind or version is another")
        return Baseline.of(source, [Subject.from_dict(each) for each in whole["artifacts"]])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fact = " ".join(str(error).split())
        message = f"{source} is no baseline ({fact:.80}); make one with: mnet check --format json --out FILE"
        raise InputError(message) from error
