"""One sweep at a time in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.sweep import lock


def test_a_second_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.0)
    with lock.hold(tmp_path), pytest.raises(InputError, match=r"another sweep runs in .*; wait for it"):
        lock.hold(tmp_path).__enter__()


def test_another_folder_is_free(tmp_path: Path) -> None:
    with lock.hold(tmp_path / "a"), lock.hold(tmp_path / "b"):
        assert (tmp_path / "b" / ".mnet" / "lock").exists()


@pytest.mark.slow
def test_what_inherits_it_keeps_it(tmp_path: Path) -> None:
    with lock.hold(tmp_path) as held:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(held,))
    try:
        with pytest.raises(InputError, match="another sweep runs in"):
            lock.hold(tmp_path).__enter__()
    finally:
        child.kill()
    # Whoever comes now need not know whether it is dead yet.
    with lock.hold(tmp_path):
        child.wait()


def test_one_after_the_other(tmp_path: Path) -> None:
    for _ in range(2):
        with lock.hold(tmp_path):
            pass


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write to .*file/out: not a directory"):
        lock.hold(tmp_path / "file" / "out").__enter__()


@pytest.mark.slow
def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal\n"
        "from mobilenet_edge.sweep import lock\n"
        f"with lock.hold(pathlib.Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with lock.hold(tmp_path):
        pass
