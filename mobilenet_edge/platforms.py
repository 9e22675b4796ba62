"""The systems that processes are started on."""

from __future__ import annotations

import os

from mobilenet_edge.errors import HostError


def require_posix() -> None:
    """Refuse to start a process where it could not be ended with all of its own.

    Raises:
        HostError: The system is neither Linux nor macOS.
    """
    if os.name != "posix":
        raise HostError("mnet builds, exports, evaluates and profiles on Linux and macOS; on Windows, run it in WSL")
