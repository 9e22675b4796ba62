"""Write the C++ of a microcontroller: model, operators, labels, pixels, and a test of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from mobilenet_edge.bundle import cpp, folder, guide
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.bundle.script import template
from mobilenet_edge.conversion.micro import c_source, resolver
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.records import Record

_TYPES: Final = {"int8": "int8_t", "uint8": "uint8_t"}
_BEST: Final = """\
int best = 0;
for (int i = 1; i < kOutputs; ++i)
  if (outputs[i] > outputs[best]) best = i;
return best;"""
# The score from which on the second of two classes is meant, as a real number.
_THRESHOLDS: Final[Mapping[Head, float]] = {Head.probability: 0.5, Head.logit: 0.0}


@dataclass(frozen=True)
class Vector:
    """One test of the firmware.

    Attributes:
        index: Index of the answer; two classes may have one name.
        tensor: The input, of the model's own type.
        outputs: What the interpreter of tflite-micro made of it, flat, of the model's own type.
    """

    index: int
    tensor: NDArray[Any]
    outputs: NDArray[Any]


def require_integers(artifact: Artifact) -> None:
    """Refuse files that are not for microcontrollers.

    Raises:
        UsageError: It is no .tflite file, or its ends are not integers.
    """
    contents = artifact.contents
    ends = {contents.tensors[name].dtype for name in (*contents.inputs, *contents.outputs)}
    if artifact.format != "tflite" or artifact.precision != "int8" or not ends <= _TYPES.keys():
        raise UsageError(
            f"{artifact.path} is {artifact.precision} {artifact.format}, and a microcontroller's is int8 to the ends; "
            "write it with mnet export --target tflm"
        )


def contents(
    model: Deployment, vectors: Sequence[Vector], taken: Footprint, records: Sequence[Record]
) -> dict[str, bytes]:
    """Return the files of a bundle for a microcontroller, by their place in it.

    Raises:
        UsageError: The model answers several labels, or its channels come first.
    """
    if model.head is Head.labels or model.input.channels_first:
        what = "several labels" if model.head is Head.labels else "channels before rows"
        raise UsageError(f"{model.artifact.path}: the program for a microcontroller is not written for {what}")
    artifact = model.artifact
    ops = artifact.contents.ops
    texts = {
        "README.md": guide.write(model, records, "MICRO.md.in", **_memory(taken, vectors)),
        "main.cc": _program(model, vectors[0].outputs),
        "model.h": c_source.header(model.file, artifact.data, artifact.sha256, taken.arena_bytes, taken.interpreter),
        "model.cc": c_source.array("model.h", artifact.data),
        "ops.h": resolver.write(ops),
        "labels.h": template("labels.h.in").substitute(lines=",\n".join(f"    {quoted(name)}" for name in model.names)),
        "pixels.h": _pixels(model),
        "vectors.h": _declarations(vectors, model),
        "vectors.cc": _vectors(vectors, model),
        folder.FACTS: json.dumps(folder.origin(artifact), indent=1) + "\n",
    }
    return {
        model.file: artifact.data,
        "labels.txt": folder.labels(model),
        **{name: text.encode() for name, text in texts.items()},
    }


def quoted(text: str) -> str:
    """Write a C++ string literal of UTF-8 bytes."""
    # A question mark might begin a trigraph.
    escaped = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}" for byte in text.encode())
    return f'"{"".join(escaped)}"'


def _program(model: Deployment, outputs: NDArray[Any]) -> str:
    scale, zero_point = model.grid or (1.0, 0)
    threshold = _THRESHOLDS.get(model.head)
    best = _BEST if threshold is None else f"return outputs[0] > {math.floor(threshold / scale) + zero_point};"
    return template("main.cc.in").substitute(
        output_type=_TYPES[outputs.dtype.name],
        outputs=outputs.size,
        best="\n".join(f"  {line}" for line in best.splitlines()),
    )


def _pixels(model: Deployment) -> str:
    height, width = model.input.size
    rows = ",\n".join(f"    {{{c_source.numbers(row.tolist())}}}" for row in model.input.table(model.rule))
    return template("pixels.h.in").substitute(
        type=_TYPES[model.input.dtype],
        width=width,
        height=height,
        channels=model.rule.channels,
        colour=model.rule.colour,
        rows=rows,
        pixel=cpp.PIXELS[model.rule.colour],
    )


def _declarations(vectors: Sequence[Vector], model: Deployment) -> str:
    return template("vectors.h.in").substitute(
        count=len(vectors),
        size=vectors[0].tensor.size,
        outputs=vectors[0].outputs.size,
        input_type=_TYPES[model.input.dtype],
        output_type=_TYPES[vectors[0].outputs.dtype.name],
    )


def _vectors(vectors: Sequence[Vector], model: Deployment) -> str:
    inputs, outputs = (
        ",\n".join(f"    {{{c_source.numbers(array.reshape(-1).tolist())}}}" for array in arrays)
        for arrays in ([vector.tensor for vector in vectors], [vector.outputs for vector in vectors])
    )
    labels = ", ".join(str(vector.index) for vector in vectors)
    return template("vectors.cc.in").substitute(
        inputs=inputs,
        outputs=outputs,
        labels=labels,
        input_type=_TYPES[model.input.dtype],
        output_type=_TYPES[vectors[0].outputs.dtype.name],
    )


def _memory(taken: Footprint, vectors: Sequence[Vector]) -> dict[str, str]:
    size = sum(vector.tensor.size + vector.outputs.size for vector in vectors)
    return {
        "flash": f"{taken.flash_bytes:,}",
        "arena": f"{taken.arena_bytes:,}",
        "interpreter": taken.interpreter,
        "vectors": f"{size:,}",
    }
