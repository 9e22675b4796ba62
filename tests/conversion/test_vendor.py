"""What is said of a compiler that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mobilenet_edge.conversion import vendor
from mobilenet_edge.errors import BuildError

pytestmark = pytest.mark.slow


def run(program: str, folder: Path, **options: float) -> str:
    return vendor.run("Acme", [sys.executable, "-c", program], folder, str.strip, see="; see X", **options)


def test_it_runs_in_the_folder_and_its_output_comes_back(tmp_path):
    assert run("import os, sys; print(os.getcwd()); sys.stderr.write('warning')", tmp_path).split() == [
        str(tmp_path),
        "warning",
    ]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; print('no such op'); sys.exit(3)", r"^Acme failed with code 3: no such op; see X$"),
        ("import os; os.kill(os.getpid(), 9)", r"^Acme crashed \(signal 9, killed\): ; see X$"),
        ("import time; time.sleep(60)", r"^Acme took longer than 0\.5 s and was stopped; see X$"),
    ],
)
def test_each_failure_has_its_words(program, message, tmp_path):
    with pytest.raises(BuildError, match=message):
        run(program, tmp_path, limit_seconds=0.5 if "sleep" in program else 60)


def test_a_program_that_is_gone_is_named(tmp_path):
    with pytest.raises(BuildError, match=r"^/nowhere/acme cannot be run: no such file or directory; install it again$"):
        vendor.run("Acme", ["/nowhere/acme"], tmp_path, str.strip)
