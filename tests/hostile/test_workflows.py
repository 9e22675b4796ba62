"""What CI runs cannot be exchanged by somebody else."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "hostile" / "audit.py"))


@pytest.mark.parametrize("uses", ["someone/thing@v1", "actions/checkout@main", "docker://alpine:3", "'a/b@11bd719'"])
def test_an_action_that_can_be_exchanged_is_named(uses: str) -> None:
    (problem,) = script["unpinned"]("ci.yml", f"permissions: {{}}\njobs:\n  - uses: {uses}  # v1\n")
    assert problem.startswith(f"ci.yml:3: {uses.strip(chr(39))} can be exchanged")


def test_the_workflows_have_no_problem() -> None:
    paths = script["workflows"]()
    assert "ci.yml" in {path.name for path in paths}
    assert [problem for path in paths for problem in script["unpinned"](path.name, path.read_text())] == []
