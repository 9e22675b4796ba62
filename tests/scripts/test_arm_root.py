"""The ARM userland's cache, with the making of it left out, and the facts that it is given."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest

from mobilenet_edge.device import facts

SCRIPT = Path(__file__).parents[2] / "scripts" / "arm_root.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("arm_root", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where userlands were made; slowly, and with a file each."""
    places = []

    def make(scratch: Path) -> Path:
        places.append(scratch)
        root = scratch / "root"
        root.mkdir()
        time.sleep(0.2)
        (root / "file").touch()
        return root

    monkeypatch.setattr(script, "make", make)
    return places


def test_it_is_made_once_by_however_many(script: ModuleType, made: list[Path], tmp_path: Path):
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(script.find(tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert found == [tmp_path / script.version()] * 3
    assert (found[0] / "file").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([script.version(), "lock"])


def test_what_was_not_finished_is_made_anew(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(scratch: Path) -> Path:
        (scratch / "root").mkdir()
        raise OSError("no space left")

    monkeypatch.setattr(script, "make", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="no space left"):
            script.find(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize("lock", ["dev.txt", "legacy.txt"])
def test_other_pins_are_another_userland(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str
):
    before = script.version()
    changed = tmp_path / lock
    changed.write_text("numpy==0.1\n")
    real = script._lock
    monkeypatch.setattr(script, "_lock", lambda name: changed if name == lock else real(name))
    assert script.version() != before


def test_what_nobody_uses_is_removed(script: ModuleType, made: list[Path], tmp_path: Path):
    root = script.find(tmp_path)
    old, young, foreign = tmp_path / "0123456789abcdef", tmp_path / "fedcba9876543210", tmp_path / "photos"
    for path, days in ((old, 8), (young, 6), (foreign, 8), (root, 8)):
        path.mkdir(exist_ok=True)
        then = time.time() - days * 24 * 3600
        os.utime(path, (then, then))
    assert script.find(tmp_path) == root
    # The one in use is young again.
    assert [path.exists() for path in (old, young, foreign, root)] == [False, True, True, True]
    assert len(made) == 1


def test_its_facts_are_a_pis(script: ModuleType, tmp_path: Path):
    script.plant(tmp_path, script.PI)
    found = facts.static(tmp_path)
    assert (found["board"], found["cpu"], found["isa"]) == ("Raspberry Pi 4 Model B Rev 1.4", "Cortex-A72", ["NEON"])
    assert facts.volatile(tmp_path)["mhz"] == [1500] * script.CORES


@pytest.mark.slow
def test_without_mmdebstrap_it_is_one_line(tmp_path: Path):
    environment = {**os.environ, "PATH": str(tmp_path), "MNET_ARM_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "mmdebstrap is not installed; on Debian or Ubuntu: sudo apt install mmdebstrap" in line
