from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.conversion import creation
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec

SPEC = ModelSpec(0.25, 32, 3)
NAME = "mobilenet_v1-a0.25-r32-c3.keras"


# --- refused before TensorFlow is started ---------------------------------------------------------------------------


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> Any:
        raise AssertionError("TensorFlow was started")

    monkeypatch.setattr(creation, "build", fail)


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_out_of_range(seed: int, tmp_path: Path, no_model: None) -> None:
    with pytest.raises(UsageError, match=f"--seed must be from 0 to 4294967295, got {seed}"):
        creation.create(SPEC, seed=seed, out=tmp_path)


def test_a_file_where_a_folder_is_needed(tmp_path: Path, no_model: None) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write to .*: not a directory; choose another place"):
        creation.create(SPEC, out=tmp_path / "out")
    with pytest.raises(InputError, match=r"cannot write to .*: not a directory; choose another place"):
        creation.create(SPEC, out=tmp_path / "out" / "deeper")


def test_a_folder_where_the_file_should_be(tmp_path: Path, no_model: None) -> None:
    (tmp_path / "a.keras").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*a\.keras: it is a folder"):
        creation.create(SPEC, out=tmp_path / "a.keras")


def test_a_folder_that_may_not_be_written(tmp_path: Path, no_model: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom no permission stops.
    def refuse(**options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(InputError, match=r"cannot write .*: permission denied; choose another place"):
        creation.create(SPEC, out=tmp_path)


@pytest.mark.parametrize(("weights", "error"), [("no/such/file.h5", InputError), ("imagenet", UsageError)])
def test_weights_that_cannot_be_had_leave_nothing(
    weights: str, error: type[Exception], tmp_path: Path, no_model: None
) -> None:
    with pytest.raises(error):
        creation.create(SPEC, weights=weights, out=tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


# --- building -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> artifact.Artifact:
    return creation.create(SPEC, seed=5, out=tmp_path_factory.mktemp("built") / "new")


@pytest.mark.slow
def test_the_file_is_named_after_the_variant(built: artifact.Artifact) -> None:
    assert built.path.name == NAME
    # Nothing half-written beside it.
    assert [each.name for each in built.path.parent.iterdir()] == [NAME]
    assert built.sha256 == hashlib.sha256(built.path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_the_file_says_what_it_is(built: artifact.Artifact) -> None:
    about = built.metadata
    assert about is not None
    assert (about.variant, about.spec, about.precision, about.classes) == (SPEC.name, SPEC, "float32", 3)
    assert (about.macs, about.parameters) == (layers.macs(SPEC), layers.parameters(SPEC))
    assert (about.weights.source, about.weights.seed) == ("random", 5)
    assert about.preprocess.size == (32, 32)
    assert set(about.tools) == {"mobilenet-edge", "tensorflow", "keras", "numpy"}
    assert ModelSpec(**built.identity()["spec"]) == SPEC


@pytest.mark.slow
def test_the_digest_is_that_of_the_folded_weights(built: artifact.Artifact) -> None:
    from mobilenet_edge.model.read import read

    assert built.metadata is not None
    assert built.metadata.weights.sha256 == read(built.path).graph.sha256()


@pytest.mark.slow
def test_the_same_arguments_give_the_same_bytes(built: artifact.Artifact, tmp_path: Path) -> None:
    again = creation.create(SPEC, seed=5, out=tmp_path / "own name.keras")
    assert again.path == tmp_path / "own name.keras"
    assert again.sha256 == built.sha256
    assert creation.create(SPEC, seed=6, out=tmp_path).sha256 != built.sha256


@pytest.mark.slow
def test_weights_from_a_file(built: artifact.Artifact, tmp_path: Path) -> None:
    from mobilenet_edge.model.oracle import load

    # Of another resolution, on which weights do not depend.
    other = creation.create(ModelSpec(0.25, 64, 3), weights=str(built.path), out=tmp_path)
    assert other.metadata is not None
    assert built.metadata is not None
    assert (other.metadata.weights.source, other.metadata.weights.seed) == (NAME, None)
    assert other.metadata.weights.sha256 == built.metadata.weights.sha256
    for given, wanted in zip(
        load(other.path, (3, 0)).get_weights(), load(built.path, (3, 0)).get_weights(), strict=True
    ):  # fmt: skip
        np.testing.assert_array_equal(given, wanted)


@pytest.mark.slow
@pytest.mark.data
def test_imagenet_weights(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    name = "mobilenet_2_5_128_tf.h5"
    (tmp_path / "models" / name).symlink_to(data / "weights" / name)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    built = creation.create(ModelSpec(0.25, 128), weights="imagenet", out=tmp_path)
    assert built.path.name == "mobilenet_v1-a0.25-r128.keras"
    assert built.metadata is not None
    assert built.metadata.weights.source == "imagenet"
