from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.device import busy


def file_of(folder: Path, pid: int) -> Path:
    return folder / f"mnet-measuring-{pid}.lock"


@contextmanager
def another(folder: Path, pid: int) -> Iterator[Path]:
    """What a worker of another number leaves in the folder while it measures."""
    path = file_of(folder, pid)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def test_alone(tmp_path: Path):
    with busy.measuring(tmp_path):
        assert busy.others(tmp_path) == 0
        assert list(tmp_path.iterdir()) == [file_of(tmp_path, os.getpid())]
    assert list(tmp_path.iterdir()) == []


def test_others_are_counted_while_they_measure(tmp_path: Path):
    with busy.measuring(tmp_path), another(tmp_path, 1):
        assert busy.others(tmp_path) == 1
        with another(tmp_path, 2):
            assert busy.others(tmp_path) == 2
        assert busy.others(tmp_path) == 1


def test_files_of_dead_workers_are_removed(tmp_path: Path):
    file_of(tmp_path, 1).touch()
    (tmp_path / "somebody-elses.lock").touch()
    assert busy.others(tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["somebody-elses.lock"]


def test_own_file_of_a_dead_namesake_is_taken_over(tmp_path: Path):
    file_of(tmp_path, os.getpid()).touch(mode=0o600)
    with busy.measuring(tmp_path):
        # Other users must be able to open it, to see its lock.
        assert file_of(tmp_path, os.getpid()).stat().st_mode & 0o777 == 0o644


def test_a_file_removed_before_it_was_locked_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own, lock, removed = file_of(tmp_path, os.getpid()), fcntl.flock, []

    def late(file: int, kind: int) -> None:
        if not removed:
            own.unlink()
            removed.append(own)
        lock(file, kind)

    monkeypatch.setattr(fcntl, "flock", late)
    with busy.measuring(tmp_path):
        assert removed
        assert busy._is_locked(own)


def test_a_name_held_by_somebody_else_is_no_error(tmp_path: Path):
    with another(tmp_path, os.getpid()) as path:
        with busy.measuring(tmp_path):
            pass
        assert path.exists()


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path, folder: str):
    (tmp_path / "file").touch()
    with busy.measuring(tmp_path / folder):
        assert busy.others(tmp_path / folder) == 0


def test_links_and_pipes_are_left_alone(tmp_path: Path):
    target = tmp_path / "target"
    target.touch(mode=0o600)
    file_of(tmp_path, 1).symlink_to(target)
    file_of(tmp_path, os.getpid()).symlink_to(target)
    os.mkfifo(file_of(tmp_path, 2))
    file_of(tmp_path, 3).mkdir()
    with busy.measuring(tmp_path):
        assert busy.others(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 5
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_temporary_folder_is_that_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with another(tmp_path, 1):
        assert busy.others() == 1


@pytest.mark.slow
def test_a_worker_that_is_killed_is_not_counted(tmp_path: Path):
    code = (
        "import time; from pathlib import Path; from mobilenet_edge.device import busy\n"
        f"with busy.measuring(Path({str(tmp_path)!r})):\n    print('here', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(mobilenet_edge.__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as worker:
        worker.stdout.readline()
        assert busy.others(tmp_path) == 1
        worker.kill()
        assert worker.wait() == -signal.SIGKILL
    assert file_of(tmp_path, worker.pid).exists()
    assert busy.others(tmp_path) == 0
    assert not file_of(tmp_path, worker.pid).exists()
