"""How a device is reached. A kind of host is a module with a class that fits `Host`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Host(Protocol):
    """A machine that runs the worker of `mobilenet_edge.device`."""

    @property
    def name(self) -> str:
        """How the user calls it; "local" for this machine."""

    def run(self, request: Mapping[str, Any], artifact: Path, *, limit_seconds: float) -> dict[str, Any]:
        """Answer one request about a model file in a fresh process on the machine.

        Args:
            request: The fields of `mobilenet_edge.device.worker.Request` but `artifact` and `leased`.
            artifact: The model file, on this machine.
            limit_seconds: How long the worker may take.

        Returns:
            The worker's document.

        Raises:
            HostError: The machine or its worker failed, crashed or took too long.
            InputError: The file is no model that the runtime can open.
            MissingExtraError: The machine has no runtime for it.
            UsageError: The request asks for what there is not.
        """
