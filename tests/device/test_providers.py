"""Execution providers of onnxruntime, by name; its usual wheel has the CPU's, and Azure's, which takes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device import inputs, runtimes
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.settings import Plan

AZURE, CPU, OPENVINO = (f"{name}ExecutionProvider" for name in ("Azure", "CPU", "OpenVINO"))


@pytest.fixture
def small(small_onnx: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    path.write_bytes(small_onnx)
    return path


def provider(name: str) -> dict[str, object]:
    if name not in runtimes.RUNTIMES["onnxruntime"].load().get_available_providers():
        pytest.skip(f"this build of onnxruntime has no {name}")
    return {"provider": name, "options": {}}


def test_what_the_wheel_does_not_have_is_refused_with_what_it_has(small: Path):
    with pytest.raises(RequestError) as caught:
        runtimes.open_model(small, delegate={"provider": "DnnlExecutionProvider", "options": {}})
    assert "here has no execution provider 'DnnlExecutionProvider', only " in str(caught.value)
    assert CPU in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "share"), [(CPU, 1), (AZURE, 0)])
def test_how_many_nodes_it_took_is_counted(small: Path, name: str, share: int):
    session = runtimes.open_model(small, delegate=provider(name))
    assert session.delegate is not None
    total = session.delegate["total"]
    # conv1, dw, sum, pool, head, predictions, and what lies between.
    assert total >= 6
    assert session.delegate == {
        "path": name, "options": {}, "nodes": share * total, "total": total, "kind": "provider",
    }  # fmt: skip


def test_another_provider_gives_the_same_answers(small: Path):
    ours, theirs = runtimes.open_model(small, delegate=provider(OPENVINO)), runtimes.open_model(small)
    assert ours.delegate is not None
    assert ours.delegate["nodes"] == ours.delegate["total"]
    for (image,) in inputs.noise(ours.inputs, seed=3, count=4):
        np.testing.assert_allclose(ours.run([image])[0], theirs.run([image])[0], atol=1e-6)


def test_a_tflite_delegate_is_none(small: Path):
    with pytest.raises(RequestError, match=r"a delegate runs operators of \.tflite files only, not of small\.onnx"):
        runtimes.open_model(small, delegate={"path": "/x.so", "options": {}})


def test_a_tflite_file_has_no_providers(small_tflite: bytes, tmp_path: Path):
    path = tmp_path / "small.tflite"
    path.write_bytes(small_tflite)
    with pytest.raises(RequestError, match=r"of \.onnx files only, not of small\.tflite; leave out --provider"):
        runtimes.open_model(path, delegate={"provider": CPU, "options": {}})


@pytest.mark.slow
def test_a_profile_records_it_and_doubts_one_that_took_nothing(small: Path):
    provider(AZURE)
    plan = Plan(runs=2, seconds=0, rounds=1, limit=False, delegate=Delegate(AZURE, provider=True))
    (made,) = latency.profile([small], plan)
    assert made.delegate is not None
    assert (made.delegate["path"], made.delegate["kind"], made.delegate["nodes"]) == (AZURE, "provider", 0)
    assert "delegate-idle" in [doubt.code for doubt in made.doubts]
