"""SIGKILL at random moments of a sweep: what is done stays done, and the end is the same."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.faults import sweeps

pytestmark = [pytest.mark.faults, pytest.mark.slow]

KILLS = 6  # scripts/hostile/soak.py kills 100 times


def test_the_end_is_as_if_nothing_had_been(tmp_path: Path) -> None:
    config, calm, out = tmp_path / "sweep.toml", tmp_path / "calm", tmp_path / "out"
    config.write_text(sweeps.GRID)
    subprocess.run(sweeps.words(config, calm), check=True, capture_output=True)
    # Even a sweep that finds all done touches its folder so often.
    fewest, random = sweeps.touches(config, calm), Random(20)
    assert fewest > 20
    killed = [sweeps.disturb(config, out, random.randint(1, fewest), bool(turn % 2)) for turn in range(KILLS)]
    assert {each.code for each in killed} == {-9}, killed
    assert not any("Traceback" in each.said for each in killed)
    subprocess.run(sweeps.words(config, out), check=True, capture_output=True)
    assert sweeps.await_end(out)
    assert sweeps.result(out) == sweeps.result(calm)
