"""The benchmarks' arguments; what they measure is no matter for a test."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
BENCHES = sorted(SCRIPTS.glob("bench_*.py"))


def run(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(path), *words], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.name)
def test_help_starts_without_measuring(path: Path) -> None:
    ended = run(path, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: {path.name}")


@pytest.mark.slow
def test_an_unknown_option_is_refused() -> None:
    ended = run(SCRIPTS / "bench_export.py", "--surely-not-an-option")
    assert ended.returncode == 2
    assert "unrecognized arguments: --surely-not-an-option" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "runs"), [("bench_export.py", "0"), ("bench_start.py", "-1"), ("bench_start.py", "some")]
)
def test_no_runs_are_refused(name: str, runs: str) -> None:
    ended = run(SCRIPTS / name, "--runs", runs)
    assert ended.returncode == 2
    assert "--runs" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--images", "0"), ("--alpha", "0"), ("--alpha", "nan"), ("--rho", "100")])
def test_a_model_that_cannot_be_built_is_refused_before_the_minutes(words: tuple[str, str]) -> None:
    ended = run(SCRIPTS / "bench_export.py", *words)
    assert ended.returncode == 2
    assert words[0].removeprefix("--") in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.name)
def test_importing_measures_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Expr, ast.If)
    assert all(isinstance(node, allowed) for node in tree.body)
    (guard,) = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(guard.test) == "__name__ == '__main__'"
