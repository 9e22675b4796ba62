"""Connect to a running Dask cluster."""

from __future__ import annotations

from typing import Any, Final

from mobilenet_edge.errors import HostError, MissingExtraError

CONNECT_SECONDS: Final = 15


def connect(address: str) -> Any:
    """Connect to a running cluster.

    Args:
        address: Address of the scheduler: "tcp://10.0.0.5:8786" or "10.0.0.5:8786".

    Returns:
        A `distributed.Client`, which the caller closes.

    Raises:
        HostError: No scheduler answers at the address, or it has no workers.
        MissingExtraError: distributed is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("--dask needs distributed", "cluster") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise HostError(f"no Dask scheduler answers at {address}; start one, or leave out --dask") from error
    if not client.scheduler_info(n_workers=-1)["workers"]:
        client.close()
        raise HostError(f"the Dask scheduler at {address} has no workers; start some with: dask worker {address}")
    return client
