"""The parts of a TFLite flatbuffer, put together from the schema classes that LiteRT's wheel ships.

TensorFlow's converter would choose scales of its own, and it repeats every vector of scales and zero points; here the
quantiser's exact integers go into the file, and equal vectors and tables are stored once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import MissingExtraError
from mobilenet_edge.formats.wire.flatbuffer import OFFSET, Builder

TYPES: Final = {"float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8", "uint8": "UINT8", "int32": "INT32"}
SCHEMA_VERSION: Final = 3
# Buffers are read in place with vector instructions.
ALIGNMENT: Final = 16
# The struct codes of the types in names of the schema's functions: `PrependInt8Slot`.
_FORMS: Final = {
    "Bool": "?", "Int8": "b", "Uint8": "B", "Int16": "h", "Uint16": "H", "Int32": "i", "Uint32": "I", "Int64": "q",
    "Uint64": "Q", "Float32": "f", "Float64": "d", "UOffsetTRelative": OFFSET,
}  # fmt: skip


def schema() -> Any:
    """Import the schema classes.

    Raises:
        MissingExtraError: LiteRT is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError("writing .tflite files needs LiteRT", "export") from error
    return schema_py_generated


class ModelBuilder:
    """A TFLite model under construction; tensors and operators are added, `finish` returns the bytes."""

    def __init__(self) -> None:
        self._schema = schema()
        self._builder = Builder()
        self._fields = _Fields()
        self._vectors: dict[tuple[str, bytes], int] = {}
        self._tables: dict[tuple[Any, ...], int] = {}
        self._buffers: list[int] = [self._table("Buffer")]
        self._tensors: list[int] = []
        self._codes: dict[tuple[str, int], int] = {}
        self._operators: list[int] = []

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str,
        data: NDArray[Any] | None = None,
        scales: Sequence[float] | NDArray[Any] = (),
        zero_point: int = 0,
        axis: int = 0,
    ) -> int:
        """Add a tensor and return its index.

        Args:
            name: As a reader of the file sees it.
            shape: Batch included.
            dtype: A key of `TYPES`.
            data: Of a constant; None for an activation.
            scales: Of a quantised tensor, one or one a channel.
            zero_point: The same for all channels.
            axis: Of the channels, where there is more than one scale.
        """
        buffer = 0 if data is None else self._buffer(data)
        quantisation = self._quantisation(np.asarray(scales, np.float32), zero_point, axis) if len(scales) else None
        self._tensors.append(
            self._table(
                "Tensor",
                Name=self._builder.string(name),
                Shape=self._vector(np.asarray(shape, np.int32)),
                Type=getattr(self._schema.TensorType, TYPES[dtype]),
                Buffer=buffer,
                Quantization=quantisation,
            )
        )
        return len(self._tensors) - 1

    def operator(
        self,
        code: str,
        inputs: Sequence[int],
        output: int,
        *,
        version: int = 1,
        options: str | None = None,
        **values: Any,
    ) -> None:
        """Add an operator: `options` is the name of its options table, `values` that table's fields."""
        kind = getattr(self._schema.BuiltinOptions, options) if options else 0
        self._operators.append(
            self._table(
                "Operator",
                OpcodeIndex=self._codes.setdefault((code, version), len(self._codes)),
                Inputs=self._vector(np.asarray(inputs, np.int32)),
                Outputs=self._vector(np.asarray([output], np.int32)),
                BuiltinOptionsType=kind,
                BuiltinOptions=self._table(options, **values) if options else None,
            )
        )

    def finish(self, inputs: Sequence[int], outputs: Sequence[int], description: str) -> bytes:
        """Close the model with one subgraph and return the file."""
        subgraph = self._table(
            "SubGraph",
            Tensors=self._builder.offsets(self._tensors),
            Inputs=self._vector(np.asarray(inputs, np.int32)),
            Outputs=self._vector(np.asarray(outputs, np.int32)),
            Operators=self._builder.offsets(self._operators),
        )
        model = self._table(
            "Model",
            Version=SCHEMA_VERSION,
            OperatorCodes=self._builder.offsets([self._code(name, version) for name, version in self._codes]),
            Subgraphs=self._builder.offsets([subgraph]),
            Description=self._builder.string(description),
            Buffers=self._builder.offsets(self._buffers),
        )
        return self._builder.finish(model, b"TFL3")

    def _code(self, name: str, version: int) -> int:
        code = getattr(self._schema.BuiltinOperator, name)
        # Old runtimes read the one-byte field, which tops out at 127.
        return self._table("OperatorCode", DeprecatedBuiltinCode=min(code, 127), BuiltinCode=code, Version=version)

    def _quantisation(self, scales: NDArray[np.float32], zero_point: int, axis: int) -> int:
        zeros = np.full(len(scales), zero_point, np.int64)
        return self._table(
            "QuantizationParameters",
            Scale=self._vector(scales),
            ZeroPoint=self._vector(zeros),
            QuantizedDimension=axis,
        )

    def _buffer(self, data: NDArray[Any]) -> int:
        raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
        self._buffers.append(self._table("Buffer", Data=self._builder.vector(raw.tobytes(), len(raw), ALIGNMENT)))
        return len(self._buffers) - 1

    def _vector(self, values: NDArray[Any]) -> int:
        key = (values.dtype.str, values.tobytes())
        if key not in self._vectors:
            self._vectors[key] = self._builder.vector(values.tobytes(), len(values), values.itemsize)
        return self._vectors[key]

    def _table(self, kind: str, **values: Any) -> int:
        """Write a table, once for equal values; None leaves a field out."""
        key = (kind, *values.items())
        if key not in self._tables:
            for name, value in values.items():
                if value is not None:
                    getattr(self._schema, f"{kind}Add{name}")(self._fields, value)
            self._tables[key] = self._builder.table(self._fields.collect())
        return self._tables[key]


class _Fields:
    """Stands in for the builder that the schema's functions expect, and collects the fields they set."""

    def __init__(self) -> None:
        self._values: list[tuple[int, str, float]] = []

    def __getattr__(self, name: str) -> Callable[[int, float, float], None]:
        form = _FORMS[name.removeprefix("Prepend").removesuffix("Slot")]

        def prepend(number: int, value: float, default: float) -> None:
            if value != default:
                self._values.append((number, form, value))

        return prepend

    def collect(self) -> list[tuple[int, str, float]]:
        """Return the fields set since the last call."""
        values, self._values = self._values, []
        return values
