"""Describe a runtime: its package, the wheels that have it, and the module that adapts it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_edge.device.faults import RuntimeBroken, RuntimeMissing, first_line
from mobilenet_edge.device.runtimes import wheels
from mobilenet_edge.device.runtimes.wheels import Version, Wheel

if TYPE_CHECKING:
    from types import ModuleType

    from mobilenet_edge.device.runtimes import Session


@dataclass(frozen=True)
class Runtime:
    """One row of the table of runtimes.

    Attributes:
        name: Name on the command line and in records.
        title: Name in messages.
        format: Format of the files it opens, "tflite" or "onnx".
        package: Name of the module to import.
        distribution: Name of the package on the package index.
        backend: Name of the module in this folder that adapts it.
        wheels: Its wheels on the package index; the first that fits a machine is installed there.
        automatic: Whether "auto" may choose it and `mnet setup-host` may install it.
    """

    name: str
    title: str
    format: str
    package: str
    distribution: str
    backend: str
    wheels: tuple[Wheel, ...] = ()
    automatic: bool = True

    def wheel_for(self, machine: str, python: Version, glibc: Version | None) -> Wheel | None:
        """Choose the wheel for a machine, None if none fits; see `wheels.here` for the arguments."""
        return next((wheel for wheel in self.wheels if wheel.fits(machine, python, glibc)), None)

    def wheel(self) -> Wheel | None:
        """Choose the wheel for this machine, None if none fits."""
        return self.wheel_for(*wheels.here())

    def installed(self) -> bool:
        """Return whether the package is installed, without importing it."""
        return importlib.util.find_spec(self._root) is not None

    def version(self) -> str:
        """Return the version of the loaded package, as on the package index."""
        # OpenVINO's goes on: "2026.4.1-22982-e213a147257-releases/2026/4".
        return str(getattr(sys.modules[self._root], "__version__", "unknown")).partition("-")[0]

    def load(self) -> ModuleType:
        """Import the package.

        Raises:
            RuntimeMissing: The package is not installed.
            RuntimeBroken: The package is installed but cannot be loaded.
        """
        if not self.installed():
            raise self.missing()
        try:
            # What a package would report to its makers when it is imported.
            getattr(self.adapter(), "silence", lambda: None)()
            return importlib.import_module(self.package)
        except ImportError as error:
            # The usual cause is that pip chose the newest version and only an older one fits this machine.
            wheel, remedy = self.wheel(), "install it again"
            if wheel is None:
                remedy = "no version of it fits this machine"
            elif wheel.extra is None:
                remedy = f"run: pip install {wheel.requirement}"
            raise RuntimeBroken(
                f"{self.title} is installed but cannot be loaded: {first_line(error)}; {remedy}"
            ) from error

    def open(self, path: Path, threads: int, delegate: Mapping[str, Any] | None = None) -> Session:
        """Open a model.

        Args:
            path: The model file.
            threads: Threads within one inference.
            delegate: {"path", "options"} of a library, or {"provider", "options"} of onnxruntime; None for none.

        Raises:
            RuntimeMissing: The runtime is not installed.
            RuntimeBroken: The runtime cannot be loaded.
            InvalidModel: The runtime cannot open the file.
            RequestError: The delegate cannot be loaded, or the runtime supports none.
            DelegateFailed: The delegate does not start, or cannot run the model.
        """
        session: Session = self.adapter().open_session(self, path, threads, delegate)
        return session

    def adapter(self) -> ModuleType:
        """Import the module that adapts it."""
        return importlib.import_module(f"{__package__}.{self.backend}")

    def missing(self) -> RuntimeMissing:
        """Build the exception that says what to install on this machine."""
        wheel = self.wheel()
        if wheel is None:
            machine = wheels.words(*wheels.here())
            return RuntimeMissing(f"{self.title} is not installed, and there is no wheel of it for {machine}")
        return RuntimeMissing(f"{self.title} is not installed", wheel.extra, wheel.requirement)

    @property
    def _root(self) -> str:
        return self.package.partition(".")[0]
