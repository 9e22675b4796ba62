"""Run a vendor's compiler as a command."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge.errors import BuildError

# MobileNets take seconds; the Edge TPU compiler gives up after 180 s by itself.
LIMIT_SECONDS: Final = 240.0


def run(
    title: str,
    command: Sequence[str],
    folder: str | Path,
    summarise: Callable[[str], str],
    *,
    limit_seconds: float = LIMIT_SECONDS,
    see: str = "",
) -> str:
    """Run a compiler and return what it printed.

    Args:
        title: Its name in messages.
        command: Program and arguments.
        folder: The folder to run in.
        summarise: Makes one line of what it printed.
        limit_seconds: Maximum time.
        see: Where more is written, as the end of a message.

    Raises:
        BuildError: It cannot be run, took too long, crashed or failed.
    """
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{title} took longer than {limit_seconds:g} s and was stopped{see}") from error
    except OSError as error:
        raise BuildError(
            f"{command[0]} cannot be run: {(error.strerror or str(error)).lower()}; install it again"
        ) from error
    if result.returncode < 0:
        name = (signal.strsignal(-result.returncode) or "unknown").lower()
        raise BuildError(f"{title} crashed (signal {-result.returncode}, {name}): {summarise(result.stdout)}{see}")
    if result.returncode:
        raise BuildError(f"{title} failed with code {result.returncode}: {summarise(result.stdout)}{see}")
    return result.stdout
