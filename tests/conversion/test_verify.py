"""The check after writing: what passes, what is caught, and what the figures say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.conversion import verify
from mobilenet_edge.conversion.verify import Reference
from mobilenet_edge.device.faults import InvalidModel, RuntimeMissing
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.formats.contents import Contents, Operator, Tensor
from mobilenet_edge.formats.metadata import Quantisation
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import QuantisedGraph, synthetic
from mobilenet_edge.quantise.solve import Options, solve

KINDS = ("tflite", "onnx")
FLOAT = {"tflite": tflite.float_tflite, "onnx": onnx.float_onnx}
INT8: dict[str, Any] = {"tflite": tflite.int8_tflite, "onnx": onnx.int8_onnx}


def values(*shape: int, seed: int = 0) -> Any:
    return np.asarray(np.random.default_rng(seed).normal(size=shape), np.float32)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(
        "tiny",
        "image",
        (8, 8, 3),
        (
            Node("conv", "conv", ("image",), (4, 4, 8), values(1, 1, 3, 8), values(8), 2, activation="relu6"),
            Node("pool", "mean", ("conv",), (8,)),
            Node("head", "dense", ("pool",), (5,), 2 * values(8, 5), values(5)),
            Node("predictions", "softmax", ("head",), (5,)),
        ),
    )


def referred(graph: Graph, real: bool = True, count: int = 40) -> Reference:
    images = synthetic.images(count, graph.input_shape)
    return Reference.of(graph, images, real=real)


@pytest.fixture(scope="module")
def reference(graph: Graph) -> Reference:
    return referred(graph)


@pytest.fixture(scope="module")
def quantised(graph: Graph, reference: Reference) -> QuantisedGraph:
    return solve(graph, reference.images, Options())


def written(kind: str, quantised: QuantisedGraph, io: str = "float32") -> tuple[bytes, bytes]:
    return INT8[kind](quantised, io=io), INT8[kind](quantised.logits(), io=io)


# Float files


@pytest.mark.parametrize("kind", KINDS)
def test_an_exact_file_passes(kind: str, graph: Graph, reference: Reference) -> None:
    found = verify.float_file(kind, FLOAT[kind](graph), reference)
    # 24 bits of mantissa are 144 dB; sums in another order take some of them.
    assert found.snr_db > 100
    assert (found.top1, found.inputs) == (1.0, "images")
    assert 0 < found.count <= len(reference.images)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_other_weights_does_not(kind: str, graph: Graph, reference: Reference) -> None:
    head = graph["head"]
    # A thousandth, which a reader of top-1 alone would not see.
    other = graph.replace({"head": replace(head, weight=head.kernel * np.float32(1.001))})
    with pytest.raises(BuildError, match=rf"the float32 \.{kind} differs from the model by .*report this as a bug"):
        verify.float_file(kind, FLOAT[kind](other), reference)


@pytest.mark.parametrize("kind", KINDS)
def test_not_a_number_is_a_difference(kind: str, graph: Graph, reference: Reference) -> None:
    other = graph.replace({"head": replace(graph["head"], bias=np.full(5, np.nan, np.float32))})
    with pytest.raises(BuildError, match="differs from the model by nan"):
        verify.float_file(kind, FLOAT[kind](other), reference)


@pytest.mark.parametrize("kind", KINDS)
def test_feature_maps_are_compared_in_their_own_layout(kind: str, graph: Graph) -> None:
    body = replace(graph, nodes=graph.nodes[:1])
    found = verify.float_file(kind, FLOAT[kind](body), referred(body))
    assert found.snr_db > 100


def test_large_outputs_are_compared_by_their_size(graph: Graph) -> None:
    head = graph["head"]
    large = replace(graph, nodes=graph.nodes[:-1]).replace({"head": replace(head, weight=head.kernel * 1000)})
    # Rounded at the seventh digit of numbers about 1e4: more than 1e-5, and nobody's fault.
    assert verify.float_file("onnx", onnx.float_onnx(large), referred(large)).top1 == 1.0


# int8 files


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("io", ["int8", "uint8", "float32"])
def test_an_honest_file_passes_with_any_ends(
    kind: str, io: str, quantised: QuantisedGraph, reference: Reference
) -> None:
    data, probe = written(kind, quantised, io)
    lift = 128 if io == "uint8" else 0
    shown = [Quantisation(grid.scale, grid.zero_point + lift) for grid in map(quantised.grids.get, ("image", "predictions", "head")) if grid]  # fmt: skip # noqa: E501
    grids = None if io == "float32" else verify.Grids(*shown)
    found, _ = verify.int8_file(kind, data, probe, grids, reference, quantised.least_logit)
    # Eight bits over a range of some six standard deviations: 20 log10(256 / 6 * sqrt(12)) = 43 dB a layer at best.
    assert 20 < found.snr_db < 60
    assert found.top1 > 0.9
    assert found.count == len(reference.images)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_model_is_caught_by_its_noise(kind: str, quantised: QuantisedGraph, graph: Graph) -> None:
    data, probe = written(kind, quantised)
    other = graph.replace({"head": replace(graph["head"], weight=values(8, 5, seed=9))})
    with pytest.raises(BuildError, match=rf"the int8 \.{kind} has lost the model: .* dB signal-to-noise"):
        verify.int8_file(kind, data, probe, None, referred(other, real=False))


def test_a_lost_top1_is_caught_on_images_alone(quantised: QuantisedGraph, reference: Reference) -> None:
    data, probe = written("onnx", quantised)
    # The same logits, and other answers: as a file whose end is broken.
    turned = replace(reference, outputs=np.roll(reference.outputs, 1, axis=1))
    with pytest.raises(BuildError, match=r"same top-1 on \d+% of 40 images; calibrate with images like those"):
        verify.int8_file("onnx", data, probe, None, turned)
    found, _ = verify.int8_file("onnx", data, probe, None, replace(turned, real=False))
    assert (found.inputs, found.top1 < 0.5) == ("noise", True)


def test_not_a_number_never_passes(
    quantised: QuantisedGraph, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify.scores, "snr_db", lambda *_: float("nan"))
    data, probe = written("onnx", quantised)
    with pytest.raises(BuildError, match="nan dB"):
        verify.int8_file("onnx", data, probe, None, reference)


def test_the_common_part_of_logits_is_not_noise(graph: Graph, reference: Reference) -> None:
    shifted = replace(reference, logits=reference.logits + np.float32(100))
    quantised = solve(graph, reference.images, Options())
    data, probe = written("onnx", quantised)
    plain, moved = (
        verify.int8_file("onnx", data, probe, None, each, quantised.least_logit + lift)[0].snr_db
        for each, lift in ((reference, 0), (shifted, 100))
    )
    assert moved == pytest.approx(plain, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_float_file_is_not_taken_for_int8(kind: str, graph: Graph, reference: Reference) -> None:
    data = FLOAT[kind](graph)
    with pytest.raises(BuildError, match=rf"of the int8 \.{kind} works on floats"):
        verify.int8_file(kind, data, data, None, reference)


# Which operators are integer


def contents(dtypes: dict[str, str], *operators: tuple[str, str, str]) -> Contents:
    made = {name: Tensor(name, (1,), dtype) for name, dtype in dtypes.items()}
    steps = tuple(Operator(kind, tuple(reads.split()), tuple(makes.split())) for kind, reads, makes in operators)
    return Contents(made, steps, ("x",), ("y",), {})


def test_tflite_is_judged_by_its_tensors() -> None:
    whole = {"x": "int8", "w": "int8", "b": "int32", "y": "int8"}
    verify.integer_only(contents(whole, ("CONV_2D", "x w b", "y")), "tflite")
    with pytest.raises(BuildError, match=r"CONV_2D 'y' of the int8 \.tflite works on floats"):
        verify.integer_only(contents({**whole, "w": "float32"}, ("CONV_2D", "x w b", "y")), "tflite")


def test_tflite_may_have_float_ends() -> None:
    types = {"f": "float32", "x": "int8", "y": "int8", "g": "float32"}
    steps = (("QUANTIZE", "f", "x"), ("SOFTMAX", "x", "y"), ("DEQUANTIZE", "y", "g"))
    verify.integer_only(contents(types, *steps), "tflite")


def test_onnx_is_judged_by_what_stands_around_an_operator() -> None:
    around = (("DequantizeLinear", "q", "x"), ("DequantizeLinear", "v", "w"))
    verify.integer_only(contents({}, *around, ("Conv", "x w", "y"), ("QuantizeLinear", "y", "z")), "onnx")
    with pytest.raises(BuildError, match=r"Conv 'y' of the int8 \.onnx works on floats"):
        verify.integer_only(contents({}, *around, ("Conv", "x w", "y"), ("Relu", "y", "z")), "onnx")
    with pytest.raises(BuildError, match="Conv 'y'"):
        verify.integer_only(contents({}, *around, ("Conv", "raw w", "y"), ("QuantizeLinear", "y", "z")), "onnx")


def test_onnx_weights_left_in_float_are_caught() -> None:
    steps = (("DequantizeLinear", "q", "x"), ("Conv", "x w", "y"), ("QuantizeLinear", "y", "z"))
    with pytest.raises(BuildError, match="Conv 'y'"):
        verify.integer_only(contents({"w": "float32"}, *steps), "onnx")


# Runtimes


def stopped(error: Exception) -> Callable[..., Any]:
    def stopped(*_: Any, **__: Any) -> Iterable[Any]:
        raise error

    return stopped


def test_a_file_that_cannot_be_run_is_a_build_error(
    graph: Graph, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "open_model", stopped(InvalidModel("no such op")))
    with pytest.raises(BuildError, match=r"the \.onnx just written cannot be run: no such op"):
        verify.float_file("onnx", onnx.float_onnx(graph), reference)


def test_a_missing_runtime_is_an_extra_to_install(
    graph: Graph, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "open_model", stopped(RuntimeMissing("onnxruntime is not installed", "onnx")))
    with pytest.raises(MissingExtraError, match=r"onnxruntime is not installed; install it with: .*\[onnx\]") as caught:
        verify.float_file("onnx", onnx.float_onnx(graph), reference)
    assert caught.value.exit_code == 4
