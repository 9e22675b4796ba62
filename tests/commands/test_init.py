from __future__ import annotations

import re
from dataclasses import fields, replace
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
from mobilenet_edge.sweep.train_table import TrainTable


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
    text = re.sub(r"^# (?=\[|\w+ = )", "", init.template("mnet.toml"), flags=re.MULTILINE)
    tables = {part.split("]")[0]: f"[{part}" for part in re.split(r"^\[", text, flags=re.MULTILINE)[1:]}
    assert tables.keys() == {field.name for field in fields(Sweep)}

    def load(*names: str) -> Sweep:
        (tmp_path / "sweep.toml").write_text("".join(tables[name] for name in names))
        return load_sweep(tmp_path / "sweep.toml")

    # A sweep that trains takes its pictures from [train] alone.
    whole, trained = load(*(name for name in tables if name != "train")), load("grid", "train")
    for name, table in (
        (field.name, getattr(trained if field.name == "train" else whole, field.name)) for field in fields(Sweep)
    ):
        keys = {key.name for key in fields(table)} - {"files", "stated"}
        assert all(re.search(rf"^{key} = ", tables[name], re.MULTILINE) for key in keys), name
    (tmp_path / "as-written.toml").write_text(init.template("mnet.toml"))
    written = load_sweep(tmp_path / "as-written.toml")
    assert (whole.grid, whole.weights, whole.calibration, whole.profile) == (
        written.grid, written.weights, written.calibration, written.profile,
    )  # fmt: skip
    examples = {"data": str(tmp_path / "pictures"), "teacher": str(tmp_path / "big.keras"), "min_top1": 80}
    assert replace(trained.train, weights=None) == TrainTable(**examples)


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
