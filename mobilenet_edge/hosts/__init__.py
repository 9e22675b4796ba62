"""Reach devices: each type of host is a module with a class that implements `Host`, and `reach` chooses one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from mobilenet_edge.errors import HostError

if TYPE_CHECKING:
    from mobilenet_edge.hosts.pipe import Pipe

NO_FILES: Final[Mapping[str, Path]] = MappingProxyType({})


class Unreachable(HostError):
    """The machine cannot be used at all, so every other request would fail as well."""


class Host(Protocol):
    """A machine that runs the worker of `mobilenet_edge.device`.

    Inside `with host:` the connection and the uploaded files are reused; outside, each call opens and closes a
    connection.
    """

    @property
    def name(self) -> str:
        """The name of the device in the devices file; "local" for this machine."""

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        """Run one request in a new process on the machine.

        Args:
            request: The fields of `mobilenet_edge.device.worker.Request`, without `leased` and those in `files`.
            files: Local files by field of the request, such as "artifact". The host copies each to where the worker
                can read it, and puts that path into the request.
            limit_seconds: Maximum time of the worker, in seconds.

        Returns:
            The worker's document.

        Raises:
            HostError: The machine or its worker failed, crashed or took too long.
            Unreachable: No worker can be started on the machine.
            InputError: The file is not a model that the runtime can open.
            MissingExtraError: This machine has no runtime for the file.
            UsageError: The request asks for something that does not exist.
        """

    def stream(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> AbstractContextManager[Pipe]:
        """Start a request of the mode "stream", whose worker ends with the block.

        Args:
            request: As for `run`.
            files: As for `run`.
            limit_seconds: Maximum time of one call of the pipe, in seconds.

        Returns:
            The streams of the worker, over a connection of its own.

        Raises:
            HostError: The machine cannot be reached, or a file does not arrive.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
