"""Define pools of worker processes: `processes` implements one on this machine, `dask` one on a Dask cluster.

A pool calls a function given as "package.module:name". The function takes one request and returns one answer, both JSON
objects. An answer with "error", as returned by `failed`, is an expected failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol, Self

from mobilenet_edge.errors import BuildError, HostError, InputError, MnetError, UsageError

Request = Mapping[str, Any]
Answer = dict[str, Any]

# One request in work and one waiting, so that no process is idle.
REQUESTS_PER_PROCESS: Final = 2


class WorkerPool(Protocol):
    """Processes that answer requests; a context manager that ends them."""

    @property
    def size(self) -> int:
        """Number of requests that are answered at the same time."""

    @property
    def remote(self) -> bool:
        """Whether a process may be on another machine; requests then contain files as bytes instead of paths."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Answer]]:
        """Answer requests; a process that dies is replaced, and its request is repeated once.

        Args:
            requests: Any number of requests, read `REQUESTS_PER_PROCESS` per process ahead.

        Yields:
            The index of a request and its answer, in the order of completion.
        """


def failed(error: MnetError) -> Answer:
    """Return the answer for an expected failure."""
    return {"error": {"message": str(error), "exit_code": error.exit_code}}


def lost(reason: str) -> Answer:
    """Return the answer for a request whose process died twice."""
    return {**failed(HostError(f"its process ended twice ({reason}); try fewer --jobs")), "lost": True}


def check(answer: Answer) -> Answer:
    """Return an answer, or raise the failure that it reports.

    Raises:
        MnetError: The expected failure, with the class and exit code of the original.
        RuntimeError: A bug, with the traceback of the process.
    """
    if "traceback" in answer:
        raise RuntimeError(f"{answer['error']['message']}\n{answer['traceback']}")
    if "error" not in answer:
        return answer
    code = answer["error"]["exit_code"]
    errors = {error.exit_code: error for error in (UsageError, InputError, BuildError, HostError)}
    failure = errors.get(code, MnetError)(answer["error"]["message"])
    failure.exit_code = code
    raise failure
