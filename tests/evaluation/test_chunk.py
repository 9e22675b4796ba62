"""One request to a process of a pool, answered in this one; the models are in theirs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import chunk


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    chunk.IDLE.close()


@pytest.fixture
def request_(tmp_path: Path) -> dict[str, Any]:
    """Three images, one of them broken, and a model whose scores are the means of red, green and blue."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["image", "axes"], ["scores"], keepdims=0)],
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 8, 8, 3))],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 3))],
        [helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    for name in ("red", "blue"):
        Image.new("RGB", (20, 30), name).save(tmp_path / f"{name}.png")
    (tmp_path / "bad.png").write_bytes(b"broken")
    return {
        "models": [str(path)],
        "digests": [hashlib.sha256(path.read_bytes()).hexdigest()],
        "threads": 1,
        "folder": str(tmp_path),
        "names": ["red.png", "bad.png", "blue.png"],
    }


def test_sizes_tell_files_apart_and_what_is_none(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert chunk.sizes(tmp_path, ["a", "missing", "loop"]) == [5, None, None]


def test_images_that_are_not_the_same_here_are_asked_for(request_):
    sizes = chunk.sizes(Path(request_["folder"]), request_["names"])
    assert chunk.answer({**request_, "sizes": [*sizes[:2], sizes[2] + 1]}) == {"lacks": "images"}
    assert chunk.answer({**request_, "sizes": sizes, "folder": "/nowhere"}) == {"lacks": "images"}


@pytest.mark.parametrize("change", [{"models": ["/nowhere/m.onnx"]}, {"digests": ["0" * 64]}])
def test_models_that_are_not_the_same_here_are_asked_for(request_, change):
    assert chunk.answer({**request_, **change}) == {"lacks": "models"}


@pytest.mark.slow
def test_answers_are_in_order_and_name_the_unreadable(request_):
    answer = chunk.answer(request_)
    assert answer["readable"] == [True, False, True]
    # Equal scores in the order of their index: green before blue for red, red before green for blue.
    assert answer["top"] == [[[0, 1, 2]], [[2, 0, 1]]]
    assert "bad.png as an image" in answer["reason"]
    assert json.loads(json.dumps(answer)) == answer  # which is how it travels on one machine
    (facts,) = answer["facts"]
    assert (facts["runtime"], facts["shape"], facts["rule"]["size"]) == ("onnxruntime", [1, 3], [8, 8])
    # An average may be features: their values are told beside their order.
    assert facts["head"] == "features"
    assert answer["outputs"][0][0] == [1.0, -1.0, -1.0]


@pytest.mark.slow
def test_models_stay_open_for_the_next_chunk_even_when_the_file_is_gone(request_):
    assert chunk.answer({**request_, "names": []})["top"] == []
    Path(request_["models"][0]).unlink()
    assert chunk.answer(request_)["top"] == [[[0, 1, 2]], [[2, 0, 1]]]


@pytest.mark.slow
def test_bytes_of_another_machine_give_the_same(request_):
    here = chunk.answer(request_)
    chunk.IDLE.close()
    folder = Path(request_["folder"])
    abroad = {
        **request_,
        "models": ["/nowhere/m.onnx"],
        "folder": "/nowhere",
        "files": [Path(request_["models"][0]).read_bytes()],
        "images": [(folder / name).read_bytes() for name in request_["names"]],
    }
    answer = chunk.answer(abroad)
    assert {**answer, "reason": None} == {**here, "reason": None}
    assert "cannot read /nowhere/bad.png as an image" in answer["reason"]


@pytest.mark.slow
def test_file_that_is_no_model_is_refused(request_, tmp_path):
    (tmp_path / "text.onnx").write_bytes(b"no model")
    digest = hashlib.sha256(b"no model").hexdigest()
    with pytest.raises(InputError, match=r"text\.onnx"):
        chunk.answer({**request_, "models": [str(tmp_path / "text.onnx")], "digests": [digest]})
