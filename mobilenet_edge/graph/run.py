"""Run the folded graph in numpy: the float reference that every artifact is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Activation, Array, Graph, Node, Padding, bounds
from mobilenet_edge.graph.threads import workers

# Images that go through a layer at once: their activations stay near the cache.
TOGETHER: Final = 10
# Channels from which on one pass over windows is quicker than one over the image for each kernel place.
_WIDE: Final = 64


def run(graph: Graph, images: Array, output: str | None = None) -> Array:
    """Run the graph on preprocessed images.

    Args:
        graph: The folded graph.
        images: float32 (n, height, width, channels).
        output: Name of the tensor to return; the graph's output by default.

    Returns:
        float32 (n, *shape of the tensor).
    """
    wanted = output or graph.output.name
    for name, value in tensors(graph, images):
        if name == wanted:
            return value
    raise KeyError(wanted)


def outputs(graph: Graph, images: Array, names: Sequence[str]) -> list[Array]:
    """Run the graph on many images, a few at a time on all cores; return the named tensors, (n, ...) each."""
    parts = np.array_split(images, -(-len(images) // TOGETHER))
    with workers() as pool:
        made = list(pool.map(lambda part: [value for name, value in tensors(graph, part) if name in names], parts))
    return [np.concatenate(each) for each in zip(*made, strict=True)]


def exact(graph: Graph, images: Array) -> NDArray[np.float64]:
    """Run the graph on images (n, h, w, c) in float64: what every float32 file of it is a rounding of."""
    parts = np.array_split(images.astype(np.float64), -(-len(images) // TOGETHER))
    with workers() as pool:
        return np.concatenate(list(pool.map(lambda part: run(graph, part), parts)))


def tensors(graph: Graph, images: Array) -> Iterator[tuple[str, Array]]:
    """Yield every tensor in order, the input first; each is dropped once its last reader has run."""
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    alive = {graph.input: images}
    yield graph.input, images
    for node in graph.nodes:
        value = compute(node, [alive[name] for name in node.inputs])
        for name in set(node.inputs):
            if last[name] == node.name:
                del alive[name]
        alive[node.name] = value
        yield node.name, value


def compute(node: Node, inputs: list[Array]) -> Array:
    """Apply one node to its inputs, activation included."""
    return activate(linear(node, inputs), node.activation)


def linear(node: Node, inputs: list[Array]) -> Array:
    """Apply one node to its inputs, without its activation; the result is a new array."""
    x = inputs[0]
    match node.op:
        case "conv":
            return _conv(node, x)
        case "depthwise":
            if x.ndim == 2:
                return np.asarray(x * node.kernel[0, 0] + node.offset, x.dtype)
            return depthwise(pad(x, node.padding), node.kernel, node.stride) + node.offset
        case "dense":
            return np.asarray(x @ node.kernel + node.offset, x.dtype)
        case "add":
            return np.add(*_broadcast(*inputs))
        case "multiply":
            return np.multiply(*_broadcast(*inputs))
        case "concat":
            return np.concatenate(inputs, axis=-1)
        case "mean":
            return np.asarray(x.mean(axis=(1, 2)), x.dtype)
        case "max":
            return np.asarray(x.max(axis=(1, 2)), x.dtype)
        case "average_pool":
            places = _pool(node, np.ones((1, *x.shape[1:3], 1), x.dtype), 0, np.add)
            return np.asarray(_pool(node, x, 0, np.add) / places, x.dtype)
        case "max_pool":
            return _pool(node, x, -np.inf, np.maximum)
        case "sigmoid":
            return sigmoid(x)
        case "hard_sigmoid":
            return hard_sigmoid(x)
        case "hard_swish":
            return x * hard_sigmoid(x)
        case "softmax":
            return softmax(x)
        case _:
            assert_never(node.op)


def activate(x: Array, activation: Activation) -> Array:
    """Clip to the activation's range, in place."""
    if activation != "linear":
        np.clip(x, *bounds(activation), out=x)
    return x


