"""A clock that is set back: durations don't know it, and what is done is told by content."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mobilenet_edge.hosts import payload
from mobilenet_edge.hosts.local import Local
from tests.faults.conftest import Mnet

pytestmark = [pytest.mark.faults, pytest.mark.slow]

DAY_NS = 86_400 * 10**9
ASK = {"mode": "time", "warmup": {"runs": 1}, "steady": {"seconds": 1.0}, "sample_seconds": 0.1}


@pytest.fixture(scope="session")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that sets the clock back in the program that it is loaded into."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    flags = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["gcc", *flags, "-o", library, Path(__file__).with_name("clock.c"), "-ldl"], check=True)
    return library


def environment(library: Path, milliseconds: int) -> dict[str, str]:
    return {"LD_PRELOAD": str(library), "MNET_JUMP_MS": str(milliseconds)}


def test_the_library_does_what_it_says(jumping: Path) -> None:
    code = "import time; a = time.time(); time.sleep(0.6); print(time.time() - a)"
    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment(jumping, 500)}, capture_output=True, text=True
    )
    assert float(said.stdout) == pytest.approx(0.6 - 86_400, abs=3600)


def test_the_times_of_a_worker(jumping: Path, model: Path) -> None:
    # It starts in less than a second, or else the clock is set back before: for the times it is all the same.
    settings = [f"{name}={value}" for name, value in environment(jumping, 800).items()]
    host = Local(command=("env", *settings, sys.executable, str(payload.path())))
    told = host.run(ASK, {"artifact": model}, limit_seconds=300)
    assert all(each > 0 for each in told["times_ns"])
    # A second at least, and not a day.
    assert 1e9 <= told["usage"]["wall_ns"] < DAY_NS
    assert sum(told["times_ns"]) <= told["usage"]["wall_ns"]
    places = [each["at_ns"] for each in told["samples"]]
    assert places == sorted(places)
    assert len(places) > 1


def test_a_whole_measurement(jumping: Path, model: Path, tmp_path: Path) -> None:
    words = f"profile {model} --runs 2 --seconds 0 --rounds 2 --no-limit --json {tmp_path}/a.json"
    said = subprocess.run(
        [sys.executable, "-m", "mobilenet_edge", *words.split()],
        env={**os.environ, **environment(jumping, 1000)},
        capture_output=True,
        text=True,
    )
    assert (said.returncode, said.stderr) == (0, "")
    (profile,) = json.loads((tmp_path / "a.json").read_text())
    assert all(0 < each < 60e9 for each in profile["times_ns"])


@pytest.mark.usefixtures("quick_sweep")
def test_a_sweep_whose_files_are_of_tomorrow(config: Path, mnet: Mnet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert mnet("sweep", config, "--out", out).code == 0
    for path in out.rglob("*"):
        if path.is_file():
            now = path.stat().st_mtime_ns
            os.utime(path, ns=(now + DAY_NS, now + DAY_NS))
    assert "0 of 3 stages to run" in mnet("sweep", config, "--out", out, "--dry-run").out
    # Changed after the clock was set back: older than what vouches for it, as large, and another file.
    artifact = next(out.glob("*.onnx"))
    data = artifact.read_bytes()
    artifact.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    todo = mnet("sweep", config, "--out", out, "--dry-run").out
    assert f"{artifact.name} was changed" in todo
    assert mnet("sweep", config, "--out", out).code == 0
    assert artifact.read_bytes() == data
