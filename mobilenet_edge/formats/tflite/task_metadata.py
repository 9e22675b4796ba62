"""Write TFLite Metadata, by which MediaPipe Tasks and Android Studio know a model's pixels and classes.

Field numbers are those of metadata_schema.fbs of tflite-support: tables ModelMetadata, SubGraphMetadata,
TensorMetadata, Content, ImageProperties, ProcessUnit, NormalizationOptions and AssociatedFile.
"""

from __future__ import annotations

from math import prod
from typing import Final

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats import archive
from mobilenet_edge.formats.metadata import Metadata, Quantisation
from mobilenet_edge.formats.tflite.description import NAME, NORMALISATION
from mobilenet_edge.formats.wire.flatbuffer import OFFSET, Builder, Table

IDENTIFIER: Final = b"M001"
# Nothing here is newer than the first version of the schema.
PARSER_VERSION: Final = "1.0.0"
_AXIS_LABELS: Final = 2  # of the enum AssociatedFileType
_IMAGE: Final = 2  # of the union ContentProperties
# Of the enum ColorSpaceType; it has none for BGR.
_COLOURS: Final = {"rgb": 1, "grey": 2}
# Fields of the table Model of schema.fbs; those that refer to something are kept as they are, but for the last two.
_VERSION, _REFERENCES, _BUFFERS, _METADATA = 0, (1, 2, 3, 5, 7), 4, 6
_ALIGNMENT: Final = 16


def add(data: bytes, about: Metadata) -> bytes:
    """Add the metadata to a .tflite file, in the place of any that it has.

    The flatbuffer itself stays as it is; a new root table before it refers to its parts and to the metadata.

    Args:
        data: The flatbuffer, with no zip behind it.
        about: What is written, as far as the schema has a field for it. It has none for the crop, the filter, BGR, or
            pixels that are scaled by a negative number.
    """
    model = Table.root(data)
    padding = bytes(-len(data) % _ALIGNMENT)
    builder = Builder(data + padding)
    size = len(data) + len(padding)
    content = write(about, outputs(data))
    buffer = builder.table([(0, OFFSET, builder.vector(content, len(content), _ALIGNMENT))])
    buffers = [size - table.position for table in model.tables(_BUFFERS)]
    entry = builder.table([(1, "I", len(buffers)), (0, OFFSET, builder.string(NAME))])
    others = [size - table.position for table in model.tables(_METADATA) if table.text(0) != NAME]
    references = {field: model.span(field, 1)[0] for field in _REFERENCES}
    root = builder.table(
        [
            (_METADATA, OFFSET, builder.offsets([*others, entry])),
            (_BUFFERS, OFFSET, builder.offsets([*buffers, buffer])),
            # A vector begins with its length, 4 bytes before its items.
            *((field, OFFSET, size - place + 4) for field, place in references.items() if place),
            (_VERSION, "I", model.number(_VERSION, "I")),
        ]
    )
    return builder.finish(root, b"TFL3")


def outputs(data: bytes) -> int:
    """Count the elements of the first output for one image; 0 where they are not fixed."""
    graph = Table.root(data).tables(2)[0]
    shape = graph.tables(0)[graph.numbers(2, "i")[0]].numbers(0, "i")
    return prod(shape[1:])


def write(about: Metadata, outputs: int) -> bytes:
    """Write the metadata's own flatbuffer; `outputs` is the number of scores, which the labels must fit."""
    builder = Builder()
    subgraph = builder.table(
        [
            (3, OFFSET, builder.offsets([_output(builder, about, outputs)])),
            (2, OFFSET, builder.offsets([_input(builder, about)])),
        ]
    )
    root = builder.table(
        [
            (7, OFFSET, builder.string(PARSER_VERSION)),
            (3, OFFSET, builder.offsets([subgraph])),
            (0, OFFSET, builder.string(about.variant)),
        ]
    )
    return builder.finish(root, IDENTIFIER)


def normalisation(rule: Preprocess) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of pixels 0..255, one number where the channels are alike.

    Both are empty for a rule that turns pixels round, since a deviation is above 0.
    """
    if min(rule.scale) < 0:
        return (), ()
    pairs = [(-offset / scale, 1 / scale) for scale, offset in zip(rule.scale, rule.offset, strict=True)]
    mean, std = zip(*(pairs[:1] if len(set(pairs)) == 1 else pairs), strict=True)
    return mean, std


def holds_bytes(grid: Quantisation, rule: Preprocess) -> bool:
    """Whether a uint8 input on a grid holds the bytes of pixels as they are, to within one step.

    Task libraries put them in whatever the normalisation says.
    """
    return all(
        abs((pixel - grid.zero_point) * grid.scale - (pixel * scale + offset)) <= grid.scale
        for pixel in (0, 255)
        for scale, offset in zip(rule.scale, rule.offset, strict=True)
    )


def _input(builder: Builder, about: Metadata) -> int:
    rule = about.preprocess
    # Without a colour space MediaPipe refuses the file, rather than answer on other pixels.
    other = about.io == "uint8" and about.input is not None and not holds_bytes(about.input, rule)
    known = rule.colour in _COLOURS and not other
    properties = builder.table([(0, "b", _COLOURS[rule.colour])] if known else [])
    content = builder.table([(1, OFFSET, properties), (0, "B", _IMAGE)])
    fields = [(3, OFFSET, content), (0, OFFSET, builder.string("image"))]
    mean, std = normalisation(rule)
    if mean:
        numbers = [(1, OFFSET, builder.numbers("f", std)), (0, OFFSET, builder.numbers("f", mean))]
        unit = builder.table([(1, OFFSET, builder.table(numbers)), (0, "B", NORMALISATION)])
        fields.insert(0, (4, OFFSET, builder.offsets([unit])))
    return builder.table(fields)


def _output(builder: Builder, about: Metadata, outputs: int) -> int:
    fields = [(0, OFFSET, builder.string("scores" if about.classes else "features"))]
    # One score of two classes has no axis that two labels could name.
    if about.labels and len(about.labels) == outputs:
        labels = builder.table([(2, "b", _AXIS_LABELS), (0, OFFSET, builder.string(archive.LABELS))])
        fields.insert(0, (6, OFFSET, builder.offsets([labels])))
    return builder.table(fields)
