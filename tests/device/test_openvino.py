"""OpenVINO as a runtime, against onnxruntime on the same files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device import inputs, ops, peak, runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.gemm import Shape
from mobilenet_edge.device.runtimes import RUNTIMES, TensorInfo, openvino
from mobilenet_edge.device.timing import Stop
from mobilenet_edge.device.worker import Request

pytestmark = [pytest.mark.slow, pytest.mark.openvino, pytest.mark.usefixtures("openvino")]


@pytest.fixture
def small(small_onnx: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    path.write_bytes(small_onnx)
    return path


def test_a_float_file_gives_the_answers_of_onnxruntime(small: Path):
    ours, theirs = (runtimes.open_model(small, runtime=name) for name in ("openvino", "onnxruntime"))
    assert (ours.runtime, ours.version.count("."), ours.delegate) == ("openvino", 2, None)
    assert ours.inputs == theirs.inputs
    assert ours.outputs == theirs.outputs
    for (image,) in inputs.noise(ours.inputs, seed=3, count=8):
        # Sums of at most 27 products of float32 in another order; probabilities are at most 1.
        np.testing.assert_allclose(ours.run([image])[0], theirs.run([image])[0], atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_an_integer_product_is_exact(dtype: str, tmp_path: Path):
    from mobilenet_edge.device import gemm_onnx

    path = tmp_path / "product.onnx"
    path.write_bytes(gemm_onnx.write(dtype, Shape(5, 200, 7)))
    ours, theirs = (runtimes.open_model(path, runtime=name) for name in ("openvino", "onnxruntime"))
    image = np.resize(np.arange(9), ours.inputs[0].shape).astype(dtype)
    np.testing.assert_array_equal(ours.run([image])[0], theirs.run([image])[0])


def test_outputs_are_the_callers_own(make_onnx: Callable[..., Path]):
    session = runtimes.open_model(make_onnx(), runtime="openvino")
    assert session.inputs == (TensorInfo("x", (1, 8, 8, 3), "float32"),)
    image = np.arange(192, dtype=np.float32).reshape(1, 8, 8, 3)
    (kept,) = session.run([image])
    session.run([image * 2])
    np.testing.assert_array_equal(kept, image + 1)


def test_inputs_that_cannot_be_written_are_copied(make_onnx: Callable[..., Path]):
    # As evaluation reads them from a pipe.
    session = runtimes.open_model(make_onnx(), runtime="openvino")
    image = np.frombuffer(bytes(192 * 4), np.float32).reshape(1, 8, 8, 3)
    np.testing.assert_array_equal(session.run([image])[0], np.ones_like(image))


@pytest.mark.parametrize("batch", ["N", None])
def test_any_batch_is_opened_as_one(make_onnx: Callable[..., Path], batch: str | None):
    session = runtimes.open_model(make_onnx((batch, 8, 8, 3)), runtime="openvino")
    assert session.inputs[0].shape == session.outputs[0].shape == (1, 8, 8, 3)


def test_an_image_of_no_fixed_size_is_refused(make_onnx: Callable[..., Path]):
    with pytest.raises(InvalidModel, match=r"input 'x' of tiny\.onnx has no fixed size \(1, \?, \?, 3\); export it"):
        runtimes.open_model(make_onnx((1, "H", "W", 3)), runtime="openvino")


@pytest.mark.parametrize(("content", "reason"), [(b"hello\n", "Unable to read the model"), (None, "can't be parsed")])
def test_what_is_no_model_is_refused_in_a_line(small: Path, content: bytes | None, reason: str):
    small.write_bytes(small.read_bytes()[:200] if content is None else content)
    with pytest.raises(InvalidModel, match=f"small.onnx is not a model that OpenVINO can open: .*{reason}") as caught:
        runtimes.open_model(small, runtime="openvino")
    assert "\n" not in str(caught.value)


def test_an_operator_that_it_does_not_have_is_named(tmp_path: Path):
    from onnx import helper, save

    ends = [helper.make_tensor_value_info(name, 1, [1, 2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("NoSuchOp", ["x"], ["y"])], "odd", ends[:1], ends[1:])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "odd.onnx")
    with pytest.raises(InvalidModel, match=r"odd\.onnx is not a model that OpenVINO can open: .*NoSuchOp"):
        runtimes.open_model(tmp_path / "odd.onnx", runtime="openvino")


@pytest.mark.parametrize("delegate", [{"path": "/x.so", "options": {}}, {"provider": "X", "options": {}}])
def test_delegates_and_providers_are_refused(small: Path, delegate: dict[str, object]):
    with pytest.raises(RequestError, match="OpenVINO takes neither delegates nor execution providers"):
        runtimes.open_model(small, runtime="openvino", delegate=delegate)


def test_it_computes_in_the_precision_and_threads_that_are_asked_for(small: Path):
    compiled = openvino._compile(RUNTIMES["openvino"].load(), small, 2)
    # bfloat16 by default, where the processor has it.
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 2


def test_every_node_is_timed(small: Path):
    import gc

    made = ops.run(Request("ops", str(small), runtime="openvino", steady=Stop(runs=3)))
    gc.enable()
    kinds = [each["kind"] for each in made["ops"]]
    assert made["runtime"] == "openvino"
    assert "Convolution" in kinds
    assert made["sum_ns"] == sum(each["ns"] for each in made["ops"])
    assert "OpenVINO's profiler" in made["how"]
    assert "its overhead is unknown" in made["how"]


def test_the_limit_is_of_integers_too(monkeypatch: pytest.MonkeyPatch):
    import gc

    monkeypatch.setattr(peak, "SHAPES", (Shape(16, 64, 64),))
    monkeypatch.setattr(peak, "STEADY", Stop(runs=3))
    made = peak.run(Request("limit", runtime="openvino"))
    gc.enable()
    assert made["float32_gmacs"] > 0
    assert made["int8_gmacs"] > 0


def test_importing_it_tells_nobody(tmp_path: Path):
    # Where openvino-telemetry is installed, it is imported, writes an identifier to the home folder and sends it.
    code = "import sys; from mobilenet_edge.device.runtimes import RUNTIMES; RUNTIMES['openvino'].load(); "
    code += "sys.exit(sys.modules.get('openvino_telemetry') is not None)"
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"HOME": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
    assert list(tmp_path.iterdir()) == []
