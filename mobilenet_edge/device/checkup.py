"""The mode "doctor": what this machine is and has, for `mnet doctor` to judge.

It needs neither numpy nor a runtime. Each of them is tried in a process of its own, since one that was built for
another machine ends its process instead of raising.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device import busy, delegate, facts, memory, runtimes, streams
from mobilenet_edge.device.faults import DeviceError, InvalidModel, first_line
from mobilenet_edge.device.runtimes import wheels

if TYPE_CHECKING:
    from mobilenet_edge.device.worker import Request

NUMPY: Final = "numpy"
TRY_SECONDS: Final = 60
# The child looks for packages exactly where this process does; -c alone would add the current folder.
CHILD: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; from mobilenet_edge.device import checkup; checkup.child(sys.argv[1])"
)
# Before and after the runtime has sent its firmware; https://coral.ai/docs/accelerator/get-started.
EDGETPU_USB: Final = (("1a6e", "089a"), ("18d1", "9302"))
EDGETPU_PCI: Final = (("0x1ac1", "0x089a"),)


def run(_: Request) -> dict[str, Any]:
    """Look at this machine.

    Returns:
        host and now (`facts.static`, `facts.volatile`); system (what wheels are chosen by, in words); numpy and
        runtimes, each with installed, version and error, the runtimes also with title, format and requirement
        (arguments of pip, quoted for a shell, None where no wheel fits); delegates
        (paths of libedgetpu); edge_tpus ("usb", "pci"); memory_available_bytes; folder and disk_free_bytes of
        temporary files; measuring (how many workers do); clock_ns; executable, python, bits, pip, venv (whether one
        can be made), managed (whether pip refuses, PEP 668).
    """
    system = wheels.here()
    requirements = wheels.requirements(*system)
    numpy = attempt(NUMPY) if find_spec(NUMPY) else _absent()
    if numpy["version"] is None:
        sys.modules[NUMPY] = None  # type: ignore[assignment]  # makes `facts` pass over one that would crash
    return {
        "clock_ns": time.time_ns(),
        "host": facts.static(),
        "now": facts.volatile(),
        "numpy": numpy,
        "system": wheels.words(*system),
        "runtimes": {name: _runtime(runtimes.RUNTIMES[name], each) for name, each in requirements.items()},
        "delegates": delegate.found(),
        "edge_tpus": edge_tpus(),
        "memory_available_bytes": memory.available_bytes(),
        **_disk(),
        "measuring": busy.others(),
        **_python(),
    }


def attempt(name: str, command: str = CHILD) -> dict[str, Any]:
    """Load numpy or a runtime in a process of its own.

    Args:
        name: "numpy" or a key of `runtimes.RUNTIMES`.
        command: What that process runs.

    Returns:
        installed, version, and error: why it cannot be used, None where it can.
    """
    try:
        # stdin is the lease of this process, and nobody else's.
        done = subprocess.run(
            [sys.executable, "-c", command, name, *sys.path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        return _present(error=f"it could not be tried: {error.strerror}")
    if done.returncode < 0:
        return _present(error=_end(-done.returncode))
    try:
        return _present(**json.loads(done.stdout))
    except ValueError:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return _present(error=lines[-1].strip()[:200] if lines else f"it ended with exit code {done.returncode}")


def child(name: str) -> None:
    """Load numpy or a runtime here, and print its version and what is wrong with it as JSON."""
    # The kernel ends what hangs in native code, and does so when nobody waits any longer, too.
    signal.alarm(TRY_SECONDS)
    found: dict[str, Any] = {}
    with streams.claim_stdout() as out:
        try:
            found["version"] = _load(name)
            _try(name)
        except DeviceError as error:
            found["error"] = first_line(error.__cause__ or error)
        json.dump(found, out)


def edge_tpus(root: Path = facts.SYSTEM) -> list[str]:
    """Tell on which buses ("usb", "pci") an Edge TPU is seen."""
    buses = (("usb", ("idVendor", "idProduct"), EDGETPU_USB), ("pci", ("vendor", "device"), EDGETPU_PCI))
    return [
        bus
        for bus, names, known in buses
        if any(_words(path, names) in known for path in (root / "sys/bus" / bus / "devices").glob("*"))
    ]


def _load(name: str) -> str:
    if name == NUMPY:
        import numpy as np

        return np.__version__
    runtime = runtimes.RUNTIMES[name]
    runtime.load()
    return str(getattr(sys.modules[runtime.package.partition(".")[0]], "__version__", "unknown"))


def _try(name: str) -> None:
    if name == NUMPY:
        return
    runtime = runtimes.RUNTIMES[name]
    with tempfile.TemporaryDirectory() as folder:
        # Importing it proves little: tflite-runtime meets a NumPy that it was not built for only when it opens a file.
        empty = Path(folder) / f"empty.{runtime.format}"
        empty.touch()
        with suppress(InvalidModel):
            runtime.open(empty, 1)


def _runtime(runtime: runtimes.Runtime, requirement: str | None) -> dict[str, Any]:
    return {
        **(attempt(runtime.name) if runtime.installed() else _absent()),
        "title": runtime.title,
        "format": runtime.format,
        "requirement": requirement,
    }


def _present(version: str | None = None, error: str | None = None) -> dict[str, Any]:
    return {"installed": True, "version": version, "error": error}


def _absent() -> dict[str, Any]:
    return {"installed": False, "version": None, "error": None}


def _end(number: int) -> str:
    if number == signal.SIGALRM:
        return f"it did not load within {TRY_SECONDS} s"
    return f"it crashes when it is loaded (signal {number}, {(signal.strsignal(number) or 'unknown').lower()})"


def _words(folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple((folder / name).read_text().strip() for name in names)
    except OSError:
        return ()


def _disk() -> dict[str, Any]:
    try:
        folder = tempfile.gettempdir()
        return {"folder": folder, "disk_free_bytes": shutil.disk_usage(folder).free}
    except OSError:
        # None of the usual folders can be written.
        return {"folder": None, "disk_free_bytes": None}


def _bits() -> int:
    return 64 if sys.maxsize > 2**32 else 32


def _python() -> dict[str, Any]:
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    return {
        "executable": sys.executable,
        "python": list(sys.version_info[:3]),
        "bits": _bits(),
        "pip": find_spec("pip") is not None,
        # Debian keeps ensurepip, without which no environment gets its pip, in a package of its own.
        "venv": find_spec("venv") is not None and find_spec("ensurepip") is not None,
        "managed": sys.prefix == sys.base_prefix and marker.is_file(),
    }
