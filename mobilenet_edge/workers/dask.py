"""A pool on a Dask cluster that is already there; its workers need mobilenet-edge of this version and its extras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, Self

from mobilenet_edge import __version__
from mobilenet_edge.errors import HostError
from mobilenet_edge.workers import cluster
from mobilenet_edge.workers.call import call
from mobilenet_edge.workers.pool import AHEAD, Answer, Request, lost

# So often may the workers that had a request be lost before it is given up.
RETRIES: Final = 3


class DaskPool:
    """The workers of a cluster; see `pool.WorkerPool`.

    Attributes:
        size: How many threads they have together.
        remote: They may be on other machines.

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
        """As `pool.WorkerPool.run`; values may be bytes as well."""
        from distributed import as_completed

        waiting = enumerate(requests)
        places: dict[Any, int] = {}
        done = as_completed(loop=self._client.loop)
        try:
            while True:
                for index, request in islice(waiting, AHEAD * self.size - len(places)):
                    future = self._submit(request)
                    places[future] = index
                    done.add(future)
                if not places:
                    return
                future = next(done)
                yield places.pop(future), self._result(future)
        finally:
            if places:
                # The run was broken off, and the cluster belongs to others, too.
                self._client.cancel(list(places))

    def _submit(self, request: Request) -> Any:
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):  # of bytes that are meant
            # Never from a cache of the cluster's: the answer to the same request may depend on files.
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
                f"the Dask scheduler at {self._address} went away ({error.reason}); run it again"
            ) from error
        finally:
            future.release()
        return answer


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
