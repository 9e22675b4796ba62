"""Where a model file contradicts itself: its metadata the graph, or its graph what any memory holds.

`mnet inspect` shows it; what would run the file refuses it. A runtime that finds out by itself does so after it has
tried to allocate, or gives a figure that is not that of the file it claims to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.contents import ITEM_BITS, Contents, Tensor
from mobilenet_edge.records.record import CALIBRATED
from mobilenet_edge.records.remark import Remark

if TYPE_CHECKING:
    from mobilenet_edge.formats.artifact import Artifact
    from mobilenet_edge.formats.metadata import Metadata

# Of one tensor. The largest of a MobileNet, at alpha 1 and 224 pixels, is 3.2 MB.
MOST_BYTES: Final = 4 << 30
# Element types that most of the weights may have, by the metadata's precision.
_WEIGHTS: Final = {
    "float32": ("float32",),
    "float16": ("float16",),
    "dynamic": ("int8", "uint8"),
    "int8": ("int8", "uint8"),
    "mixed": ("int8", "uint8", "float32"),
}
_IMAGE_AXES: Final = 4
_CHANNELS: Final = frozenset((1, 3))


def find(artifact: Artifact) -> tuple[Remark, ...]:
    """List what cannot be true of a file; empty where all can."""
    found = list(_of_sizes(artifact.contents))
    about = artifact.metadata
    # A device's compiler puts weights and ends into an operator of its own; a .keras file lists layers alone.
    if about is not None and about.compilation is None and artifact.contents.tensors:
        found += _of_metadata(about, artifact.contents)
    return tuple(found)


def refuse(artifact: Artifact) -> None:
    """Refuse to run a file that contradicts itself.

    Raises:
        InputError: It does; the message says how.
    """
    found = find(artifact)
    if found:
        raise InputError(f"{artifact.path} contradicts itself: {sentence(found[0])}; export it again")


def _of_sizes(contents: Contents) -> Iterator[Remark]:
    for tensor in contents.tensors.values():
        size = _bytes(tensor)
        if size is not None and size > MOST_BYTES:
            name = f"{tensor.name!r:.80}"
            yield Remark("tensor-size", tensor=name, size_bytes=size, stored_bytes=tensor.constant_bytes)


def _of_metadata(about: Metadata, contents: Contents) -> Iterator[Remark]:
    stored = contents.precision
    if stored not in _WEIGHTS.get(about.precision, (stored,)) and stored != "unknown":
        yield Remark("weights-type", metadata=about.precision, file=stored)
    computed = [each for each in contents.tensors.values() if not each.constant_bytes and each.scales]
    integer = any(each.dtype in _WEIGHTS["int8"] for each in computed)
    if about.precision in _WEIGHTS and stored != "unknown" and integer != (about.precision in CALIBRATED):
        yield Remark("activations-type", metadata=about.precision, file="integers" if integer else "floats")
    images = [contents.tensors[name] for name in contents.inputs if name in contents.tensors]
    scores = [contents.tensors[name] for name in contents.outputs if name in contents.tensors]
    if len(images) == 1:
        yield from _of_image(about, images[0])
    if len(scores) == 1:
        yield from _of_scores(about, scores[0])
    # Some models have an output more than classes, for the background; one score tells two classes apart.
    classes = 2 if about.classes == 1 else about.classes
    if about.labels and classes and not 0 <= classes - len(about.labels) <= 1:
        yield Remark("labels-count", classes=about.classes, labels=len(about.labels))


def _of_image(about: Metadata, tensor: Tensor) -> Iterator[Remark]:
    height, width, channels = about.preprocess.shape
    if len(tensor.shape) == _IMAGE_AXES and _CHANNELS & {tensor.shape[1], tensor.shape[3]}:
        layouts = (height, width, channels), (channels, height, width)
        if not any(all(a in (b, -1) for a, b in zip(tensor.shape[1:], each, strict=True)) for each in layouts):
            yield Remark("input-size", height=height, width=width, channels=channels, shape=tensor.shape)
    yield from _of_end("input", about, tensor)


def _of_scores(about: Metadata, tensor: Tensor) -> Iterator[Remark]:
    if about.classes and tensor.shape and 0 <= tensor.shape[-1] != about.classes:
        yield Remark("output-size", classes=about.classes, shape=tensor.shape)
    yield from _of_end("output", about, tensor)


def _of_end(end: str, about: Metadata, tensor: Tensor) -> Iterator[Remark]:
    if tensor.dtype != about.io:
        yield Remark("io-type", metadata=about.io, end=end, file=tensor.dtype)
    grid = about.input if end == "input" else about.output
    # The .onnx format has no place for the grid of an end.
    if grid is not None and tensor.scales and tensor.zero_points:
        same = math.isclose(grid.scale, tensor.scales[0], rel_tol=1e-5) and grid.zero_point == tensor.zero_points[0]
        if not same:
            yield Remark(
                "io-scale",
                end=end,
                scale=grid.scale,
                zero_point=grid.zero_point,
                file_scale=tensor.scales[0],
                file_zero_point=tensor.zero_points[0],
            )


def _bytes(tensor: Tensor) -> int | None:
    """By the dimensions, a side left open counting as 1."""
    bits = ITEM_BITS.get(tensor.dtype)
    return None if bits is None else math.prod(side if side > 0 else 1 for side in tensor.shape) * bits // 8
