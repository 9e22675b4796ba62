"""Walk a Keras model and return the folded graph: batch norm in the weights, activations and padding as attributes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import NO_PADDING, WEIGHTED, Array, Graph, Node, Padding, same_padding

_KNOWN: Final = (
    "Conv2D, DepthwiseConv2D, Dense, BatchNormalization, ReLU, Activation, Softmax, Add, ZeroPadding2D, "
    "GlobalAveragePooling2D, Reshape, Flatten, Dropout"
)

IMAGE: Final = "image"


def fold(model: Any, name: str) -> Graph:
    """Make the folded graph of a Keras model.

    Args:
        model: A keras.Model of one float image input (n, height, width, channels) and one output; a functional or
            sequential model, models inside it included.
        name: Of the graph: the variant.

    Raises:
        BuildError: A layer that the graph has no op for, a shape that is not static, weights that are not finite.
    """
    if not model.built:
        raise BuildError(f"model {model.name!r} has not been built; give it an Input of fixed size")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise BuildError(
            f"model {model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; mnet takes one each"
        )
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) != 3 or None in shape:
        raise BuildError(f"the input of {model.name!r} is {shape}; it must be (height, width, channels), all fixed")
    folding = _Folding()
    folding.finish(folding.walk(model, [_Tensor(IMAGE, shape)]))
    return Graph(name, IMAGE, shape, tuple(folding.nodes.values()))


@dataclass(frozen=True)
class _Tensor:
    """A Keras tensor: the graph's tensor that holds it, its shape in Keras, and zeros that no convolution took up yet.

    `node` is the node as it was when it made this tensor, None for the image. Once something is folded into the node,
    the graph has another of that name, and the tensor of this one exists no more.
    """

    name: str
    shape: tuple[int, ...]
    padding: Padding = NO_PADDING
    node: Node | None = None

    @property
    def is_vector(self) -> bool:
        """Whether the graph holds it as (channels,), whatever axes of one Keras shows around them."""
        return self.node is not None and len(self.node.shape) == 1


@dataclass
class _Folding:
    """The nodes so far, in order."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def walk(self, model: Any, inputs: list[_Tensor]) -> _Tensor:
        """Take up all layers of a model, models inside it included; return its output."""
        if len(model.outputs) != 1:
            raise BuildError(f"model {model.name!r} has {len(model.outputs)} outputs; mnet takes models of one")
        made = {id(tensor): value for tensor, value in zip(model.inputs, inputs, strict=True)}
        for call in _calls(model):
            layer = call.operation
            sources = [made[id(tensor)] for tensor in call.input_tensors]
            if hasattr(layer, "inputs") and hasattr(layer, "layers"):
                result = self.walk(layer, sources)
            else:
                result = self._layer(layer, sources, tuple(call.outputs[0].shape[1:]))
            made[id(call.outputs[0])] = result
        return made[id(model.outputs[0])]

    def finish(self, output: _Tensor) -> None:
        """Check that the last node makes the output, and that all weights are numbers."""
        if output.padding != NO_PADDING or not self.nodes or output.name != next(reversed(self.nodes)):
            raise BuildError("the model's output is not made by its last layer; mnet takes graphs that end in it")
        for node in self.nodes.values():
            if node.weight is not None and not (np.isfinite(node.kernel).all() and np.isfinite(node.offset).all()):
                raise BuildError(f"layer {node.name!r} has weights that are NaN or infinite; train or load it again")

    def _layer(self, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
        kind = type(layer).__name__
        handler = _LAYERS.get(kind)
        if handler is None:
            raise BuildError(f"layer {layer.name!r} is a {kind}, which mnet cannot export; it knows {_KNOWN}")
        if None in shape:
            raise BuildError(f"layer {layer.name!r} has no fixed output shape: {shape}; give the Input a fixed size")
        if getattr(layer, "data_format", "channels_last") != "channels_last":
            raise BuildError(f"layer {layer.name!r} has its channels first; save the model with channels last")
        if kind not in ("Conv2D", "DepthwiseConv2D") and any(source.padding != NO_PADDING for source in sources):
            raise BuildError(f"layer {layer.name!r} ({kind}) follows a ZeroPadding2D; only convolutions may")
        if any(source.node is not None and self.nodes[source.name] is not source.node for source in sources):
            raise _shared(layer.name)
        return handler(self, layer, sources, shape)

    def add(self, node: Node, shape: tuple[int, ...]) -> _Tensor:
        """Append a node and return its tensor, of a shape in Keras."""
        if node.name in self.nodes or node.name == IMAGE:
            raise BuildError(
                f"layer {node.name!r} is used twice or shares its name; mnet takes each once, under its own name"
            )
        self.nodes[node.name] = node
        return _Tensor(node.name, shape, node=node)

    def amend(self, source: _Tensor, layer: str, **changes: Any) -> _Tensor:
        """Fold `layer` into the node before it, unless another layer reads that node's own output."""
        if source.node is None or any(source.name in node.inputs for node in self.nodes.values()):
            raise _shared(layer)
        self.nodes[source.name] = node = replace(source.node, **changes)
        return replace(source, node=node)


def _shared(layer: str) -> BuildError:
    return BuildError(
        f"layer {layer!r} is one of several readers of a tensor, one of them a batch norm or activation; "
        f"mnet takes these only where they alone follow their convolution"
    )


def _calls(model: Any) -> Iterator[Any]:
    """Yield the calls of layers in order. Keras has no public way to the calls, only to the layers."""
    functional = getattr(model, "_functional", None) or model
    if not hasattr(functional, "_nodes_by_depth"):
        raise BuildError(
            f"model {model.name!r} is a subclass of keras.Model; mnet takes functional and Sequential ones"
        )
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        yield from (call for call in functional._nodes_by_depth[depth] if call.input_tensors)


def _conv(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    (source,) = sources
    depthwise = type(layer).__name__ == "DepthwiseConv2D"
    groups = layer.depth_multiplier if depthwise else layer.groups
    if groups != 1 or tuple(layer.dilation_rate) != (1, 1) or layer.strides[0] != layer.strides[1]:
        raise BuildError(
            f"layer {layer.name!r} has dilation, groups, a depth multiplier or uneven strides; "
            f"mnet takes plain convolutions"
        )
    kernel, bias = _array(layer.kernel), _bias(layer, shape)
    if source.is_vector:
        return _conv_of_pixel(folding, layer, source, shape)
    stride, padding = int(layer.strides[0]), source.padding
    if layer.padding == "same":
        if padding != NO_PADDING:
            raise BuildError(f"layer {layer.name!r} pads an input that a ZeroPadding2D padded already")
        rows, columns = (same_padding(source.shape[axis], kernel.shape[axis], stride) for axis in (0, 1))
        padding = (rows, columns)
    if depthwise:
        node = Node(layer.name, "depthwise", (source.name,), shape, kernel[..., 0], bias, stride, padding)
    else:
        node = Node(layer.name, "conv", (source.name,), shape, kernel, bias, stride, padding)
    return _activate(folding, folding.add(node, shape), _activation(layer))


def _conv_of_pixel(folding: _Folding, layer: Any, source: _Tensor, shape: tuple[int, ...]) -> _Tensor:
    """A convolution of one pooled pixel, as Keras's MobileNet ends: a dense layer with more axes around it."""
    kernel = _array(layer.kernel)
    if type(layer).__name__ != "Conv2D" or kernel.shape[:2] != (1, 1) or source.padding != NO_PADDING:
        raise BuildError(f"layer {layer.name!r} follows a pooled pixel; mnet takes a 1 x 1 Conv2D or a Dense there")
    node = Node(layer.name, "dense", (source.name,), shape[-1:], kernel[0, 0], _bias(layer, shape))
    return _activate(folding, folding.add(node, shape), _activation(layer))


def _dense(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    (source,) = sources
    if not source.is_vector:
        raise BuildError(f"layer {layer.name!r} is a Dense over a map of {source.shape}; pool or flatten it first")
    node = Node(layer.name, "dense", (source.name,), shape[-1:], _array(layer.kernel), _bias(layer, shape))
    return _activate(folding, folding.add(node, shape), _activation(layer))


def _batch_norm(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    """W' = W * gamma / sqrt(var + eps), b' = (b - mean) * gamma / sqrt(var + eps) + beta; in float64, rounded once."""
    (source,) = sources
    node = source.node
    if node is None or node.op not in WEIGHTED or node.activation != "linear":
        raise BuildError(f"layer {layer.name!r} does not follow a convolution directly; it cannot be folded")
    if layer.axis not in (-1, len(shape)):
        raise BuildError(f"layer {layer.name!r} normalises axis {layer.axis}; mnet folds only that of the channels")
    width = shape[-1]
    gamma = _array(layer.gamma) if layer.scale else np.ones(width)
    beta = _array(layer.beta) if layer.center else np.zeros(width)
    # Broken statistics are not warned of here but refused by `finish`.
    with np.errstate(all="ignore"):
        scale = gamma.astype(np.float64) / np.sqrt(_array(layer.moving_variance).astype(np.float64) + layer.epsilon)
        weight = np.asarray(node.kernel * scale, np.float32)
        bias = np.asarray((node.offset - _array(layer.moving_mean)) * scale + beta, np.float32)
    return folding.amend(source, layer.name, weight=weight, bias=bias)


def _relu(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    if layer.negative_slope or layer.threshold or layer.max_value not in (None, 6.0):
        raise BuildError(f"layer {layer.name!r} is neither ReLU nor ReLU6; mnet takes these two")
    return _activate(folding, sources[0], "relu" if layer.max_value is None else "relu6", layer.name)


def _activation_layer(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    return _activate(folding, sources[0], _activation(layer), layer.name)


def _softmax(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    if layer.axis not in (-1, len(shape)):
        raise BuildError(f"layer {layer.name!r} is a softmax over axis {layer.axis}; mnet takes it over the classes")
    return _activate(folding, sources[0], "softmax", layer.name)


def _activate(folding: _Folding, source: _Tensor, activation: str, name: str | None = None) -> _Tensor:
    """Make an activation an attribute of the node before it; a softmax is a node of its own."""
    if activation == "linear":
        return source
    layer = name or source.name
    if activation == "softmax":
        if not source.is_vector:
            raise BuildError(f"layer {layer!r} is a softmax over a map of {source.shape}; pool or flatten it first")
        node = Node(name or f"{source.name}_softmax", "softmax", (source.name,), source.shape[-1:])
        return folding.add(node, source.shape)
    if source.node is None or source.node.activation != "linear" or source.node.op in ("mean", "softmax"):
        raise BuildError(f"activation {layer!r} does not follow a convolution, dense or add layer directly")
    return folding.amend(source, layer, activation=activation)


def _add(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    if len(sources) != 2 or len({(each.shape, each.is_vector) for each in sources}) != 1:
        raise BuildError(f"layer {layer.name!r} adds {[each.shape for each in sources]}; mnet adds two of one shape")
    own = shape[-1:] if sources[0].is_vector else shape
    return folding.add(Node(layer.name, "add", tuple(each.name for each in sources), own), shape)


def _mean(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    (source,) = sources
    if source.is_vector:
        return replace(source, shape=shape)
    return folding.add(Node(layer.name, "mean", (source.name,), shape[-1:]), shape)


def _pad(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    rows, columns = layer.padding
    return replace(sources[0], shape=shape, padding=(tuple(rows), tuple(columns)))


def _reshape(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    """Only between (c,) and (1, 1, c), which hold the same values in the same order."""
    (source,) = sources
    if any(each[-1] != math.prod(source.shape) for each in (source.shape, shape)):
        raise BuildError(f"layer {layer.name!r} reshapes {source.shape} to {shape}; mnet takes only (1, 1, n) to (n,)")
    if len(shape) == 1 and not source.is_vector:
        # A map of one pixel (rho 32): its mean is itself.
        return folding.add(Node(layer.name, "mean", (source.name,), shape), shape)
    return replace(source, shape=shape)


def _nothing(folding: _Folding, layer: Any, sources: list[_Tensor], shape: tuple[int, ...]) -> _Tensor:
    return sources[0]


def _activation(layer: Any) -> str:
    name = getattr(layer.activation, "__name__", str(layer.activation))
    if name not in ("linear", "relu", "relu6", "softmax"):
        raise BuildError(f"layer {layer.name!r} has the activation {name!r}; mnet takes relu, relu6, softmax and none")
    return name


def _bias(layer: Any, shape: tuple[int, ...]) -> Array:
    return _array(layer.bias) if layer.use_bias else np.zeros(shape[-1], np.float32)


def _array(variable: Any) -> Array:
    return np.asarray(variable, np.float32)


_Handler = Callable[[_Folding, Any, list[_Tensor], tuple[int, ...]], _Tensor]
_LAYERS: Final[dict[str, _Handler]] = {
    "Conv2D": _conv,
    "DepthwiseConv2D": _conv,
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "ReLU": _relu,
    "Activation": _activation_layer,
    "Softmax": _softmax,
    "Add": _add,
    "GlobalAveragePooling2D": _mean,
    "ZeroPadding2D": _pad,
    "Reshape": _reshape,
    "Flatten": _reshape,
    "Dropout": _nothing,
    "SpatialDropout2D": _nothing,
    "GaussianNoise": _nothing,
    "InputLayer": _nothing,
}
