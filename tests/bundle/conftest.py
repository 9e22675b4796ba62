"""Programs of bundles, opened with a runtime that gives what a test says."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.bundle import script
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents

ARTIFACT = Artifact(Path('a \'quoted\' """ $name.onnx'), "onnx", b"", None, Contents({}, (), (), (), {}))
RULE = Preprocess((8, 8))
MODEL = Deployment(
    ARTIFACT, RULE, ImageInput("m", (1, 8, 8, 3), "float32"), Head.classes, None, ("cat", "dog", "hen"), True,
    "onnxruntime", "1",
)  # fmt: skip


def deployment(rule: Preprocess = RULE, taken: ImageInput | None = None, **others: Any) -> Deployment:
    """A model of a rule; its input is float32 with channels last unless `taken` says otherwise."""
    return replace(MODEL, rule=rule, input=taken or ImageInput("m", (1, *rule.shape), "float32"), **others)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Import classify.py of a model, which answers `outputs` to anything."""
    numbers = itertools.count()

    def load(model: Deployment, outputs: Any = (0.0, 0.0, 0.0)) -> ModuleType:
        session = SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name="x")], run=lambda *_: [np.array([outputs])])
        runtime = SimpleNamespace(InferenceSession=lambda *_, **__: session)
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
        (tmp_path / "labels.txt").write_text("".join(f"{name}\n" for name in model.names))
        path = tmp_path / f"classify{next(numbers)}.py"
        path.write_text(script.write(model))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
