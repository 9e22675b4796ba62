"""Create a virtual environment with the runtimes that fit this machine (the mode "setup").

The environment is in the folder where `mobilenet_edge.hosts.bootstrap` looks for a Python first. Nothing else on the
machine is changed, and removing the folder removes everything.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device.faults import DeviceError, RequestError
from mobilenet_edge.device.runtimes import RUNTIMES, wheels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mobilenet_edge.device.worker import Request

FOLDER: Final = ".local/share/mobilenet-edge/venv"
PIP: Final = ("--disable-pip-version-check", "--no-input", "--quiet")
LISTING: Final = (
    "import json; from importlib.metadata import distributions; "
    "print(json.dumps({package.metadata['Name']: package.version for package in distributions()}))"
)


def run(request: Request) -> dict[str, Any]:
    """Create the environment if needed, and install or upgrade packages in it.

    Args:
        request: `packages` are requirements for pip; empty for the runtimes that fit this machine.

    Returns:
        folder, executable, and installed: {package: version} of all packages in the environment.

    Raises:
        RequestError: A package looks like an option, or no runtime has a wheel for this machine.
        DeviceError: The environment cannot be created, or pip fails.
    """
    if options := [package for package in request.packages if package.startswith("-")]:
        raise RequestError(f"{options[0]!r} is an option of pip; give the names of packages")
    packages = list(request.packages) or default_packages()
    folder = Path.home() / FOLDER
    python = folder / "bin" / "python"
    new = not _has_pip(python)
    try:
        if new:
            _create(folder)
        _call("pip", [str(python), "-m", "pip", *PIP, "install", "--upgrade", *packages])
    except BaseException:
        # An existing environment is kept, since it may still work.
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    installed = json.loads(_call("python", [str(python), "-c", LISTING]))
    return {"folder": str(folder), "executable": str(python), "installed": installed}


def default_packages() -> list[str]:
    """Return the requirements of the best runtime for each format on this machine.

    Raises:
        RequestError: No runtime has a wheel for this machine.
    """
    chosen: dict[str, wheels.Wheel] = {}
    for runtime in RUNTIMES.values():
        # The better one comes first.
        if runtime.automatic and (wheel := runtime.wheel()):
            chosen.setdefault(runtime.format, wheel)
    if not chosen:
        system = wheels.words(*wheels.here())
        raise RequestError(f"no runtime has a wheel for {system}; use a 64-bit system, or another Python")
    return [word for wheel in chosen.values() for word in shlex.split(wheel.requirement)]


def _has_pip(python: Path) -> bool:
    # An environment whose Python was removed does not start; one whose creation was interrupted may lack pip.
    if not os.access(python, os.X_OK):
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _create(folder: Path) -> None:
    if missing := [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]:
        raise DeviceError(
            f"{sys.executable} has no {missing[0]}; on Debian or Raspberry Pi OS: sudo apt install python3-venv"
        )
    shutil.rmtree(folder, ignore_errors=True)
    # The package index has no numpy for 32-bit Arm, so the numpy of the system is used.
    system = ["--system-site-packages"] if wheels.here()[0].startswith("armv") else []
    _call("venv", [sys.executable, "-m", "venv", *system, str(folder)])


def _call(what: str, command: Sequence[str]) -> str:
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if result.returncode:
        raise DeviceError(
            f"{what} failed: {_last_error(result.stderr or result.stdout)}; check the network and the disk space there"
        )
    return result.stdout


def _last_error(text: str, limit: int = 300) -> str:
    """Return the last error line of pip, or else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it printed nothing"]
    errors = [line.partition(":")[2].strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines)[-1][:limit].rstrip(".")
