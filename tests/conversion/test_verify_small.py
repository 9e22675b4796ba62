"""The check of files with small weights: rounding passes, a lost model is named with the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.conversion import verify
from mobilenet_edge.conversion.verify import Reference
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.metadata import Agreement
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import synthetic
from mobilenet_edge.quantise.weights import nearest

KINDS = ("tflite", "onnx")
WRITE: dict[str, Any] = {
    "float16": {"tflite": tflite.float16_tflite, "onnx": onnx.float16_onnx},
    "dynamic": {
        "tflite": lambda graph: tflite.dynamic_tflite(graph, nearest(graph)),
        "onnx": lambda graph: onnx.dynamic_onnx(graph, nearest(graph)),
    },
}


def values(*shape: int, seed: int = 0) -> Any:
    return np.asarray(np.random.default_rng(seed).normal(size=shape), np.float32)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(
        "tiny",
        "image",
        (8, 8, 3),
        (
            Node("conv", "conv", ("image",), (4, 4, 64), values(1, 1, 3, 64), values(64), 2, activation="relu6"),
            Node("pool", "mean", ("conv",), (64,)),
            Node("head", "dense", ("pool",), (5,), values(64, 5), values(5)),
            Node("predictions", "softmax", ("head",), (5,)),
        ),
    )


def referred(graph: Graph, real: bool = True) -> Reference:
    images = synthetic.images(16, graph.input_shape)
    return Reference.of(graph, images, real=real)


def check(precision: str, kind: str, made: Graph, reference: Reference) -> Any:
    write = WRITE[precision][kind]
    return verify.small_file(kind, precision, write(made), write(made.cut_at_logits()), reference)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("precision", "least"), [("float16", 55), ("dynamic", 30)])
def test_rounding_passes(precision: str, least: float, kind: str, graph: Graph) -> None:
    found = check(precision, kind, graph, referred(graph))
    # 11 bits of float16 are some 70 dB and 8 bits of int8 some 45; what all images share is no signal.
    assert found.snr_db > least
    assert (found.count, found.inputs) == (16, "images")
    assert found.top1 >= 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_other_weights_are_caught(kind: str, graph: Graph) -> None:
    head = graph["head"]
    other = graph.replace({"head": replace(head, weight=values(64, 5, seed=9))})
    with pytest.raises(BuildError, match=rf"the dynamic \.{kind} has lost the model: .* with --precision float16$"):
        check("dynamic", kind, other, referred(graph))


@pytest.mark.parametrize("kind", KINDS)
def test_float16_must_be_closer_than_int8(kind: str, graph: Graph) -> None:
    head = graph["head"]
    noise = 0.1 * values(64, 5, seed=9)
    noisy, reference = graph.replace({"head": replace(head, weight=head.kernel + noise)}), referred(graph, real=False)
    # A tenth of the weights' size is 20 dB: between the two limits of 6 and 30, or a little off with so few images.
    assert 6 < check("dynamic", kind, noisy, reference).snr_db < 30
    with pytest.raises(BuildError, match=rf"the float16 \.{kind} has lost the model: .* with --precision float32$"):
        check("float16", kind, noisy, reference)


def test_noise_is_not_asked_for_its_top1(graph: Graph) -> None:
    reference = referred(graph, real=False)
    swapped = replace(reference, outputs=np.roll(reference.outputs, 1, axis=1))
    assert check("float16", "tflite", graph, swapped).inputs == "noise"
    with pytest.raises(BuildError, match="same top-1 on"):
        check("float16", "tflite", graph, replace(swapped, real=True))


def test_a_graph_without_a_softmax_is_its_own_probe(graph: Graph) -> None:
    plain = graph.cut_at_logits()
    assert plain.cut_at_logits() is plain
    assert (plain.output.name, plain.logits) == ("head", "head")
    assert check("float16", "onnx", plain, referred(plain)).snr_db > 55


@pytest.mark.parametrize(
    ("gap", "top1", "kept"),
    [
        (0.02, 0.18, False),  # five steps of 1/256: a decided answer that is another one
        (0.004, 0.18, True),  # one step
        (0.02, 0.6, True),
    ],
)
def test_a_top1_is_asked_for_where_the_float_model_has_one(gap: float, top1: float, kept: bool) -> None:
    outputs = np.full((16, 50), 0.02, np.float32)
    outputs[:, 7] += gap
    reference = Reference(outputs, outputs, outputs, True, outputs.astype(np.float64), 1)
    found = Agreement(34.0, top1, 16)
    if kept:
        assert verify._kept("tflite", "int8", found, reference) is found
    else:
        with pytest.raises(BuildError, match="has lost the model"):
            verify._kept("tflite", "int8", found, reference)
