"""Two at once: sweeps in one folder take turns, and measurements on one machine know of each other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import sweeps
from tests.faults.conftest import Mnet

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def wait_for(condition: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def below(pid: int, program: bytes) -> list[int]:
    """The processes that a process started and that run a program."""
    return [each for each in list(sweeps.family(pid))[1:] if program in _command(each)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def makers(pid: int) -> list[int]:
    """The processes of a sweep that build and export."""
    return below(pid, b"mobilenet_edge.workers.program")


@pytest.mark.usefixtures("quick_sweep")
def test_two_sweeps_in_one_folder(config: Path, mnet: Mnet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with sweeps.start(config, out) as first:
        try:
            wait_for(lambda: makers(first.pid))
            (maker,) = makers(first.pid)
            os.kill(maker, signal.SIGSTOP)
            before = sorted(out.rglob("*"))
            said = mnet("sweep", config, "--out", out)
            assert said.code == 3
            assert said.line.startswith(f"mnet: another sweep runs in {out}; wait for it")
            # The first is killed, and the process that writes for it lives on, stopped: still nobody else may write.
            first.kill()
            first.wait()
            assert mnet("sweep", config, "--out", out).code == 3
            assert sorted(out.rglob("*")) == before
        finally:
            first.kill()
            os.kill(maker, signal.SIGCONT)
    # The process sees that it is alone and ends; what comes next waits until it holds nothing any more.
    assert mnet("sweep", config, "--out", out).code == 0
    wait_for(lambda: not Path(f"/proc/{maker}").exists())


@pytest.mark.usefixtures("quick_sweep")
def test_what_a_killed_sweep_left_half_written_is_removed(config: Path, mnet: Mnet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".mnet/tmp/mnet-x3").mkdir(parents=True)
    for place in (out / ".a.keras.x1.part", out / ".mnet" / ".b.json.x2.part", out / "mine.part"):
        place.write_text("half")
    assert mnet("sweep", config, "--out", out).code == 0
    assert [path.name for path in out.rglob("*.part")] == ["mine.part"]
    assert not (out / ".mnet/tmp").exists()


@pytest.fixture
def busy(model: Path, tmp_path: Path, temporary: Callable[[Path], None]) -> Iterator[None]:
    """Another `mnet profile` at work, for as long as a test takes."""
    # Measurements know of each other by files there; those of other programs are not to be seen.
    (tmp_path / "tmp").mkdir()
    temporary(tmp_path / "tmp")
    words = ["profile", str(model), "--sustain", "10m", "--no-limit"]
    whole = [sys.executable, "-m", "mobilenet_edge", *words]
    with subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            wait_for(lambda: _holds_a_lock(below(other.pid, b"worker.pyz")))
            yield
        finally:
            other.kill()


def _holds_a_lock(pids: list[int]) -> bool:
    return any("mnet-measuring" in name for pid in pids for name in sweeps.opened(pid))


@pytest.mark.usefixtures("busy")
def test_two_measurements_on_one_machine(model: Path, mnet: Mnet, tmp_path: Path) -> None:
    words = "--runs 2 --seconds 0 --rounds 1 --no-limit --json"
    said = mnet("profile", model, *words.split(), tmp_path / "a.json")
    assert said.code == 0
    assert "other measurements (1) ran on this machine at the same time" in said.out
    (profile,) = json.loads((tmp_path / "a.json").read_text())
    assert profile["conditions"]["concurrent"] == 1
