"""The weights of a sweep: one source for all variants, or a file for each alpha."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

from mobilenet_edge import schema
from mobilenet_edge.errors import UsageError

SEEDS: Final = 1 << 32
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True)
class WeightsTable:
    """Where weights come from.

    Attributes:
        source: As for `mnet build --weights`.
        seed: Of random weights.
        files: Pairs of alpha and file; they take the place of `source`.
        stated: Whether the file of the sweep has this table.
    """

    source: str = "random"
    seed: int = 0
    files: tuple[tuple[float, str], ...] = ()
    stated: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise UsageError(f"weights.seed must be from 0 to {SEEDS - 1}, got {self.seed}")

    def of(self, alpha: float) -> str:
        """Return the source for a width multiplier.

        Raises:
            UsageError: There are files for other alphas only.
        """
        if not self.files:
            return self.source
        known = dict(self.files)
        if alpha not in known:
            listed = ", ".join(f"{each:g}" for each in sorted(known))
            raise UsageError(f'weights are given for alpha {listed}, but not for {alpha:g}; add {alpha:g} = "FILE"')
        return known[alpha]

    @classmethod
    def load(cls, value: Any) -> Self:
        """Read a source, or a table of `source` and `seed`, or one of files by alpha: `{ 0.25 = "a.h5" }`.

        Raises:
            TypeError: It is none of these.
            UsageError: A file stands for something that is no alpha.
        """
        if isinstance(value, str):
            return cls(value, stated=True)
        if not isinstance(value, dict):
            raise schema.Mismatch(("weights",), f"weights is {value!r:.60}; it must be a table [weights]")
        if isinstance(value.get("source"), dict):
            value = {**value, **value["source"]}
            del value["source"]
        tables = {key: entry for key, entry in value.items() if _NUMBER.match(key)}
        rest = {key: entry for key, entry in value.items() if key not in tables}
        given = {"files": tuple(_files(tables)), "stated": True}
        return schema.from_dict(cls, rest, strict=True, path=("weights",), given=given)


def _files(tables: dict[str, Any]) -> Iterator[tuple[float, str]]:
    """TOML reads the key 0.25 as the key 25 in a table 0."""
    for key, entry in tables.items():
        entries = entry.items() if isinstance(entry, dict) else [("0", entry)]
        for digits, path in entries:
            text = key if "." in key else f"{key}.{digits}"
            if not isinstance(path, str):
                raise schema.Mismatch(("weights", key), f"weights for alpha {text} is {path!r:.60}; it must be text")
            try:
                yield float(text), path
            except ValueError as error:
                raise UsageError(f"weights has the key {text}, which is no alpha") from error
