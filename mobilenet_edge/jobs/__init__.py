"""Work in several processes: on this machine, or on a Dask cluster. A kind of crew is a module with a class `Crew`.

A function is named as "package.module:function"; it takes one request and returns one answer, both plain values of
JSON. An answer that holds "error", as `failed` makes it, is an expected failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

from mobilenet_edge.errors import BuildError, MnetError

Request = Mapping[str, Any]
Answer = dict[str, Any]


class Crew(Protocol):
    """Processes that answer requests; a context manager, at whose end they are gone."""

    @property
    def size(self) -> int:
        """How many requests are at work at once."""

    @property
    def remote(self) -> bool:
        """Whether a process may be on another machine: files then travel as bytes, which JSON has not."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        """Answer requests; a process that is lost is replaced, and its request asked once more.

        Returns:
            The place of a request and its answer, in the order in which they are done.
        """


def failed(error: MnetError) -> Answer:
    """Return the answer that says why there is none."""
    return {"error": {"message": str(error), "exit_code": error.exit_code}}


def lost(reason: str) -> Answer:
    """Return the answer of a request whose process ended, twice."""
    return failed(BuildError(f"its process ended twice ({reason}); try fewer --jobs"))
