"""Where an .onnx model multiplies integer activations by integer weights, in any of the forms that onnxruntime knows.

QDQ: a float operator between DequantizeLinear, which a runtime fuses. QOperator: QLinearConv, QLinearMatMul, and QGemm
of com.microsoft. Dynamic: MatMulInteger and its fused forms. ConvInteger is no such product: there the weights come
first, and onnxruntime's kernels for int8 by uint8 add in 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.formats.contents import Contents, Operator, Tensor

Layout = Literal["conv", "in, out", "out, in"]

# Places of the activations, their zero point and the weights among an operator's inputs (Operators.md and
# ContribOperators.md of ONNX and onnxruntime).
_INTEGER: Final = {
    "QLinearConv": (0, 2, 3),
    "QLinearMatMul": (0, 2, 3),
    "QGemm": (0, 2, 3),
    "MatMulInteger": (0, 2, 1),
    "MatMulIntegerToFloat": (0, 4, 1),
}
_QDQ: Final = ("Conv", "Gemm", "MatMul")
# Makes its activations uint8 itself, from float.
_DYNAMIC: Final = "DynamicQuantizeMatMul"


@dataclass(frozen=True)
class Product:
    """An operator that multiplies integer activations by integer weights.

    Attributes:
        name: Of the weights.
        kind: The operator's, in ONNX's words.
        activations: Their element type, "unknown" where the file does not tell.
        weights: Their element type.
        shape: Of the weights as they are stored.
        layout: What the axes are: "conv" (out, in / groups, *kernel), "in, out" (..., in, out) or "out, in".
        depthwise: A convolution of each channel by its own kernel.
        values: The weights, a byte each; empty where the file does not hold them as integers.
    """

    name: str
    kind: str
    activations: str
    weights: str
    shape: tuple[int, ...]
    layout: Layout
    depthwise: bool
    values: memoryview = field(repr=False)

    @property
    def sixteen_bit(self) -> bool:
        """Whether its kernels add pairs of products in 16 bits on x86 with AVX2 and no VNNI."""
        return (self.activations, self.weights) == ("uint8", "int8") and not self.depthwise


def matrix(product: Product) -> NDArray[np.int8]:
    """Return a product's weights as (K, out), in the order in which the kernels read them.

    Raises:
        ValueError: The file does not hold them, or holds another number of them than their shape says.
    """
    stored = np.frombuffer(product.values, np.int8).reshape(product.shape)
    if product.layout == "conv":
        return np.moveaxis(stored, 1, -1).reshape(len(stored), -1).T
    if product.layout == "out, in":
        return stored.T
    return np.moveaxis(stored, -2, 0).reshape(stored.shape[-2], -1)


def products(contents: Contents) -> tuple[Product, ...]:
    """List the integer products of an .onnx model, in execution order."""
    return tuple(_Search(contents).run())


class _Search:
    def __init__(self, contents: Contents) -> None:
        self.operators = contents.operators
        self.tensors = contents.tensors
        computed = (each for each in contents.operators if each.kind != "Constant")
        self.makers = {name: each for each in computed for name in each.outputs}
        self.constants = contents.tensors.keys() - self.makers.keys() - set(contents.inputs)

    def run(self) -> Iterator[Product]:
        for each in self.operators:
            activations, weights = self._operands(each)
            if weights is not None and weights.dtype in ("int8", "uint8"):
                yield _product(each, activations, weights)

    def _operands(self, operator: Operator) -> tuple[str, Tensor | None]:
        """The activations' element type, and the weights where they are constant."""
        if operator.kind in _INTEGER:
            activations, zero, weights = (_at(operator, place) for place in _INTEGER[operator.kind])
            return self._dtype(zero or activations), self._constant(weights)
        if operator.kind == _DYNAMIC:
            return "uint8", self._constant(_at(operator, 1))
        made = [self.makers.get(_at(operator, place)) for place in (0, 1)] if operator.kind in _QDQ else []
        if any(each is None or each.kind != "DequantizeLinear" for each in made) or not made:
            return "unknown", None
        activations, weights = (_at(each, 0) for each in made if each)
        return self._dtype(activations), self._constant(weights)

    def _constant(self, name: str) -> Tensor | None:
        """A constant; one that is still float in the file stands with the type it is quantised to, without values."""
        maker = self.makers.get(name)
        if maker is not None and maker.kind == "QuantizeLinear" and _at(maker, 0) in self.constants:
            return Tensor(name, self.tensors[_at(maker, 0)].shape, self._dtype(name))
        return self.tensors[name] if name in self.constants else None

    def _dtype(self, name: str) -> str:
        """The element type of a tensor; operators that only move integers pass it on."""
        seen: set[str] = set()
        while name not in self.tensors and name not in seen:
            seen.add(name)
            maker = self.makers.get(name)
            if maker is None:
                return "unknown"
            if maker.kind == "DynamicQuantizeLinear":
                return "uint8"
            name = _at(maker, 0)
        return self.tensors[name].dtype if name in self.tensors else "unknown"


def _product(operator: Operator, activations: str, weights: Tensor) -> Product:
    layout: Layout = "in, out"
    if operator.kind.endswith("Conv"):
        layout = "conv"
    elif operator.kind.endswith("Gemm") and operator.options.get("transB"):
        layout = "out, in"
    # With several outputs a channel onnxruntime multiplies matrices, as for every other group.
    depthwise = layout == "conv" and weights.shape[:2] == (operator.options.get("group", 1), 1)
    return Product(
        weights.name, operator.kind, activations, weights.dtype, weights.shape, layout, depthwise, weights.constant
    )


def _at(operator: Operator, place: int) -> str:
    """The name of an input, empty where it is left out."""
    return operator.inputs[place] if place < len(operator.inputs) else ""
