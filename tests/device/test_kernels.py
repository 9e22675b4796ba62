from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.device import kernels, runtimes
from mobilenet_edge.device.faults import InvalidModel
from mobilenet_edge.device.kernels import Kernel, collect
from mobilenet_edge.device.runtimes.ort import node_runs
from mobilenet_edge.device.timing import Stop

RUNTIME = runtimes.RUNTIMES["onnxruntime"]


def event(name: str, dur: int, *, kind: str = "Conv", index: str = "0", **about: Any) -> dict[str, Any]:
    return {
        "cat": "Node",
        "name": f"{name}_kernel_time",
        "dur": dur,
        "args": {"op_name": kind, "node_index": index, **about},
    }


def test_the_second_run_of_the_last_rounds_is_kept():
    # One round of warm-up, then two: six runs.
    events = [event("a", dur) for dur in (90, 91, 50, 10, 51, 11)]
    assert collect(node_runs(events), 2)[0].times_us == [10, 11]


def test_kernels_come_in_the_order_they_run_in():
    events = [event(name, 1, index=index) for _ in range(2) for name, index in (("late", "1"), ("early", "7"))]
    assert [each.name for each in collect(node_runs(events), 1)] == ["late", "early"]


def test_nodes_of_one_name_are_told_apart():
    events = [event("", dur, index=index) for dur in (5, 6) for index in ("1", "2")]
    assert [each.times_us for each in collect(node_runs(events), 1)] == [[6], [6]]


def test_shape_and_bytes_are_taken_along():
    about = {"output_type_shape": [{"float": [1, 16, 4, 4]}], "activation_size": "48", "output_size": "1024"}
    events = [event("conv1_nchwc", 3, **about)] * 2
    assert collect(node_runs(events), 1) == (Kernel("conv1_nchwc", "Conv", (1, 16, 4, 4), 48 + 1024, [3]),)


def test_an_older_profiler_says_less():
    assert collect(node_runs([event("a", 3)] * 2), 1) == (Kernel("a", "Conv", (), 0, [3]),)


def test_what_is_no_kernel_is_passed_over():
    others = [{"cat": "Session", "name": "model_run", "dur": 9}, {"cat": "Node", "name": "a_fence_before", "dur": 1}]
    assert node_runs(others) == []


def test_a_real_model_is_traced(small_onnx: bytes, tmp_path: Path):
    path = tmp_path / "small.onnx"
    path.write_bytes(small_onnx)
    made = kernels.measure(RUNTIME, path, Stop(runs=2), Stop(runs=5), threads=1, seed=0)
    assert len(made.times_ns) == 5
    assert {len(each.times_us) for each in made.kernels} == {5}
    kinds = [each.kind for each in made.kernels]
    assert kinds.index("Conv") < kinds.index("Gemm") < kinds.index("Softmax")
    assert made.kernels[-1].shape == (1, 3)
    assert made.kernels[-1].activation_bytes == 2 * 3 * 4
    assert made.idle.kind == "Flatten"
    assert len(made.idle.times_us) == 5
    # The profiler writes beside its folder's other files, and all of it is gone.
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_model_is_said(make_onnx: Callable[..., Path]):
    path = make_onnx()
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InvalidModel, match=r"tiny\.onnx is not a model that onnxruntime can open"):
        kernels.measure(RUNTIME, path, Stop(), Stop(), threads=1, seed=0)