def softmax(x: Array) -> Array:
    """Softmax over the last axis, shifted so that it cannot overflow."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), x.dtype)


def sigmoid(x: Array) -> Array:
    """Logistic function 1 / (1 + exp(-x)), written so that it cannot overflow."""
    power = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, power, 1) / (1 + power), x.dtype)


def hard_sigmoid(x: Array) -> Array:
    """Piecewise linear sigmoid relu6(x + 3) / 6 (section 5.2 of arXiv:1905.02244)."""
    return np.asarray(np.clip(x + 3, 0, 6) / 6, x.dtype)


def pad(x: Array, padding: Padding, value: float = 0.0) -> Array:
    """Pad height and width of (n, h, w, c)."""
    if padding == ((0, 0), (0, 0)):
        return x
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)


def depthwise(x: Array, kernel: Array, stride: int) -> Array:
    """Convolve each channel with its own filter: padded (n, h, w, c) and (kh, kw, c) give (n, h', w', c)."""
    rows, columns, channels = kernel.shape
    if channels >= _WIDE:
        windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(1, 2))
        return np.asarray(np.einsum("nhwcij,ijc->nhwc", windows[:, ::stride, ::stride], kernel), x.dtype)
    height, width = (x.shape[1] - rows) // stride + 1, (x.shape[2] - columns) // stride + 1
    out = np.zeros((len(x), height, width, channels), x.dtype)
    product = np.empty(out.shape[1:], x.dtype)
    # Image by image: one image's activations stay in the cache over the nine passes.
    for image, total in zip(x, out, strict=True):
        for row in range(rows):
            for column in range(columns):
                window = image[row : row + height * stride : stride, column : column + width * stride : stride]
                np.multiply(window[:height, :width], kernel[row, column], out=product)
                total += product
    return out


def patches(node: Node, x: Array, step: int = 1) -> Array:
    """The rows that a convolution multiplies by its weight matrix.

    Args:
        node: A conv or dense node.
        x: (n, h, w, c), or (n, c) for dense.
        step: Take every `step`-th row.

    Returns:
        (n * h' * w' / step, kh * kw * c), contiguous.
    """
    if node.op == "dense":
        return np.ascontiguousarray(x[::step])
    kh, kw, channels = node.kernel.shape[:3]
    if (kh, kw) == (1, 1):
        pixels = pad(x, node.padding)[:, :: node.stride, :: node.stride]
        return np.ascontiguousarray(pixels.reshape(-1, channels)[::step])
    return taps(node, x, step).transpose(1, 0, 2).reshape(-1, kh * kw * channels)


def taps(node: Node, x: Array, step: int) -> Array:
    """What each tap of a kernel sees at every `step`-th output: (kh * kw, n * h' * w' / step, c)."""
    if x.ndim == 2:
        return x[None, ::step]
    (kh, kw), stride = node.kernel.shape[:2], node.stride
    height, width = node.shape[:2]
    padded = pad(x, node.padding)
    places = [(i, j) for i in range(kh) for j in range(kw)]
    if step == 1:
        rows, columns = height * stride, width * stride
        windows = [padded[:, i : i + rows : stride, j : j + columns : stride] for i, j in places]
        return np.stack([window[:, :height, :width].reshape(-1, x.shape[-1]) for window in windows])
    image, place = np.divmod(np.arange(0, len(x) * height * width, step), height * width)
    row, column = (axis * stride for axis in np.divmod(place, width))
    return np.stack([padded[image, row + i, column + j] for i, j in places])


def _broadcast(first: Array, second: Array) -> tuple[Array, Array]:
    """Give a vector (n, c) beside a map (n, h, w, c) two axes of length one."""
    rank = max(first.ndim, second.ndim)
    first, second = (x if x.ndim == rank else x[:, None, None] for x in (first, second))
    return first, second


def _pool(node: Node, x: Array, fill: float, ufunc: np.ufunc) -> Array:
    """Combine what the places of a pool's window see; places in the padding hold `fill`."""
    (height, width), stride = node.shape[:2], node.stride
    padded = pad(x, node.padding, fill)
    out = np.full((len(x), height, width, x.shape[-1]), fill, x.dtype)
    for i, j in np.ndindex(node.window):
        window = padded[:, i : i + height * stride : stride, j : j + width * stride : stride]
        ufunc(out, window[:, :height, :width], out=out)
    return out


def _conv(node: Node, x: Array) -> Array:
    kernel = node.kernel
    flat = patches(node, x) @ kernel.reshape(-1, kernel.shape[-1])
    flat += node.offset
    return flat.reshape(len(x), *node.shape)
