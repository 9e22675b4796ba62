from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.model.build import build
from mobilenet_edge.model.oracle import load
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec

pytestmark = pytest.mark.slow

SPEC = ModelSpec(0.25, 32, 2)


def test_the_same_model_built_anew_gives_the_same_bytes() -> None:
    first, second = build(SPEC), build(SPEC)
    # Both alive: their objects have different addresses, which Keras writes as they are.
    assert keras_bytes(first) == keras_bytes(second)
    assert keras_bytes(first) != keras_bytes(build(SPEC, seed=1))


def test_nothing_of_the_clock_is_left() -> None:
    with zipfile.ZipFile(io.BytesIO(keras_bytes(build(SPEC)))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert list(json.loads(archive.read("metadata.json"))) == ["keras_version"]


def test_shared_objects_are_still_shared(tmp_path: Path) -> None:
    model = build(SPEC)
    (tmp_path / "a.keras").write_bytes(keras_bytes(model))
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        config = archive.read("config.json").decode()
    # All layers have one dtype policy.
    assert config.count('"shared_object_id": 0') > 50
    loaded = load(tmp_path / "a.keras", (3, 0))
    for given, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(given, wanted)


def test_keras_itself_reads_it(keras: Any, tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(keras_bytes(build(SPEC)))
    assert keras.models.load_model(tmp_path / "a.keras").name == "mobilenet_0.25_32"
