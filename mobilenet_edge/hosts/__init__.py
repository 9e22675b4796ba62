"""How a device is reached. A kind of host is a module with a class that fits `Host`; `reach` chooses among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol, Self

from mobilenet_edge.errors import HostError

NO_FILES: Final[Mapping[str, Path]] = MappingProxyType({})


class Unreachable(HostError):
    """The machine itself cannot be used, so that every other request would fail alike."""


class Host(Protocol):
    """A machine that runs the worker of `mobilenet_edge.device`.

    Inside `with host:` the connection and what was sent over it are kept; outside, each call makes and ends its own.
    """

    @property
    def name(self) -> str:
        """How the user calls it; "local" for this machine."""

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        """Answer one request in a fresh process on the machine.

        Args:
            request: The fields of `mobilenet_edge.device.worker.Request` but `leased` and those of `files`.
            files: Fields of the request that are files on this machine, "artifact" for instance. The host puts each
                where the worker can read it, and its path there into the request.
            limit_seconds: How long the worker may take.

        Returns:
            The worker's document.

        Raises:
            HostError: The machine or its worker failed, crashed or took too long.
            Unreachable: No worker can be started there at all.
            InputError: The file is no model that the runtime can open.
            MissingExtraError: This machine has no runtime for it.
            UsageError: The request asks for what there is not.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
