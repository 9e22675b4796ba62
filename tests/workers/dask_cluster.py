"""A real Dask cluster on this machine: a scheduler, and worker processes that a nanny starts again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mobilenet_edge


@contextmanager
def running(folder: Path, workers: int, **environment: str) -> Iterator[str]:
    """Give the address of a scheduler with so many workers, one thread each.

    They import modules from `folder` first, and this very package. The scheduler's process id is in
    `folder/scheduler.pid`.
    """
    path = os.pathsep.join([str(folder), str(Path(mobilenet_edge.__file__).parents[1])])
    env = {**os.environ, **environment, "PYTHONPATH": path, "DASK_DISTRIBUTED__DASHBOARD__LINK": ""}
    file = folder / "scheduler.json"
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    options = ["--no-dashboard", "--scheduler-file", str(file)]
    with subprocess.Popen([*start, *options], env=env, cwd=folder, stderr=subprocess.DEVNULL) as scheduler:
        (folder / "scheduler.pid").write_text(str(scheduler.pid))
        start = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
        options = ["--nworkers", str(workers), "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
        with subprocess.Popen([*start, *options], env=env, cwd=folder, stderr=subprocess.DEVNULL) as nannies:
            try:
                yield _wait(file, workers)
            finally:
                for process in (nannies, scheduler):
                    process.terminate()
                    process.wait(30)


def _wait(file: Path, workers: int) -> str:
    from distributed import Client

    end = time.monotonic() + 300
    while (address := _address(file)) is None:
        assert time.monotonic() < end, "the scheduler did not start"
        time.sleep(0.1)
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=300)
    return address


def _address(file: Path) -> str | None:
    """Read the scheduler's address; None until its file is there and written to its end."""
    try:
        return str(json.loads(file.read_text())["address"])
    except (FileNotFoundError, json.JSONDecodeError):
        return None
