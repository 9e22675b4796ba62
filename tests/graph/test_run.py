from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilenet_edge.graph import Activation, Graph, Node, Padding, same_padding
from mobilenet_edge.graph.run import activate, compute, linear, pad, patches, run, softmax, tensors

Floats = NDArray[np.float32]


def random(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def slow_conv(node: Node, x: Floats) -> NDArray[np.float64]:
    """The definition, one output at a time, in float64."""
    (top, bottom), (left, right) = node.padding
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0))).astype(np.float64)
    kernel = node.kernel.astype(np.float64)
    height, width, _ = node.shape
    out = np.empty((len(x), *node.shape))
    for i, j in product(range(height), range(width)):
        rows = slice(i * node.stride, i * node.stride + kernel.shape[0])
        columns = slice(j * node.stride, j * node.stride + kernel.shape[1])
        window = x[:, rows, columns]
        if node.op == "depthwise":
            out[:, i, j] = (window * kernel).sum((1, 2))
        else:
            out[:, i, j] = np.einsum("nhwi,hwio->no", window, kernel)
    return out + node.offset


def convolution(op: Any, size: tuple[int, int], kernel: tuple[int, int], stride: int, padding: Padding) -> Node:
    shape = tuple((s + sum(p) - k) // stride + 1 for s, k, p in zip(size, kernel, padding, strict=True))
    weight = random(*kernel, 3, 5, seed=1) if op == "conv" else random(*kernel, 3, seed=1)
    channels = weight.shape[-1]
    return Node("c", op, ("image",), (*shape, channels), weight, random(channels, seed=2), stride, padding)


@pytest.mark.parametrize("op", ["conv", "depthwise"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(
    ("kernel", "padding"),
    [((1, 1), ((0, 0), (0, 0))), ((3, 3), ((0, 1), (0, 1))), ((2, 4), ((2, 0), (1, 3))), ((1, 1), ((2, 0), (1, 3)))],
)
def test_convolutions_follow_their_definition(op: str, stride: int, kernel: tuple[int, int], padding: Padding) -> None:
    node = convolution(op, (9, 10), kernel, stride, padding)
    x = random(2, 9, 10, 3)
    # Sums of up to 24 float32 products, each of the order of 1.
    np.testing.assert_allclose(linear(node, [x]), slow_conv(node, x), rtol=0, atol=1e-5)


def test_same_padding_keeps_as_many_pixels_as_strides_fit() -> None:
    for side in (7, 8):
        padding = same_padding(side, 3, 2)
        node = convolution("conv", (side, side), (3, 3), 2, (padding, padding))
        assert linear(node, [random(1, side, side, 3)]).shape == (1, 4, 4, 5)


def test_patches_times_the_weight_matrix_is_the_convolution() -> None:
    node = convolution("conv", (6, 6), (3, 3), 2, ((0, 1), (0, 1)))
    x = random(2, 6, 6, 3)
    rows = patches(node, x)
    assert rows.shape == (2 * 3 * 3, 27)
    product = rows @ node.kernel.reshape(27, 5) + node.offset
    np.testing.assert_allclose(product.reshape(2, 3, 3, 5), slow_conv(node, x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
@pytest.mark.parametrize("step", [2, 5])
def test_patches_can_be_thinned_out(kernel: tuple[int, int], step: int) -> None:
    node = convolution("conv", (6, 6), kernel, 1, ((0, 1), (0, 1)))
    x = random(2, 6, 6, 3)
    np.testing.assert_array_equal(patches(node, x, step), patches(node, x)[::step])


@pytest.mark.parametrize(
    ("activation", "wanted"),
    [("linear", [-1, 0, 3, 6, 9]), ("relu", [0, 0, 3, 6, 9]), ("relu6", [0, 0, 3, 6, 6])],
)
def test_activations(activation: Activation, wanted: list[float]) -> None:
    assert activate(np.array([-1, 0, 3, 6, 9], np.float32), activation).tolist() == wanted


def test_softmax_is_a_distribution_that_cannot_overflow() -> None:
    scores = softmax(np.array([[0, np.log(3)], [1000, 1000], [-1000, 0]], np.float32))
    # One division of float32 numbers.
    np.testing.assert_allclose(scores, [[0.25, 0.75], [0.5, 0.5], [0, 1]], atol=1e-7)
    assert scores.dtype == np.float32


def test_padding() -> None:
    padded = pad(np.ones((1, 1, 1, 1), np.float32), ((1, 0), (0, 2)), 5.0)
    assert padded[0, ..., 0].tolist() == [[5, 5, 5], [1, 5, 5]]
    x = random(1, 2, 2, 1)
    assert pad(x, ((0, 0), (0, 0))) is x


def test_mean_add_and_dense() -> None:
    x = random(2, 3, 4, 5)
    mean = compute(Node("m", "mean", ("x",), (5,)), [x])
    np.testing.assert_allclose(mean, x.astype(np.float64).mean((1, 2)), atol=1e-6)
    total = compute(Node("a", "add", ("x", "x"), (3, 4, 5), activation="relu"), [x, x])
    np.testing.assert_array_equal(total, np.maximum(2 * x, 0))
    dense = Node("d", "dense", ("m",), (2,), random(5, 2), random(2, seed=1))
    np.testing.assert_allclose(compute(dense, [mean]), mean @ dense.kernel + dense.offset, atol=1e-6)


def branches() -> Graph:
    """An input read twice, a tensor read twice, and one that is read late."""
    eye = np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3)
    zero = np.zeros(3, np.float32)
    return Graph(
        "branches",
        "image",
        (2, 2, 3),
        (
            Node("double", "add", ("image", "image"), (2, 2, 3)),
            Node("same", "conv", ("double",), (2, 2, 3), eye, zero),
            Node("four", "add", ("same", "double"), (2, 2, 3)),
            Node("five", "add", ("four", "image"), (2, 2, 3)),
            Node("mean", "mean", ("five",), (3,)),
        ),
    )


def test_a_dag_is_run_in_order() -> None:
    x = random(2, 2, 2, 3)
    np.testing.assert_allclose(run(branches(), x), 5 * x.mean((1, 2)), atol=1e-6)


def test_any_tensor_can_be_asked_for() -> None:
    x = random(1, 2, 2, 3)
    assert run(branches(), x, "image") is x
    np.testing.assert_allclose(run(branches(), x, "four"), 4 * x, atol=1e-6)
    with pytest.raises(KeyError, match="six"):
        run(branches(), x, "six")


def test_every_tensor_comes_once_in_order() -> None:
    assert [name for name, _ in tensors(branches(), random(1, 2, 2, 3))] == [
        "image", "double", "same", "four", "five", "mean",
    ]  # fmt: skip


def test_an_activation_never_reaches_back_to_its_input() -> None:
    graph = branches()
    # Activations are applied in place: on a tensor of the node's own, not on one that others read.
    graph = graph.replace({"five": replace(graph["five"], activation="relu")})
    x = -np.ones((1, 2, 2, 3), np.float32)
    assert run(graph, x).tolist() == [[0, 0, 0]]
    assert (x == -1).all()


def test_images_do_not_depend_on_their_batch() -> None:
    node = convolution("conv", (6, 6), (3, 3), 1, ((1, 1), (1, 1)))
    graph = Graph(
        "one", "image", (6, 6, 3), (node, Node("d", "depthwise", ("c",), (4, 4, 5), random(3, 3, 5), random(5)))
    )
    x = random(3, 6, 6, 3)
    # Only a GEMM of another height may round otherwise.
    np.testing.assert_allclose(run(graph, x), np.concatenate([run(graph, each[None]) for each in x]), atol=1e-5)
