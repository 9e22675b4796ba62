"""Check the operating system."""

from __future__ import annotations

import os

from mobilenet_edge.errors import HostError


def require_posix() -> None:
    """Refuse systems on which a process cannot be killed together with its children.

    Raises:
        HostError: The system is not POSIX, such as Linux or macOS.
    """
    if os.name != "posix":
        raise HostError("mnet builds, exports, evaluates and profiles on Linux and macOS; on Windows, run it in WSL")
