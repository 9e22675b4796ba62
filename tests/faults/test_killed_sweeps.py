"""SIGKILL at random moments of a sweep: what is done stays done, and the end is the same."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from random import Random

import pytest

from tests.faults import sweeps

pytestmark = [pytest.mark.faults, pytest.mark.slow]

KILLS = 8
# For all kills together, on average; scripts/hostile/soak.py kills 100 times.
BOX_SECONDS = 20.0


def test_the_end_is_as_if_nothing_had_been(tmp_path: Path) -> None:
    config, calm, out = tmp_path / "sweep.toml", tmp_path / "calm", tmp_path / "out"
    config.write_text(sweeps.GRID)
    began = time.monotonic()
    subprocess.run(sweeps.words(config, calm), check=True, capture_output=True)
    whole = time.monotonic() - began
    longest = min(whole, 2 * BOX_SECONDS / KILLS)
    moments = sweeps.moments(Random(20), longest)
    killed = [sweeps.disturb(config, out, *next(moments)) for _ in range(KILLS)]
    # One that was quick may have ended; nothing else ends by itself.
    assert {each.code for each in killed} <= {-9, 0}, killed
    assert sum(each.code == -9 for each in killed) > KILLS / 2
    assert not any("Traceback" in each.said for each in killed)
    subprocess.run(sweeps.words(config, out), check=True, capture_output=True)
    assert sweeps.await_end(out)
    assert sweeps.result(out) == sweeps.result(calm)
