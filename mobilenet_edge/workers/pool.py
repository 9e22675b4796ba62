"""What pools of worker processes have in common: `processes` has one on this machine, `dask` one on a Dask cluster.

A function is named as "package.module:function"; it takes one request and returns one answer, both plain values of
JSON. An answer that holds "error", as `failed` makes it, is an expected failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol, Self

from mobilenet_edge.errors import BuildError, HostError, InputError, MnetError, UsageError

Request = Mapping[str, Any]
Answer = dict[str, Any]

# So many requests are under way for each that is at work, so that nobody waits for the next.
AHEAD: Final = 2


class WorkerPool(Protocol):
    """Processes that answer requests; a context manager, at whose end they are gone."""

    @property
    def size(self) -> int:
        """How many requests are at work at once."""

    @property
    def remote(self) -> bool:
        """Whether a process may be on another machine: files then travel as bytes, which JSON has not."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Answer]]:
        """Answer requests; a process that is lost is replaced, and its request asked once more.

        Args:
            requests: Taken as they are needed, `AHEAD` for each that is at work, so there may be any number of them.

        Returns:
            The place of a request and its answer, in the order in which they are done.
        """


def failed(error: MnetError) -> Answer:
    """Return the answer that says why there is none."""
    return {"error": {"message": str(error), "exit_code": error.exit_code}}


def lost(reason: str) -> Answer:
    """Return the answer of a request whose process ended, twice."""
    return {**failed(HostError(f"its process ended twice ({reason}); try fewer --jobs")), "lost": True}


def check(answer: Answer) -> Answer:
    """Return an answer that is one, and raise what another says.

    Raises:
        MnetError: The expected failure, of the kind that it was.
        RuntimeError: A bug, with the traceback of the process.
    """
    if "traceback" in answer:
        raise RuntimeError(f"{answer['error']['message']}\n{answer['traceback']}")
    if "error" not in answer:
        return answer
    code = answer["error"]["exit_code"]
    kinds = {each.exit_code: each for each in (UsageError, InputError, BuildError, HostError)}
    error = kinds.get(code, MnetError)(answer["error"]["message"])
    error.exit_code = code
    raise error
