"""Sound files to damage: one small model in every format and precision, and the records of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import records
from mobilenet_edge.commands import inspect
from mobilenet_edge.formats import artifact
from mobilenet_edge.records import Evaluation, Failure, Profile

VARIANT: Final = "mobilenet_v1-a0.25-r32-c10"
MODELS: Final = (".tflite", ".onnx", ".keras")
PRECISIONS: Final = ("float32", "float16", "dynamic", "int8")
MACHINE: Final[dict[str, Any]] = {
    "name": "local", "cpu": "A72", "cores": 4, "machine": "aarch64", "isa": ["asimddp"], "before": {"load": 0.1},
}  # fmt: skip
BUDGETS: Final = '[[budget]]\nartifact = "*"\nsize = "1 GB"\nmacs = "1 G"\n'


def make(folder: Path) -> None:
    """Build and export the model, and write what verbs keep of it; takes TensorFlow about 15 s."""
    folder.mkdir(parents=True, exist_ok=True)
    for line in (
        ["build", "--alpha", "0.25", "--rho", "32", "--classes", "10", "--out", str(folder)],
        ["export", str(folder / f"{VARIANT}.keras"), "--calibrate", "random", "--count", "8", "--out", str(folder)]
        + [word for each in PRECISIONS for word in ("--precision", each)],
    ):
        subprocess.run([sys.executable, "-m", "mobilenet_edge", *line], check=True, capture_output=True)
    _records(folder)


def load(folder: Path) -> dict[str, bytes]:
    """Read what `make` wrote, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _records(folder: Path) -> None:
    path = folder / f"{VARIANT}.int8.tflite"
    identity = artifact.read(path).identity()
    measured = {"runtime": "litert", "runtime_version": "2.3.0"}
    profile = Profile(
        **identity, **measured, threads=1, load_ms=3.5, first_ms=2.0, times_ns=tuple(range(1000, 1060)),
        round_sizes=(30, 30), host=MACHINE, conditions={"started": "2026-01-01T00:00:00+00:00", "rounds": 2},
    )  # fmt: skip
    evaluation = Evaluation(**identity, **measured, top1=0.6, top5=0.8, n=500, interval=(0.55, 0.64), data="images")
    failure = Failure(variant=VARIANT, stage="profile", reason="the worker crashed", exit_code=6, format="onnx")
    records.write(folder / "profile.json", [profile])
    records.write(folder / "evaluation.json", [evaluation])
    records.write(folder / "failure.json", [failure])
    records.write(folder / "inspection.json", inspect.run([path, folder / f"{VARIANT}.int8.onnx"]))
    (folder / "budgets.toml").write_text(BUDGETS)
    history = {"schema_version": 1, "commit": "ab" * 20, "date": "2026-01-01T00:00:00+00:00", "artifact": path.name}
    (folder / "history.jsonl").write_text(json.dumps(history) + "\n")
    line = ["check", path.name, "profile.json", "--budgets", "budgets.toml", "--format", "json", "--out", "check.json"]
    subprocess.run([sys.executable, "-m", "mobilenet_edge", *line], check=True, capture_output=True, cwd=folder)
