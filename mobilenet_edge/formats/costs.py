"""What each operator of a model file costs, and the costs beside the times that a device measured.

MACs are counted as in docs/getting-started.md: each weight once for every output pixel. Bytes are what the operator
must at least move: its constants as they are stored, what it reads and what it writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge.formats.contents import ITEM_BITS, Contents, Operator, Tensor

# Axis of a weight on which the output channels are.
_TFLITE: Final = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_ONNX: Final = {
    **dict.fromkeys(("Conv", "QLinearConv", "ConvInteger", "NhwcConv", "FusedConv", "NhwcFusedConv"), 0),
    **dict.fromkeys(("Gemm", "QGemm", "FusedGemm", "MatMul", "FusedMatMul", "QLinearMatMul", "MatMulInteger"), 1),
    **dict.fromkeys(("MatMulIntegerToFloat", "DynamicQuantizeMatMul"), 1),
}
# onnxruntime stores float channels in blocks of 8 or 16 and fills the last up; its kind is then Conv.
_BLOCKS: Final = (1, 8, 16)
_WEIGHT_RANK: Final = 2


@dataclass(frozen=True)
class Cost:
    """What an operator costs.

    Attributes:
        name: Of its first output, or of the layer its weight belongs to.
        kind: In the format's words.
        macs: Multiply-accumulates; None for an operator that multiplies no constant weight.
        bytes: Of constants, inputs and outputs together; None where the file leaves a size open.
    """

    name: str
    kind: str
    macs: int | None
    bytes: int | None


def of(contents: Contents) -> tuple[Cost, ...]:
    """List what each operator of a .tflite file costs, in execution order; a batch left open counts as 1."""
    graph = _Graph(contents)
    return tuple(graph.cost(each) for each in contents.operators)


def join(measured: Sequence[Mapping[str, Any]], contents: Contents, form: str) -> tuple[dict[str, Any], ...]:
    """Put costs beside times.

    The operators of a .tflite file are matched by their index. onnxruntime runs an .onnx file in another shape than it
    was written, so there the operators with weights are matched by their order, provided that there are as many of them
    and that each makes as many channels; if not, none is matched.

    Args:
        measured: `ops` of the worker's document.
        contents: Of the file that was measured.
        form: "tflite" or "onnx".

    Returns:
        For each operator index, name, kind, ms, macs, bytes and gmacs_per_s, the last three None where unknown, and
        interval_ms, the 95 % interval of ms, None where there is none.
    """
    found = _by_index(measured, contents) if form == "tflite" else _by_order(measured, contents)
    return tuple(_row(op, cost) for op, cost in zip(measured, found, strict=True))


def _row(op: Mapping[str, Any], cost: Cost) -> dict[str, Any]:
    ns, interval = op["ns"], op.get("interval_ns")
    return {
        "index": op["index"],
        "name": cost.name,
        "kind": cost.kind,
        "ms": ns / 1e6,
        "interval_ms": interval and [bound / 1e6 for bound in interval],
        "macs": cost.macs,
        "bytes": cost.bytes,
        "gmacs_per_s": cost.macs / ns if cost.macs and ns > 0 else None,
    }


def _by_index(measured: Sequence[Mapping[str, Any]], contents: Contents) -> Iterator[Cost]:
    known = dict(enumerate(of(contents)))
    for op in measured:
        yield known.get(op["index"], Cost(op["name"], op["kind"], None, None))


def _by_order(measured: Sequence[Mapping[str, Any]], contents: Contents) -> Iterator[Cost]:
    graph = _Graph(contents)
    weighted = [each for each in contents.operators if each.kind in _ONNX and graph.weight(each) is not None]
    running = [op for op in measured if op["kind"] in _ONNX]
    pairs = list(zip(running, weighted, strict=False))
    fits = len(running) == len(weighted) and all(graph.positions(op, each) for op, each in pairs)
    matched = {op["index"]: each for op, each in pairs} if fits else {}
    for op in measured:
        moved = op.get("activation_bytes")
        operator = matched.get(op["index"])
        if operator is None:
            # Without its weight the bytes of such an operator are unknown; the others have next to none.
            yield Cost(op["name"], op["kind"], None, None if op["kind"] in _ONNX else moved)
        else:
            yield graph.onnx_cost(op, operator)


class _Graph:
    def __init__(self, contents: Contents) -> None:
        self.tensors = contents.tensors
        self.makers = {name: each for each in contents.operators if each.kind != "Constant" for name in each.outputs}
        self.fed = set(contents.inputs)

    def weight(self, operator: Operator) -> Tensor | None:
        """The constant of two or more axes an operator multiplies by, wherever among its inputs it is."""
        found = [constant for name in operator.inputs for constant in self._constants(name)]
        return next((each for each in found if len(each.shape) >= _WEIGHT_RANK), None)

    def cost(self, operator: Operator) -> Cost:
        """Of an operator of a .tflite file."""
        made = [self.tensors[name] for name in operator.outputs]
        weight = self.weight(operator) if operator.kind in _TFLITE else None
        macs = None
        if weight is not None and made and weight.elements:
            macs = weight.elements * (_elements(made[0]) // weight.shape[_TFLITE[operator.kind]])
        fed = self._activations(operator.inputs)
        # What runs on constants alone does so when the file is opened; they count where they are used.
        whole = self._moved(operator, [*fed, *made]) if fed else 0
        return Cost(_name(operator), operator.kind, macs, whole)

    def _moved(self, operator: Operator, activations: Sequence[Tensor]) -> int | None:
        sizes = [_bytes(each) for each in activations]
        return None if None in sizes else self._stored(operator) + sum(size for size in sizes if size)

    def _stored(self, operator: Operator) -> int:
        constants = {each.name: each for name in operator.inputs for each in self._constants(name)}
        return sum(each.constant_bytes for each in constants.values())

    def onnx_cost(self, op: Mapping[str, Any], operator: Operator) -> Cost:
        """Of an operator of an .onnx file, as onnxruntime ran it."""
        weight, positions = self.weight(operator), self.positions(op, operator)
        moved = op.get("activation_bytes")
        macs = weight.elements * positions if weight and positions else None
        return Cost(_name(operator), op["kind"], macs, None if moved is None else int(moved) + self._stored(operator))

    def positions(self, op: Mapping[str, Any], operator: Operator) -> int | None:
        """How many outputs a channel has where onnxruntime ran an operator; None where its shape does not fit it."""
        weight, shape = self.weight(operator), tuple(op.get("shape") or ())
        if weight is None or not shape or 0 in shape:
            return None
        channels = self._channels(operator, weight)
        # As integers the channels come last, or second as in the file.
        axes = (1,) if op["kind"] in ("Conv", "FusedConv") else (1, -1) if len(shape) > _WEIGHT_RANK else (-1,)
        for axis in axes:
            blocks = _BLOCKS if op["kind"] in ("Conv", "FusedConv") else (1,)
            if len(shape) > 1 and shape[axis] in [math.ceil(channels / block) * block for block in blocks]:
                return int(math.prod(shape) // shape[axis])
        return None

    def _channels(self, operator: Operator, weight: Tensor) -> int:
        if _ONNX[operator.kind] == 0 or operator.options.get("transB"):
            return weight.shape[0]
        return weight.shape[-1]

    def _activations(self, names: Sequence[str]) -> list[Tensor]:
        """What depends on the model's inputs; the rest is constant."""
        once = dict.fromkeys(names)
        return [self.tensors[name] for name in once if name in self.tensors and not self._constants(name)]

    def _constants(self, name: str, depth: int = 6) -> tuple[Tensor, ...]:
        """The constants a tensor is made of, empty where it is made of anything else."""
        maker = self.makers.get(name)
        if maker is None:
            tensor = self.tensors.get(name)
            return (tensor,) if tensor is not None and tensor.constant_bytes and name not in self.fed else ()
        parts = [self._constants(each, depth - 1) for each in maker.inputs] if depth else []
        return tuple(each for part in parts for each in part) if parts and all(parts) else ()


def _name(operator: Operator) -> str:
    """The layer's: TensorFlow's converter lists all that it fused, and mnet marks what is not its output yet."""
    first = operator.outputs[0].partition(";")[0] if operator.outputs else ""
    return first.removesuffix("/linear").removesuffix("/real")


def _elements(tensor: Tensor) -> int:
    """Number of values, of a batch of one."""
    return math.prod(abs(side) for side in tensor.shape[:1]) * math.prod(tensor.shape[1:])


def _bytes(tensor: Tensor) -> int | None:
    bits = ITEM_BITS.get(tensor.dtype)
    return None if bits is None or any(side < 0 for side in tensor.shape[1:]) else _elements(tensor) * bits // 8
