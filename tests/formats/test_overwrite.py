"""What may be written over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.tflite import write
from mobilenet_edge.graph import Graph, Node

ABOUT = Metadata("m", "float32", 2, 6, 8, Preprocess(), Weights("m.keras", sha256="0" * 64))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    node = Node("dense", "dense", ("x",), (2,), np.ones((3, 2), np.float32), np.zeros(2, np.float32))
    artifact.write(tmp_path / "m.tflite", write.float_tflite(Graph("m", "x", (3,), (node,))), ABOUT)  # type: ignore[arg-type]
    return tmp_path / "m.tflite"


def test_the_same_model_is_written_again(path: Path) -> None:
    overwrite.refuse(path, replace(ABOUT, agreement=None, labels=("a", "b")))
    overwrite.refuse(path.with_name("new.tflite"), ABOUT)


@pytest.mark.parametrize("weights", [Weights("m.keras", sha256="1" * 64), Weights("n.keras", sha256="0" * 64)])
def test_another_model_is_not_but_by_force(path: Path, weights: Weights) -> None:
    other = replace(ABOUT, weights=weights)
    with pytest.raises(InputError, match="write elsewhere with --out, or overwrite it with --force"):
        overwrite.refuse(path, other)
    overwrite.refuse(path, other, force=True)


def test_what_is_no_model_of_ours_is_kept(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_text("notes")
    with pytest.raises(InputError, match="holds another model"):
        overwrite.refuse(tmp_path / "m.tflite", ABOUT)
