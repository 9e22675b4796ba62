"""TFLite Metadata: what a .tflite says of its image in the buffer TFLITE_METADATA (metadata_schema.fbs).

Numbers of fields are those of the tables ModelMetadata, SubGraphMetadata, TensorMetadata, ProcessUnit and
NormalizationOptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mobilenet_edge.formats import archive
from mobilenet_edge.formats.wire.flatbuffer import Table

NAME: Final = "TFLITE_METADATA"
NORMALISATION: Final = 1  # of the union ProcessUnitOptions
_VALUE_LABELS: Final = (2, 3)  # AssociatedFileType: labels of an axis, of values


@dataclass(frozen=True)
class Description:
    """What the first input and the outputs are said to be.

    Attributes:
        mean: Of pixels 0..255, one number or one each for red, green and blue; empty where none is given.
        std: Likewise.
        labels: Name of the member of the file's zip that names the classes, empty where there is none.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    labels: str = ""


def read(data: bytes) -> Description | None:
    """Read the metadata of a .tflite file; None where it has none.

    Raises:
        ValueError: It is damaged.
    """
    model = Table.root(data)
    entry = next((each for each in model.tables(6) if each.text(0) == NAME), None)
    if entry is None:
        return None
    buffers, number = model.tables(4), entry.number(1, "I")
    if number >= len(buffers):
        raise ValueError("its metadata is in a buffer that is not there")
    start, size = buffers[number].span(0, 1)
    graphs = Table.root(data[start : start + size]).tables(3) if size else []
    if not graphs:
        return None
    inputs, outputs = graphs[0].tables(2), graphs[0].tables(3)
    mean, std = _normalisation(inputs[0]) if inputs else ((), ())
    files = [file for output in outputs for file in output.tables(6)]
    names = [file.text(0) for file in files if file.number(2, "b") in _VALUE_LABELS]
    return Description(mean, std, names[0] if names else "")


def labels(data: bytes) -> tuple[str, ...]:
    """Read the class names that the metadata refers to; empty where there are none.

    Raises:
        ValueError: The metadata or the zip is damaged.
    """
    about = read(data)
    text = archive.read(data, about.labels) if about and about.labels else None
    return tuple(line.strip() for line in text.splitlines()) if text else ()


def _normalisation(tensor: Table) -> tuple[tuple[float, ...], tuple[float, ...]]:
    for unit in tensor.tables(4):
        options = unit.table(1)
        if unit.number(0, "B") == NORMALISATION and options is not None:
            mean, std = (tuple(map(float, options.numbers(field, "f"))) for field in (0, 1))
            if len(mean) == len(std) in (1, 3) and min(std) > 0:
                return mean, std
    return (), ()
