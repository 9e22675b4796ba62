"""The mode "setup": a virtual environment of our own with the runtimes that this machine can have.

It stands where `mobilenet_edge.hosts.bootstrap` looks for a Python first. Nothing else on the machine is touched, and
removing the folder removes everything.
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
from mobilenet_edge.device.runtimes import wheels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mobilenet_edge.device.worker import Request

FOLDER: Final = ".local/share/mobilenet-edge/venv"
PIP: Final = ("--disable-pip-version-check", "--no-input", "--quiet")
LISTING: Final = (
    "import json; from importlib.metadata import distributions; "
    "print(json.dumps({each.metadata['Name']: each.version for each in distributions()}))"
)


def run(request: Request) -> dict[str, Any]:
    """Make the environment, or bring the one that is there up to what is asked.

    Args:
        request: Its `packages`, as pip takes them; empty for the runtimes that have a wheel for this machine.

    Returns:
        folder, executable, and installed: {package: version}, pip and the like among them.

    Raises:
        RequestError: A package could be taken for an option, or no runtime has a wheel for this machine.
        DeviceError: The environment cannot be made, or pip refuses.
    """
    if wrong := [each for each in request.packages if each.startswith("-")]:
        raise RequestError(f"{wrong[0]!r} is an option of pip and no package")
    packages = list(request.packages) or fitting()
    folder = Path.home() / FOLDER
    python = folder / "bin" / "python"
    new = not _usable(python)
    try:
        if new:
            _make(folder)
        _call("pip", [str(python), "-m", "pip", *PIP, "install", "--upgrade", *packages])
    except BaseException:
        # One that was there before is left as pip left it: it may still serve.
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    installed = json.loads(_call("python", [str(python), "-c", LISTING]))
    return {"folder": str(folder), "executable": str(python), "installed": installed}


def fitting() -> list[str]:
    """Return what pip takes for this machine: the best runtime of each format that has a wheel.

    Raises:
        RequestError: None has.
    """
    here = wheels.here()
    found = dict(wheels.requirements(*here))
    if found.get("litert"):
        found["tflite-runtime"] = None  # slower, and it holds numpy back
    packages = [word for each in found.values() if each for word in shlex.split(each)]
    if not packages:
        raise RequestError(f"no runtime has a wheel for {wheels.words(*here)}; use a 64-bit system, or another Python")
    return packages


def _usable(python: Path) -> bool:
    # One that was made for a Python that is gone since, or was interrupted, does not start or has no pip.
    if not os.access(python, os.X_OK):
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _make(folder: Path) -> None:
    if missing := [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]:
        raise DeviceError(
            f"{sys.executable} has no {missing[0]}; on Debian or Raspberry Pi OS: sudo apt install python3-venv"
        )
    shutil.rmtree(folder, ignore_errors=True)
    # 32-bit Arm has no numpy on the index; the system's may do.
    system = ["--system-site-packages"] if wheels.here()[0].startswith("armv") else []
    _call("venv", [sys.executable, "-m", "venv", *system, str(folder)])


def _call(what: str, command: Sequence[str]) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        raise DeviceError(f"{what} failed: {_reason(done.stderr or done.stdout)}; see the network and the space there")
    return done.stdout


def _reason(text: str, limit: int = 300) -> str:
    """Find pip's last error, or else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line.partition(":")[2].strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines)[-1][:limit].rstrip(".")
