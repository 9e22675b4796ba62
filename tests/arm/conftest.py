"""A 64-bit Raspberry Pi played by qemu: behaviour is real under it, latency is not."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.model.spec import ModelSpec

PROJECT = Path(__file__).parents[2]
ENTER = Path(__file__).with_name("enter.sh")
EMULATOR = "qemu-aarch64-static"
# Of a Pi 4, which has no int8 dot product.
CPU = "cortex-a72"
# The smallest width at a size that every layer can halve.
SPEC = ModelSpec(0.25, 96, 10)
# Of random weights' logits, which lie within 0.3 of each other: answers should differ by more than a step of int8.
CONTRAST = 10


@dataclass(frozen=True)
class Pi:
    """The emulated machine.

    Attributes:
        root: Its file system, made by scripts/arm_root.py and left as it is.
        emulator: Path of qemu.
        folder: Of this session's own.
    """

    root: Path
    emulator: str
    folder: Path

    def python(self, environment: str) -> str:
        """Path of a program that is the Pi's Python in an environment of scripts/arm_root.py, on this machine's files.

        It cannot start children of its own kind; for that there is `inside`.
        """
        path = self.folder / f"python-{environment}"
        words = (self.emulator, "-L", self.root, "-cpu", CPU, self.root / f"usr/local/{environment}/bin/python")
        path.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
        path.chmod(0o755)
        return str(path)

    def inside(self, *words: str) -> list[str]:
        """Run a command of the Pi's on its own file system, where its children are emulated too."""
        return ["env", f"QEMU_CPU={CPU}", str(ENTER), str(self.root), self.emulator, *words]


@pytest.fixture(scope="session")
def pi(tmp_path_factory: pytest.TempPathFactory) -> Pi:
    """The emulated machine, or a skip that says what it lacks."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("the emulated Pi is laid out for Linux on x86-64")
    emulator = shutil.which(EMULATOR)
    for program, found in ((EMULATOR, emulator), ("mmdebstrap", shutil.which("mmdebstrap"))):
        if found is None:
            pytest.skip(f"no {program}; on Debian or Ubuntu: sudo apt install qemu-user-static mmdebstrap")
    made = subprocess.run([sys.executable, PROJECT / "scripts/arm_root.py"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(made.stderr.strip().splitlines()[-1])
    return Pi(Path(made.stdout.strip()), str(emulator), tmp_path_factory.mktemp("pi"))


@pytest.fixture(scope="session")
def whole(pi: Pi) -> Pi:
    """The same where programs may start programs, or a skip where the kernel does not let us have it."""
    done = subprocess.run(pi.inside("sh", "-c", "uname -m"), capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no private namespace with a binfmt of its own (Linux 6.7): {done.stderr.strip()}")
    assert done.stdout == "aarch64\n"
    return pi


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each precision in each format, made for 64-bit Arm: "int8.tflite" and so on."""
    from mobilenet_edge.model.oracle import load

    folder = tmp_path_factory.mktemp("artifacts")
    path = creation.create(SPEC, out=folder).path
    model = load(path, (3, 0))
    head = next(layer for layer in reversed(model.layers) if layer.weights)
    head.set_weights([CONTRAST * each for each in head.get_weights()])
    model.save(path)
    precisions = ("float32", "float16", "dynamic", "int8")
    made = export.run(path, precisions=precisions, calibrate=calibration.RANDOM, target="arm64", out=folder)
    return {f"{each.precision}.{each.format}": each.path for each in made}
