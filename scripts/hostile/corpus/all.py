"""Every file of the corpus."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from corpus import flatbuffer, flips, protobuf, texts, zips
from corpus.case import Case
from corpus.seeds import MODELS

SEED: Final = 2026
FLIPPED: Final = 240  # files of each sound one; nine models and eight of text make more than 2,000
# The precisions share their structure, so that one of them is taken apart whole, and of the others some boundaries.
SOME: Final = 8
LYING: Final = (".tflite", ".onnx")
SUFFIXES: Final = (*MODELS, ".json", ".jsonl", ".toml")


def corpus(sound: Mapping[str, bytes], seed: int = SEED, flipped: int = FLIPPED) -> Iterator[Case]:
    """Damage sound files in every way; the same arguments give the same files in the same order.

    Args:
        sound: By name, as `seeds.load` reads them.
        seed: Of what is left to chance.
        flipped: How many files with flipped bits are made of each.
    """
    yield from flips.swapped({name: sound[name] for name in _one_of_each(sound)}, SUFFIXES)
    yield from flips.empty([f"nothing{suffix}" for suffix in SUFFIXES if suffix not in (".toml", ".jsonl")])
    yield from flatbuffer.amplified()
    for name, data in sound.items():
        chance = random.Random(f"{seed} {name}")
        starts, heavy = _layout(name, data)
        yield from flips.flipped(name, data, flips.around(heavy, len(data)), flipped, chance)
        thorough = Path(name).suffix == ".keras" or "int8" in name or Path(name).suffix not in MODELS
        yield from flips.truncated(name, data, starts if thorough else starts[::SOME])
        if thorough:
            yield from _of_format(name, data, chance)
        if Path(name).suffix in LYING:
            yield from texts.lies(name, data)


def _one_of_each(sound: Mapping[str, bytes]) -> list[str]:
    """The smallest of each suffix."""
    suffixes = sorted({Path(name).suffix for name in sound})
    return [min((n for n in sound if Path(n).suffix == each), key=lambda n: len(sound[n])) for each in suffixes]


def _layout(name: str, data: bytes) -> tuple[list[int], list[range]]:
    """Where parts begin, and where the weights are."""
    if name.endswith(".tflite"):
        found = flatbuffer.survey(data)
        return found.boundaries() + zips.boundaries(data), found.weights()
    if name.endswith(".onnx"):
        return protobuf.boundaries(data)
    if name.endswith(".keras"):
        return zips.boundaries(data), zips.weights(data)
    marks = [index for index, byte in enumerate(data) if byte in b'{}[]":,\n']
    return marks[:: max(1, len(marks) // 60)], []


def _of_format(name: str, data: bytes, chance: random.Random) -> Iterator[Case]:
    if name.endswith(".tflite"):
        for part in (flatbuffer.dangling, flatbuffer.dimensions, flatbuffer.types, flatbuffer.grids, zips.hostile):
            yield from part(name, data)
    elif name.endswith(".onnx"):
        for part in (
            protobuf.dangling,
            protobuf.dimensions,
            protobuf.lengths,
            protobuf.external,
            protobuf.types,
            protobuf.grids,
            texts.labels,
        ):
            yield from part(name, data)
    elif name.endswith(".keras"):
        yield from zips.hostile(name, data)
        yield from zips.architectures(name, data)
    else:
        yield from texts.records(name, data, chance)
        return
    yield from texts.schemas(name, data)
