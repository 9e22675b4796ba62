"""$MNET_REQUIRE: a machine that should have everything must not pass by skipping."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
import pytest

@pytest.fixture
def device():
    pytest.skip("no device")

@pytest.mark.arm
def test_by_fixture(device): pass

@pytest.mark.arm
def test_inside(): pytest.skip("no such case here")

@pytest.mark.arm
@pytest.mark.skipif(True, reason="no device")
def test_by_mark(): pass

@pytest.mark.arm
@pytest.mark.data
def test_of_both(device): pass

@pytest.mark.arm
@pytest.mark.xfail(reason="known", strict=True)
def test_known_to_fail(): assert False

@pytest.mark.arm
def test_that_runs(): pass

def test_without_condition(device): pass
"""


def run(folder: Path, require: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    (folder / "test_it.py").write_text(TESTS)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rfs", "-p", "no:cacheprovider", "--rootdir", folder, "-W", "ignore", folder],
        cwd=folder, env={**os.environ, "MNET_REQUIRE": require}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("require", "summary"),
    [
        # Left are the one that needs data too, which was not asked for, the one that decides for itself when it runs,
        # and the one that is marked with nothing.
        ("ssh arm", "1 passed, 3 skipped, 1 xfailed, 2 errors"),
        ("arm data", "1 passed, 2 skipped, 1 xfailed, 3 errors"),
    ],
)
def test_required_skips_are_failures(tmp_path: Path, require: str, summary: str):
    done = run(tmp_path, require)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert summary in done.stdout
    assert "no device, and MNET_REQUIRE wants arm" in done.stdout


@pytest.mark.parametrize("require", ["", "ssh legacy"])
def test_other_skips_remain(tmp_path: Path, require: str):
    done = run(tmp_path, require)
    assert done.returncode == pytest.ExitCode.OK
    assert "1 passed, 5 skipped, 1 xfailed" in done.stdout


def test_a_misspelt_condition_is_refused(tmp_path: Path):
    done = run(tmp_path, "amr")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "MNET_REQUIRE: no amr; there are arm, browser, data" in done.stderr
