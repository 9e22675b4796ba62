"""Run a pool on an existing Dask cluster, whose workers need this version of mobilenet-edge with its extras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, Self

from mobilenet_edge import __version__
from mobilenet_edge.errors import HostError
from mobilenet_edge.workers import cluster
from mobilenet_edge.workers.call import call
from mobilenet_edge.workers.pool import REQUESTS_PER_PROCESS, Answer, Request, lost

# Number of lost workers after which their request fails.
RETRIES: Final = 3


class DaskPool:
    """The workers of a cluster; see `pool.WorkerPool`.

    Args:
        function: The function that answers requests, "package.module:name".
        address: Address of the scheduler.

    Attributes:
        size: Number of threads of all workers.
        remote: True, since workers may be on other machines.

    Raises:
        HostError: There is no such cluster, or a worker has another version of mnet.
        MissingExtraError: distributed is not installed.
    """

    remote = True

    def __init__(self, function: str, address: str) -> None:
        self._function, self._address = function, address
        self._client = cluster.connect(address)
        self.size = sum(self._client.nthreads().values())
        _check_versions(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[int, Answer]]:
        """Answer requests, as `pool.WorkerPool.run`; their values may also be bytes."""
        from distributed import as_completed

        numbered = enumerate(requests)
        indexes: dict[Any, int] = {}
        done = as_completed(loop=self._client.loop)
        try:
            while True:
                for index, request in islice(numbered, REQUESTS_PER_PROCESS * self.size - len(indexes)):
                    future = self._submit(request)
                    indexes[future] = index
                    done.add(future)
                if not indexes:
                    return
                future = next(done)
                yield indexes.pop(future), self._result(future)
        finally:
            if indexes:
                # The run was interrupted, and other users may need the cluster.
                self._client.cancel(list(indexes))

    def _submit(self, request: Request) -> Any:
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):  # requests hold images
            # pure=False turns the cluster's cache off, because an answer may depend on files.
            return self._client.submit(call, self._function, dict(request), pure=False, retries=RETRIES)

    def _result(self, future: Any) -> Answer:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            answer: Answer = future.result()
        except KilledWorker as error:
            return lost(str(error).split(".")[0])
        except FutureCancelledError as error:
            raise HostError(
                f"the connection to the Dask scheduler at {self._address} was lost ({error.reason}); run it again"
            ) from error
        finally:
            future.release()
        return answer


def _check_versions(client: Any) -> None:
    try:
        versions = client.run(_version)
    except ModuleNotFoundError as error:
        raise HostError(
            "a worker of the Dask cluster has no mobilenet-edge; install it on that machine: "
            f"pip install 'mobilenet-edge[build]=={__version__}'"
        ) from error
    for worker, version in versions.items():
        if version != __version__:
            raise HostError(
                f"the Dask worker {worker} has mobilenet-edge {version} and this machine {__version__}; "
                f"install it there: pip install mobilenet-edge=={__version__}"
            )


def _version() -> str:
    return __version__
