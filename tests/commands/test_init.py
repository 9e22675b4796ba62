from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import yaml

from mobilenet_edge.budget import budgets
from mobilenet_edge.commands import check, init
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.hosts import devices
from mobilenet_edge.sweep.config import Sweep, load_sweep


def test_every_verb_reads_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    init.run([])
    assert load_sweep(Path("mnet.toml")).grid.alpha == (0.25, 0.5)
    assert devices.find("pi4").host == "pi@raspberrypi.local"
    with pytest.raises(InputError, match=r"has no budget; add one with \[\[budget\]\]"):
        budgets.load(budgets.PATH)
    steps = yaml.safe_load(Path(".github/workflows/models.yml").read_text())["jobs"]["check"]["steps"]
    assert steps[-1]["run"] == "mnet check --format github"


def test_the_sweep_shows_every_key_with_its_default(tmp_path: Path):
    text = init.template("mnet.toml")
    shown = {line.strip("[] ") for line in re.findall(r"^#? ?(\[\w+\])", text, re.MULTILINE)}
    assert shown == {field.name for field in fields(Sweep)}

    (tmp_path / "as-written.toml").write_text(text)
    defaults = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    (tmp_path / "complete.toml").write_text(defaults)
    complete, written = (load_sweep(tmp_path / name) for name in ("complete.toml", "as-written.toml"))
    for table in fields(Sweep):
        keys = fields(getattr(complete, table.name))
        assert all(re.search(rf"^(# )?{key.name} = ", text, re.MULTILINE) for key in keys), table.name
    assert (complete.grid, complete.weights, complete.calibration, complete.profile) == (
        written.grid,
        written.weights,
        written.calibration,
        written.profile,
    )


def test_models_get_a_budget_that_they_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    node = Node("dense", "dense", ("x",), (10,), np.ones((100, 10), np.float32), np.zeros(10, np.float32))
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    path = Path("models/own [1].tflite")
    path.write_bytes(tflite.float_tflite(Graph("m", "x", (100,), (node,))))
    init.run([Path("models")])
    passed = check.run([])
    assert [verdict.outcome for verdict in passed.verdicts] == ["passed"]
    assert passed.subjects[0].artifact == str(path)

    path.write_bytes(path.read_bytes() + bytes(path.stat().st_size))
    assert [verdict.outcome for verdict in check.run([]).verdicts] == ["failed"]


def test_nothing_is_overwritten_unasked(tmp_path: Path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/budgets.toml").write_text("mine")
    with pytest.raises(InputError, match=r"budgets\.toml is there already; .*--force"):
        init.run([], tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["budgets.toml"]
    init.run([], tmp_path, force=True)
    assert (tmp_path / "configs/budgets.toml").read_text() != "mine"
