"""Collect facts about this machine for `mnet doctor` (the mode "doctor").

The mode itself needs neither numpy nor a runtime. Each of these is tried in a separate process, because a package that
was built for another CPU crashes its process instead of raising.
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
# Of all: numpy and the runtimes are tried in turn.
LIMIT_SECONDS: Final = TRY_SECONDS * (1 + len(runtimes.RUNTIMES)) + 30.0
# The child takes over this process's search path; -c alone would add the current folder.
CHILD: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; from mobilenet_edge.device import checkup; checkup.child(sys.argv[1])"
)
# USB IDs before and after the runtime has loaded the firmware: https://coral.ai/docs/accelerator/get-started.
EDGETPU_USB: Final = (("1a6e", "089a"), ("18d1", "9302"))
EDGETPU_PCI: Final = (("0x1ac1", "0x089a"),)


def run(_: Request) -> dict[str, Any]:
    """Collect the facts about this machine.

    Returns:
        host and now (`facts.static`, `facts.volatile`); system (architecture, Python and C library, by which wheels
        are chosen); numpy and runtimes, each with installed, version and error, the runtimes also with title, format,
        requirement (arguments of pip, quoted for a shell, None if no wheel fits) and automatic (as `Runtime`);
        delegates (paths of libedgetpu); edge_tpus ("usb", "pci"); memory_available_bytes; folder and disk_free_bytes of
        temporary files; measuring (number of measuring workers); clock_ns; executable, python, bits, pip, venv (whether
        an environment can be created), managed (whether pip refuses to install, PEP 668).
    """
    system = wheels.here()
    numpy = try_import(NUMPY) if find_spec(NUMPY) else _absent()
    if numpy["version"] is None:
        sys.modules[NUMPY] = None  # type: ignore[assignment]  # stops `facts` from importing a broken numpy
    return {
        "clock_ns": time.time_ns(),
        "host": facts.static(),
        "now": facts.volatile(),
        "numpy": numpy,
        "system": wheels.words(*system),
        "runtimes": {
            name: _runtime(runtimes.RUNTIMES[name], requirement)
            for name, requirement in runtimes.requirements(*system).items()
        },
        "delegates": delegate.find(),
        "edge_tpus": edge_tpus(),
        "memory_available_bytes": memory.available_bytes(),
        **_disk(),
        "measuring": busy.others(),
        **_python(),
    }


def try_import(name: str, command: str = CHILD) -> dict[str, Any]:
    """Load numpy or a runtime in a separate process.

    Args:
        name: "numpy" or a key of `runtimes.RUNTIMES`.
        command: Python code for that process.

    Returns:
        installed, version, and error: why it cannot be used, None if it can; providers of a runtime that has some.
    """
    try:
        # Not this process's stdin, whose end stops the worker.
        result = subprocess.run(
            [sys.executable, "-c", command, name, *sys.path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        return _present(error=f"its test could not be started: {error.strerror}")
    if result.returncode < 0:
        return _present(error=_describe_signal(-result.returncode))
    try:
        return _present(**json.loads(result.stdout))
    except ValueError:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        return _present(error=lines[-1].strip()[:200] if lines else f"it ended with exit code {result.returncode}")


def child(name: str) -> None:
    """Load numpy or a runtime in this process, and print its version and its error as JSON."""
    # The alarm also ends a process that hangs in native code, even after its parent has gone.
    signal.alarm(TRY_SECONDS)
    outcome: dict[str, Any] = {}
    with streams.claim_stdout() as out:
        try:
            outcome["version"] = _load(name)
            _try(name)
            outcome.update(_providers(name))
        except DeviceError as error:
            outcome["error"] = first_line(error.__cause__ or error)
        json.dump(outcome, out)


def edge_tpus(root: Path = facts.SYSTEM) -> list[str]:
    """List the buses ("usb", "pci") that have an Edge TPU."""
    buses = (("usb", ("idVendor", "idProduct"), EDGETPU_USB), ("pci", ("vendor", "device"), EDGETPU_PCI))
    return [
        bus
        for bus, names, known in buses
        if any(_read_all(path, names) in known for path in (root / "sys/bus" / bus / "devices").glob("*"))
    ]


def _load(name: str) -> str:
    if name == NUMPY:
        import numpy as np

        return np.__version__
    runtime = runtimes.RUNTIMES[name]
    runtime.load()
    return runtime.version()


def _try(name: str) -> None:
    if name == NUMPY:
        return
    runtime = runtimes.RUNTIMES[name]
    with tempfile.TemporaryDirectory() as folder:
        # Importing is not enough: tflite-runtime fails on an incompatible NumPy only when it opens a file.
        empty = Path(folder) / f"empty.{runtime.format}"
        empty.touch()
        with suppress(InvalidModel):
            runtime.open(empty, 1)


def _providers(name: str) -> dict[str, Any]:
    """List the execution providers of a runtime that has some."""
    if name == NUMPY:
        return {}
    runtime = runtimes.RUNTIMES[name]
    listed = getattr(runtime.adapter(), "providers", None)
    return {} if listed is None else {"providers": listed(runtime.load())}


def _runtime(runtime: runtimes.Runtime, requirement: str | None) -> dict[str, Any]:
    return {
        **(try_import(runtime.name) if runtime.installed() else _absent()),
        "title": runtime.title,
        "format": runtime.format,
        "requirement": requirement,
        "automatic": runtime.automatic,
    }


def _present(version: str | None = None, error: str | None = None, **more: Any) -> dict[str, Any]:
    return {"installed": True, "version": version, "error": error, **more}


def _absent() -> dict[str, Any]:
    return {"installed": False, "version": None, "error": None}


def _describe_signal(number: int) -> str:
    if number == signal.SIGALRM:
        return f"it did not load within {TRY_SECONDS} s"
    return f"it crashes when it is loaded (signal {number}, {(signal.strsignal(number) or 'unknown').lower()})"


def _read_all(folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
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
        # Debian ships ensurepip, which installs pip into a new environment, in a separate package.
        "venv": find_spec("venv") is not None and find_spec("ensurepip") is not None,
        "managed": sys.prefix == sys.base_prefix and marker.is_file(),
    }
