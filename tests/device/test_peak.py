from __future__ import annotations

import gc
from typing import Any

import pytest

from mobilenet_edge.device import peak
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.gemm import Shape
from mobilenet_edge.device.peak import Rate
from mobilenet_edge.device.timing import Stop
from mobilenet_edge.device.worker import Request


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch):
    """Small products, few runs."""
    monkeypatch.setattr(peak, "SHAPES", (Shape(4, 16, 16), Shape(16, 64, 64)))
    monkeypatch.setattr(peak, "STEADY", Stop(runs=3))
    yield
    gc.enable()


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_both_kinds_are_measured(runtime: str):
    made = peak.run(Request("limit", runtime=runtime))
    assert made["runtime"] == runtime
    assert made["runtime_version"][0].isdigit()
    assert made["float32_gmacs"] > 0
    assert made["int8_gmacs"] > 0
    assert made["shape"] in ([4, 16, 16], [16, 64, 64])
    assert "; " in made["how"]
    assert "x 64) by (64 x 64)" in made["how"] or "(4 x 16) by (16 x 16)" in made["how"]


@pytest.mark.parametrize("runtime", ["auto", "tensorrt"])
def test_a_runtime_must_be_named(runtime: str):
    with pytest.raises(RequestError, match="give one of litert, tflite-runtime, onnxruntime"):
        peak.run(Request("limit", runtime=runtime))


def test_a_kind_without_kernels_is_left_open(monkeypatch: pytest.MonkeyPatch):
    write = peak.gemm_tflite.write

    def without_int8(dtype: str, shape: Shape, count: int) -> bytes:
        return write(dtype, shape, count) if dtype == "float32" else b"none"

    monkeypatch.setitem(peak.FORMATS, "tflite", peak.ProductFormat(without_int8, peak.FORMATS["tflite"].dtypes))
    made = peak.run(Request("limit", runtime="litert"))
    assert made["int8_gmacs"] is None
    assert made["float32_gmacs"] > 0
    assert "int8" not in made["how"]


def test_neither_kind_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    nothing = peak.ProductFormat(lambda dtype, shape, count: b"none", peak.FORMATS["tflite"].dtypes)
    monkeypatch.setitem(peak.FORMATS, "tflite", nothing)
    with pytest.raises(InvalidModel, match="LiteRT runs no 1 x 1 convolution here; install it again"):
        peak.run(Request("limit", runtime="litert"))


class Product:
    """Answers each turn with the next of its rates."""

    def __init__(self, name: str, *gmacs: float) -> None:
        self.name, self.gmacs = name, list(gmacs)

    def rate(self) -> Any:
        return Rate(self.gmacs.pop(0), self.name, Shape(1, 1, 1))


def test_the_best_turn_of_the_best_product_counts():
    # b is disturbed in its first turn.
    assert peak._fastest([Product("a", 8, 9, 7), Product("b", 6, 12, 11)]).gmacs == 12


def test_what_is_far_behind_has_one_turn():
    slow = Product("slow", 5.5, 100, 100)
    assert peak._fastest([slow, Product("fast", 8, 8, 8)]).dtype == "fast"
    assert slow.gmacs == [100, 100]


def test_no_product_has_no_rate():
    assert peak._fastest([]) is None
