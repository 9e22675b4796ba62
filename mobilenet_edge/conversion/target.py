"""Where an int8 file is meant to run, and what that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge.conversion.ethos import ACCELERATORS
from mobilenet_edge.errors import UsageError


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        name: As `--target` takes it and the metadata records it.
        purpose: In words.
        ios: For each format, the element types that input and output of an int8 file may have; the first by default.
        precisions: What is written by default.
        more: Precisions that are written where they are asked for.
        activations: Element type of activations in an int8 ONNX file: onnxruntime advises int8 on Arm, uint8 on x86.
        pairs: Keep sums of two products within 16 bits, which x86 without VNNI cuts off; docs/quantisation.md.
    """

    name: str
    purpose: str
    ios: Mapping[str, tuple[str, ...]]
    precisions: tuple[str, ...]
    more: tuple[str, ...] = ()
    activations: Literal["uint8", "int8"] = "uint8"
    pairs: bool = True

    @property
    def formats(self) -> tuple[str, ...]:
        """What is written by default, and all that can be."""
        return tuple(self.ios)

    def check(self, formats: Sequence[str], precisions: Sequence[str], io: str | None) -> None:
        """Refuse what the target cannot take.

        Raises:
            UsageError: The message says what it takes.
        """
        for option, asked, taken in (
            ("--format", formats, self.formats),
            ("--precision", precisions, (*self.precisions, *self.more)),
            *(("--io", [io], self.ios[kind]) for kind in formats if kind in self.ios and io is not None),
        ):
            for each in asked:
                if each not in taken:
                    raise UsageError(f"--target {self.name} takes {option} {' or '.join(taken)}, not {each}")

    def io(self, kind: str) -> str:
        """Element type of the ends of an int8 file, where none is asked for."""
        return self.ios[kind][0]


# What each format's users expect: TFLite "full integer" to its ends, ONNX with float ends.
_ANY_IO: Final = {"tflite": ("int8", "uint8", "float32"), "onnx": ("float32", "int8", "uint8")}
# docs/quantisation.md
_ON_REQUEST: Final = ("float16", "dynamic", "mixed")
TARGETS: Final[Mapping[str, Target]] = {
    each.name: each
    for each in (
        Target("generic", "right everywhere", _ANY_IO, ("float32", "int8"), _ON_REQUEST),
        Target("x86", "x86-64, with VNNI or without", _ANY_IO, ("float32", "int8"), _ON_REQUEST),
        Target("x86-vnni", "x86-64 with VNNI only", _ANY_IO, ("float32", "int8"), _ON_REQUEST, pairs=False),
        Target("arm64", "64-bit Arm", _ANY_IO, ("float32", "int8"), _ON_REQUEST, activations="int8", pairs=False),
        # Full-integer to the ends; a float end would stay on the CPU.
        Target("edgetpu", "Coral's Edge TPU", {"tflite": ("int8", "uint8")}, ("int8",)),
        *(
            Target(name, "Arm's Ethos-U", {"tflite": ("int8", "uint8")}, ("int8",), pairs=False)
            for name in ACCELERATORS
        ),
        Target("tflm", "TensorFlow Lite for Microcontrollers", {"tflite": ("int8", "uint8")}, ("int8",), pairs=False),
    )
}


def find(name: str) -> Target:
    """Look up a target.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in TARGETS:
        raise UsageError(f"there is no target {name}; there are {', '.join(TARGETS)}")
    return TARGETS[name]
