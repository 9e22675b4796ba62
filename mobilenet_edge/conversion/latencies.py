"""Estimate how long a mixed file takes, from the operators of the float32 and the int8 file of the same model.

The operators before a cut count as the float32 file runs them, those behind it as the int8 file does, and the tensor at
the cut costs a conversion. Operators are placed by the MACs done before them, since runtimes rename and fuse them.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge import progress, records
from mobilenet_edge.errors import BuildError, InputError
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.partition import split
from mobilenet_edge.records import Profile, Record

_PLAN: Final = Plan(runs=60, seconds=0.5, rounds=3, ops=True, limit=False)
_CONVERSIONS: Final = ("QUANTIZE", "QuantizeLinear")


@dataclass(frozen=True)
class Timing:
    """One format of a model on one machine.

    Attributes:
        float32: Profile with operators of the float32 file.
        int8: The same of the int8 file.
    """

    float32: Profile
    int8: Profile

    def estimate(self, graph: Graph, int8: Graph, cut: str) -> float:
        """Return the estimated milliseconds of a mixed file.

        Args:
            graph: The float graph.
            int8: The graph that was written as int8, in which a cut has the same name.
            cut: Name of the last tensor in float.

        Raises:
            InputError: The operators of a profile are not those of the graph.
        """
        before, _ = _divide(self.float32, graph, cut)
        _, behind = _divide(self.int8, int8, cut)
        return before + behind + math.prod(graph.shape(cut)) * self._conversion(graph)

    @property
    def float32_ms(self) -> float:
        """Milliseconds of the float32 file, likewise estimated."""
        return _sum(self.float32)

    @property
    def int8_ms(self) -> float:
        """Milliseconds of the int8 file, likewise estimated."""
        return _sum(self.int8)

    def _conversion(self, graph: Graph) -> float:
        """Milliseconds of one element's conversion.

        An int8 file with integer ends has none, and there the fastest layer an element is an upper bound.
        """
        ops = self.int8.ops or ()
        if ops and ops[0]["kind"] in _CONVERSIONS:
            return float(ops[0]["ms"]) / math.prod(graph.input_shape)
        weighted = [op for op in self.float32.ops or () if op["macs"]]
        each = [op["ms"] / math.prod(node.shape) for op, node in zip(weighted, graph.weighted(), strict=True)]
        return float(min(each))


def measure(graph: Graph, int8: QuantisedGraph, formats: Sequence[str]) -> dict[str, Timing]:
    """Time the operators of both files of each format on this machine, in one thread.

    Raises:
        BuildError: The operators of a file cannot be timed.
        MnetError: A file cannot be run.
    """
    # Their ends are float, as those of a mixed file, so that a conversion is timed with them.
    write: Mapping[str, tuple[Callable[..., bytes], Callable[..., bytes]]] = {
        "tflite": (tflite.float_tflite, tflite.int8_tflite),
        "onnx": (onnx.float_onnx, onnx.int8_onnx),
    }
    # Imported here, since every export would wait for it.
    from mobilenet_edge.profiling import latency

    with tempfile.TemporaryDirectory() as folder, progress.report_to(lambda *_: None):
        paths = []
        for kind in formats:
            in_float, in_integers = write[kind]
            for precision, data in (("float32", in_float(graph)), ("int8", in_integers(int8, io="float32"))):
                paths.append(Path(folder, f"{graph.name}.{precision}.{kind}"))
                paths[-1].write_bytes(data)
        found = [each for each in latency.profile(paths, _PLAN) if isinstance(each, Profile) and each.ops]
    timings = _pairs(found)
    if missing := [kind for kind in formats if kind not in timings]:
        raise BuildError(
            f"the operators of the .{missing[0]} files cannot be timed on this machine; time them on a device with "
            "mnet profile --ops --json FILE and give --latency FILE, or leave out --min-agreement"
        )
    return timings


def read(path: Path, variant: str, formats: Sequence[str]) -> dict[str, Timing]:
    """Read what `mnet profile --ops --json` wrote.

    Raises:
        InputError: It has no float32 and int8 profile with operators of the model in each format.
    """
    timings = _pairs([record for record in records.read(path) if getattr(record, "variant", "") == variant])
    if missing := [kind for kind in formats if kind not in timings]:
        raise InputError(
            f"{path} has no operators of the float32 and the int8 .{missing[0]} of {variant}; measure both files with "
            "mnet profile --ops --json FILE"
        )
    return timings


def _pairs(found: Sequence[Record]) -> dict[str, Timing]:
    """Pair the first profiles of each format that have operators, those of fewest threads first."""
    profiles = [record for record in found if isinstance(record, Profile) and record.ops]
    profiles.sort(key=lambda profile: profile.threads)
    pairs: dict[str, Timing] = {}
    for kind in dict.fromkeys(profile.format for profile in profiles):
        of_precision: Mapping[str, Profile] = {
            profile.precision: profile for profile in reversed(profiles) if profile.format == kind
        }
        if {"float32", "int8"} <= of_precision.keys():
            pairs[kind] = Timing(of_precision["float32"], of_precision["int8"])
    return pairs


def _sum(profile: Profile) -> float:
    """Add up the operators, whose medians a busy machine disturbs less than those of the whole model."""
    return sum(float(op["ms"]) for op in profile.ops or ())


def _divide(profile: Profile, graph: Graph, cut: str) -> tuple[float, float]:
    """Return the milliseconds of the operators up to a cut and behind it.

    Raises:
        InputError: They have other MACs than the graph.
    """
    ops = profile.ops or ()
    total = sum(op["macs"] or 0 for op in ops)
    if total != graph.macs:
        raise InputError(
            f"the operators of {profile.artifact} have {total} MACs and those of the model {graph.macs}; measure the "
            "files that mnet export wrote of this model"
        )
    limit, done, before = split(graph, cut)[0].macs, 0, 0.0
    for op in ops:
        done += op["macs"] or 0
        before += op["ms"] if done <= limit else 0.0
    return before, _sum(profile) - before
