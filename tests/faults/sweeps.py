"""Sweeps that are killed at any moment, and what must be the same in the end as if they had not been."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRID = """
[grid]
alpha = [0.25]
rho = [32]
classes = 10
format = ["onnx"]
precision = ["float32"]
[profile]
runs = 2
seconds = 0
rounds = 1
"""
# What a measurement finds differs from run to run. What it is of does not.
OF_THE_ARTIFACT = ("kind", "artifact", "sha256", "size_bytes", "format", "precision", "variant", "spec", "target")
OF_THE_ROW = ("variant", "format", "precision", "macs", "parameters", "size_bytes", "artifact", "sha256", "failed")
PATIENCE_SECONDS = 600
STOPPER = Path(__file__).with_name("stopper.py")


def words(config: Path, out: Path) -> list[str]:
    """The command of a sweep."""
    return [sys.executable, "-m", "mobilenet_edge", "sweep", str(config), "--jobs", "1", "--out", str(out)]


def start(config: Path, out: Path) -> subprocess.Popen[str]:
    """Start a sweep."""
    return subprocess.Popen(words(config, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def family(pid: int) -> Iterator[int]:
    """A process and all that it started, itself first."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def running(place: Path) -> list[int]:
    """Processes with something in their command line, their environment or their open files that is of a folder."""
    return [
        int(each.name)
        for each in Path("/proc").glob("[0-9]*")
        if int(each.name) != os.getpid() and any(str(place) in word for word in _about(each))
    ]


def _about(process: Path) -> Iterator[str]:
    with suppress(OSError):
        if "Z" in (process / "stat").read_text().rpartition(")")[2].split()[:1]:
            return
        yield (process / "cmdline").read_text(errors="replace")
        yield (process / "environ").read_text(errors="replace")
    yield from opened(int(process.name))


def opened(pid: int) -> Iterator[str]:
    """The files that a process has open, as far as it is still there."""
    with suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield str(each.readlink())


def await_end(place: Path) -> bool:
    """Whether all processes of a folder end, in time."""
    end = time.monotonic() + PATIENCE_SECONDS
    while running(place):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def kill(process: subprocess.Popen[str], everything: bool) -> None:
    """SIGKILL a sweep: it alone, or all of its processes with it."""
    pids = list(family(process.pid)) if everything else [process.pid]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Disturbed:
    """What came of a sweep that was to be killed.

    Attributes:
        moment: How often it had touched its folder or started a process when it was killed.
        code: Its exit code; -9 for killed, 0 where it had ended before.
        said: What it wrote to stderr.
    """

    moment: int
    code: int
    said: str


def disturb(config: Path, out: Path, moment: int, everything: bool) -> Disturbed:
    """Start a sweep and kill it where it touches its folder or starts a process for the n-th time."""
    with _watched(config, out, moment) as process:
        # Stopped there or at its end, which is left for `communicate` to see.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        kill(process, everything)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    return Disturbed(moment, process.returncode, said)


def touches(config: Path, out: Path) -> int:
    """How often a sweep touches its folder or starts a process."""
    with _watched(config, out, 0) as process:
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    return int(said.splitlines()[-1])


def _watched(config: Path, out: Path, moment: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(STOPPER), str(out), str(moment), *words(config, out)[3:]]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def result(out: Path) -> dict[str, Any]:
    """What is the same in every sweep of the same grid into folders of whatever name."""
    models = [path for path in out.iterdir() if path.suffix in (".keras", ".tflite", ".onnx")]
    records = json.loads((out / "records.json").read_text())
    rows = list(csv.DictReader((out / "tradeoff.csv").read_text().splitlines()))
    return {
        "names": sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()),
        "models": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in models},
        "records": [_of(each, OF_THE_ARTIFACT, out) for each in records],
        "table": [_of(each, OF_THE_ROW, out) for each in rows],
    }


def _of(entry: dict[str, Any], names: tuple[str, ...], out: Path) -> dict[str, Any]:
    return {name: str(entry.get(name)).removeprefix(f"{out}/") for name in names}
