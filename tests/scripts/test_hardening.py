"""The table of docs/hardening.md: read back, replaced by area."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "hardening.py"


def row(area: str, what: str, bad: int = 0) -> dict[str, object]:
    return {"area": area, "what": what, "tried": 9, "right": 4, "refused": 5 - bad, "bad": bad}


@pytest.fixture
def script(tmp_path, monkeypatch):
    main = runpy.run_path(str(SCRIPT))["main"]
    page = tmp_path / "hardening.md"
    page.write_text("# x\n<!-- hardening -->\n<!-- /hardening -->\nend\n")
    monkeypatch.setitem(main.__globals__, "PAGE", page)

    def run(*rows: dict[str, object]) -> tuple[int, list[dict[str, object]]]:
        (tmp_path / "rows.json").write_text(json.dumps(rows))
        monkeypatch.setattr(sys, "argv", ["hardening.py", str(tmp_path / "rows.json")])
        code = main()
        return code, main.__globals__["parse"](page.read_text())

    return run


def test_rows_come_back_as_they_were(script):
    rows = [row("faults", "disk full"), row("faults", "killed")]
    assert script(*rows) == (0, rows)


def test_an_area_replaces_itself_and_leaves_others(script):
    script(row("a", "old"), row("a", "older"))
    script(row("b", "other"))
    assert script(row("a", "new"))[1] == [row("a", "new"), row("b", "other")]


def test_anything_bad_is_an_exit_code(script):
    assert script(row("a", "x", bad=1))[0] == 1
    # And stays one until the area is run again.
    assert script(row("b", "y"))[0] == 1
    assert script(row("a", "x"))[0] == 0
