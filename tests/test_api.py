"""The public API: lazy, silent, and the same as the verbs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import mobilenet_edge as me
from mobilenet_edge.errors import MnetError
from mobilenet_edge.records import Failure
from tests.report.html.grid import SPECS, evaluation, identity, profile

HEAVY = ("tensorflow", "keras", "numpy", "onnx", "onnxruntime", "ai_edge_litert", "PIL", "h5py", "typer", "rich")


def test_every_name_is_there_and_documented():
    for name in set(me.__all__) - {"__version__"}:
        assert getattr(me, name).__doc__
    assert me.__all__ == sorted(me.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = me.nothing


@pytest.mark.slow
def test_the_import_is_light():
    code = f"import sys, mobilenet_edge; print(*set(sys.modules) & set({HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_table_of_records():
    first = identity(SPECS[0])
    table = me.tradeoff([profile(first, 1.5), evaluation(first, 0.75)])
    (row,) = table.rows
    assert (row["median_ms"], row["top1_percent"]) == (pytest.approx(1.5, rel=0.1), 75.0)
    assert table._repr_markdown_() == table.markdown
    assert first["variant"] in table.markdown


def test_a_recommendation_of_records():
    first, second = identity(SPECS[0]), identity(SPECS[1])
    records = [profile(first, 1.5), profile(second, 3.0), evaluation(first, 0.5), evaluation(second, 0.75)]
    assert me.recommend(records).recommendation.pick.artifact == second["artifact"]
    assert me.recommend(records, latency_ms=2).recommendation.pick.artifact == first["artifact"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: me.recommend([profile(identity(SPECS[0]), 1.5)], top1=0.5), "^`top1` is in percent"),
        (lambda: me.recommend([profile(identity(SPECS[0]), 1.5)], latency_ms=0), "^`latency_ms` must be above 0"),
        (lambda: me.profile([], threads=[0]), "^`threads` must be at least 1"),
        (lambda: me.recommend([]), "mnet profile ARTIFACT --json FILE"),
    ],
)
def test_errors_name_parameters_but_leave_commands_alone(call: Callable[[], object], message: str):
    with pytest.raises(MnetError, match=message):
        call()


@pytest.mark.slow
def test_from_a_spec_to_a_recommendation(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    pictures = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3)).astype(np.uint8)
    from PIL import Image

    for number, picture in enumerate(pictures):
        folder = tmp_path / "pictures" / f"class{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number}.png")

    model = me.build(me.ModelSpec(alpha=0.25, resolution=32, classes=2))
    steps = []
    artifact = me.convert(model, precision="int8", calibration=pictures, on_progress=lambda *step: steps.append(step))
    float_file = me.convert(model, format="onnx")
    artifact.save(tmp_path / "mine.int8.tflite")
    assert (tmp_path / "mine.int8.tflite").read_bytes() == artifact.data
    assert artifact.metadata.calibration.source == "images"
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)

    results = me.evaluate([artifact, float_file], tmp_path / "pictures", reference=model)
    profiles = me.profile([artifact], threads=[1, 2], runs=5, seconds=0, rounds=1)
    assert results[1].agreement == 1.0
    assert not any(isinstance(record, Failure) for record in profiles)
    best = me.recommend(results + profiles, latency_ms=10_000)
    assert best.recommendation.pick is not None
    assert len(me.tradeoff(results + profiles).rows) == 3
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.data
def test_the_notebook_runs(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "models").mkdir()
    shutil.copy(data / "weights" / "mobilenet_2_5_128_tf.h5", tmp_path / "models")
    for name, value in {"KERAS_HOME": tmp_path, "PICTURES": data / "images", "LABELS": data / "labels.txt"}.items():
        monkeypatch.setenv(name, str(value))
    notebook = json.loads((Path(__file__).parents[1] / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["best"].recommendation.pick.artifact.endswith(".int8.tflite")
