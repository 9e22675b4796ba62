"""Ask the firmware of a Raspberry Pi through `vcgencmd`, where there is one."""

from __future__ import annotations

import os
from typing import Final

# vcgencmd answers in milliseconds, or hangs with the firmware.
SECONDS: Final = 1.0


def ask(*words: str) -> str | None:
    """Return the answer to a command of `vcgencmd`, or None if there is no such program or it does not answer."""
    paths = (os.path.join(folder, "vcgencmd") for folder in os.get_exec_path())  # noqa: PTH118 - read each second
    command = next((path for path in paths if os.access(path, os.X_OK)), None)
    if command is None:
        return None
    import subprocess  # only needed on a Pi, and its import would slow every worker

    try:
        result = subprocess.run([command, *words], capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip()
