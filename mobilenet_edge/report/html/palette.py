"""Colours and markers of pictures and page: told apart by the colour-blind, on white and on near-black.

After Okabe and Ito, "Color Universal Design" (2008); the yellow is darkened for white ground, the blue and the
vermilion are lightened for near-black. Shape says the format, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple


class Colour(NamedTuple):
    """One colour, for each of the two grounds."""

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
# A precision has its colour in every report.
PRECISIONS: Final[Mapping[str, Colour]] = dict(
    zip(("float32", "int8", "float16", "dynamic", "uint8", "unknown"), COLOURS, strict=True)
)
# Of operators, whatever a runtime calls them.
FAMILIES: Final[Mapping[str, Colour]] = dict(
    zip(("convolution", "depthwise", "dense", "pooling", "type change", "other"), COLOURS, strict=True)
)
# Names of plotly's symbols, and of matplotlib's markers.
FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "tflite": ("circle", "o"),
    "onnx": ("diamond", "D"),
    "keras": ("square", "s"),
}
OTHER_FORMAT: Final = ("triangle-up", "^")


def of(values: Iterable[str]) -> dict[str, Colour]:
    """Give each value a colour: a precision its own, others one after the other."""
    distinct = list(dict.fromkeys(values))
    if set(distinct) <= set(PRECISIONS):
        return {value: PRECISIONS[value] for value in distinct}
    return {value: COLOURS[index % len(COLOURS)] for index, value in enumerate(distinct)}
