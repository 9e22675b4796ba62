"""One damaged or hostile file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REFUSED: Final = frozenset({3})
EITHER: Final = frozenset({0, 3})


@dataclass(frozen=True)
class Case:
    """A file, and what may come of it.

    Attributes:
        name: Of the file; its suffix says which verbs read it.
        category: One row of the table in scripts/hostile/README.md.
        data: The whole file.
        codes: Exit codes that are right: 3 for a refusal in one line, 0 for a right result.
        run: Likewise where a runtime opens the file, None for those of `codes`; 6 is a crash of the runtime, in a
            process of its own.
    """

    name: str
    category: str
    data: bytes
    codes: frozenset[int] = EITHER
    run: frozenset[int] | None = None
