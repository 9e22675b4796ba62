"""Define colours and markers that colour-blind people can distinguish, on light and on dark backgrounds.

The palette follows Okabe and Ito, "Color Universal Design" (2008), with a darker yellow for the light background and a
lighter blue and vermilion for the dark one. Shape shows the format, so that nothing depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple


class Colour(NamedTuple):
    """Colour for each of the two backgrounds."""

    light: str
    dark: str


COLOURS: Final = (
    Colour("#0072b2", "#56b4e9"),
    Colour("#c84e00", "#ff9e4a"),
    Colour("#008f68", "#2fcf9f"),
    Colour("#b0568f", "#e8a3cd"),
    Colour("#8a6d00", "#e8cf4d"),
    Colour("#5f6b76", "#a9b4be"),
)
# A precision has the same colour in every report.
PRECISIONS: Final[Mapping[str, Colour]] = dict(
    zip(
        ("float32", "int8", "float16", "dynamic", "uint8", "unknown", "mixed"),
        (*COLOURS, Colour("#1f1f1f", "#f5f5f5")),
        strict=True,
    )
)
# Families of operators, independent of the runtime.
FAMILIES: Final[Mapping[str, Colour]] = dict(
    zip(("convolution", "depthwise", "dense", "pooling", "type change", "other"), COLOURS, strict=True)
)
# Symbol of plotly and marker of matplotlib.
FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "tflite": ("circle", "o"),
    "onnx": ("diamond", "D"),
    "keras": ("square", "s"),
}
OTHER_FORMAT: Final = ("triangle-up", "^")


def assign(values: Iterable[str]) -> dict[str, Colour]:
    """Assign a colour to each value: precisions have fixed colours, others get them in order."""
    distinct = list(dict.fromkeys(values))
    if set(distinct) <= set(PRECISIONS):
        return {value: PRECISIONS[value] for value in distinct}
    return {value: COLOURS[index % len(COLOURS)] for index, value in enumerate(distinct)}
