"""A crew on a Dask cluster that is already there; its workers need mobilenet-edge of this version and its extras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Self

from mobilenet_edge import __version__, cluster
from mobilenet_edge.errors import HostError
from mobilenet_edge.jobs import Answer, Request, lost
from mobilenet_edge.jobs.call import call

# So often may the workers that had a request be lost before it is given up.
RETRIES: Final = 3


class Crew:
    """The workers of a cluster; see `jobs.Crew`.

    Attributes:
        size: How many threads they have together.
        remote: They may be on other machines.

    Raises:
        HostError: There is no such cluster, or a worker has another version of mnet.
        MissingExtraError: distributed is not installed.
    """

    remote = True

    def __init__(self, function: str, address: str) -> None:
        self._function = function
        self._client = cluster.connect(address)
        self.size = sum(self._client.nthreads().values())
        _check_versions(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        """As `jobs.Crew.run`; values may be bytes as well."""
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        futures = {
            # Never from a cache of the cluster's: the answer to the same request may depend on files.
            self._client.submit(call, self._function, dict(request), pure=False, retries=RETRIES): index
            for index, request in enumerate(requests)
        }
        for future in as_completed(futures, loop=self._client.loop):
            try:
                yield futures[future], future.result()
            except KilledWorker as error:
                yield futures[future], lost(str(error).split(".")[0])
            future.release()


def _check_versions(client: Any) -> None:
    try:
        found = client.run(_version)
    except ModuleNotFoundError as error:
        raise HostError(
            "a worker of the Dask cluster has no mobilenet-edge; install it there: "
            f"pip install 'mobilenet-edge[build]=={__version__}'"
        ) from error
    for worker, version in found.items():
        if version != __version__:
            raise HostError(f"the Dask worker {worker} has mobilenet-edge {version}, and this is {__version__}")


def _version() -> str:
    return __version__
