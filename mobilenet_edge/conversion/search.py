"""Choose how many layers of a mixed file stay in float: the fewest milliseconds that keep an agreement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mobilenet_edge.conversion import passes, verify
from mobilenet_edge.errors import BuildError
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import compute
from mobilenet_edge.quantise import QuantisedGraph
from mobilenet_edge.quantise.partition import MixedGraph, cuts, split
from mobilenet_edge.records import Profile

# Views of held-out pictures that an agreement is measured on, about: its standard error is then .01 near .97.
VIEWS: Final = 200
_CROP: Final = 7 / 8
# Estimates that differ by less are alike, and the shorter float part makes the smaller file.
_ALIKE: Final = 1.03
# Writers of files with float ends, by format.
_WRITERS: Final[Mapping[str, tuple[Callable[..., bytes], Callable[..., bytes]]]] = {
    "onnx": (onnx.mixed_onnx, onnx.int8_onnx),
    "tflite": (tflite.mixed_tflite, tflite.int8_tflite),
}


@dataclass(frozen=True)
class Point:
    """One way to divide a model between float and integers.

    Attributes:
        cut: Name of the last tensor in float, empty where all is int8.
        layers: Weighted layers in float.
        share: Their share of the MACs.
        ms: Estimated milliseconds by format.
        agreement: With the float model on views of held-out pictures, None where it was not tried.
        snr_db: Of the logits on the same, likewise.
    """

    cut: str
    layers: int
    share: float
    ms: Mapping[str, float]
    agreement: float | None = None
    snr_db: float | None = None


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        chosen: By format, what is written.
        points: All int8 first, then by the number of float layers.
        float32_ms: Milliseconds of the float32 file by format.
        wanted: The agreement that was asked for.
        views: Number of views it was measured on.
        pictures: Number of held-out pictures that they show.
        timed: By format, a profile whose operators' times were added up.
    """

    chosen: Mapping[str, MixedGraph]
    points: tuple[Point, ...]
    float32_ms: Mapping[str, float]
    wanted: float
    views: int
    pictures: int
    timed: Mapping[str, Profile] = field(default_factory=dict)


@dataclass
class Trial:
    """Measures the agreement of candidates, each once.

    Attributes:
        graph: The float graph.
        int8: The same in integers only.
        quantise: Makes a candidate of a cut.
        views: Images to measure on (n, h, w, c).
        head: What the outputs mean.
        kind: Format of the files that are run.
    """

    graph: Graph
    int8: QuantisedGraph
    quantise: Callable[[str], MixedGraph]
    views: Array
    head: Head
    kind: str
    mixed: dict[str, MixedGraph] = field(default_factory=dict)
    found: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self._wanted,) = passes.outputs(self.graph, self.views, [self.graph.logits])

    def agreement(self, cut: str) -> float:
        """Return the agreement of a cut, or with an empty name of all int8."""
        if cut not in self.found:
            in_mixed, in_int8 = _WRITERS[self.kind]
            if cut:
                self.mixed[cut] = self.quantise(cut)
                data, least = in_mixed(self.mixed[cut].logits()), self.mixed[cut].rest.least_logit
            else:
                data, least = in_int8(self.int8.logits(), io="float32"), self.int8.least_logit
            self.found[cut] = self._compare(verify.run_file(self.kind, data, self.views), least)
        return self.found[cut][0]

    def _compare(self, logits: Array, least: float) -> tuple[float, float]:
        wanted = np.maximum(self._wanted, np.float32(least))
        snr_db = scores.snr_db(*verify.comparable(self.head, wanted, logits))
        closing = self.graph.output
        outputs = [
            compute(closing, [each]) if closing.name != self.graph.logits else each for each in (logits, self._wanted)
        ]
        return self.head.likeness(*outputs), snr_db


def run(
    trial: Trial,
    wanted: float,
    ms: Mapping[str, Mapping[str, float]],
    float32_ms: Mapping[str, float],
    pictures: int,
    whole: bool = False,
) -> Search:
    """Search the cuts of a graph.

    Agreement rises with the number of float layers but for noise, so the shortest float part that keeps it is found by
    bisection. Times need not rise: of the longer ones each format takes its fastest that keeps it too, or a shorter one
    that is hardly slower.

    Args:
        trial: Measures candidates.
        wanted: Agreement to keep, from 0 to 1.
        ms: By format, the milliseconds of every cut, and of all int8 under an empty name.
        float32_ms: By format, the milliseconds of the float32 file.
        pictures: Number of held-out pictures behind the views.
        whole: Measure the cuts, too, that the choice does not need.

    Raises:
        BuildError: Not even the longest float part keeps it.
    """
    known = list(next(iter(ms.values())))
    candidates = [cut for cut in known if cut]
    trial.agreement("")
    shortest = _shortest(trial, wanted, candidates)
    chosen = {}
    for kind, times in ms.items():
        chosen[kind] = trial.mixed[_fastest(trial, wanted, candidates[shortest:], times)]
    for cut in candidates if whole else ():
        trial.agreement(cut)
        trial.mixed.clear()  # weights of every cut at once would be many times the model
    points = tuple(_point(trial, cut, {kind: times[cut] for kind, times in ms.items()}) for cut in known)
    return Search(chosen, points, float32_ms, wanted, len(trial.views), pictures)


def candidates(graph: Graph, int8: Graph) -> list[str]:
    """List the cuts of a graph that its int8 form has as well.

    Raises:
        BuildError: There are none.
    """
    names = {node.name for node in int8.nodes}
    found = [cut for cut in cuts(graph) if cut in names]
    if not found:
        raise BuildError(f"no part of {graph.name} can stay in float; export with --precision int8")
    return found


def look(images: Array, count: int = VIEWS) -> Array:
    """Return about `count` views of pictures (n, h, w, c): themselves, mirrored, and their corners enlarged."""
    wanted = min(10, max(1, count // len(images)))
    views: list[Array] = [images, images[:, :, ::-1]]
    for top in (0.0, 1.0):
        for left in (0.0, 1.0):
            corner = _enlarge(images, top, left)
            views += [corner, corner[:, :, ::-1]]
    return np.ascontiguousarray(np.concatenate(views[:wanted]))


def _shortest(trial: Trial, wanted: float, candidates: Sequence[str]) -> int:
    low, high = 0, len(candidates) - 1
    if trial.agreement(candidates[high]) < wanted:
        raise BuildError(
            f"no mixed file keeps an agreement of {wanted:.3f}: with all layers but the last in float it is "
            f"{trial.agreement(candidates[high]):.3f}; ask for less with --min-agreement, or export float32"
        )
    while low < high:
        middle = (low + high) // 2
        if trial.agreement(candidates[middle]) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def _fastest(trial: Trial, wanted: float, cuts: Sequence[str], ms: Mapping[str, float]) -> str:
    """Return the shortest of about the fastest cuts that keeps an agreement; the first cut is known to."""
    left = list(cuts)
    while True:
        least = min(ms[cut] for cut in left)
        cut = next(cut for cut in left if ms[cut] <= _ALIKE * least)
        if trial.agreement(cut) >= wanted:
            return cut
        left.remove(cut)


def _point(trial: Trial, cut: str, ms: Mapping[str, float]) -> Point:
    agreement, snr_db = trial.found.get(cut, (None, None))
    if not cut:
        return Point("", 0, 0.0, ms, agreement, snr_db)
    front, _ = split(trial.graph, cut)
    return Point(cut, len(list(front.weighted())), front.macs / trial.graph.macs, ms, agreement, snr_db)


def _enlarge(images: Array, top: float, left: float) -> Array:
    """Enlarge a corner to the whole size, linearly; 0 is the top or left end, 1 the other."""
    rows, columns = (_stretch(size, end) for size, end in zip(images.shape[1:3], (top, left), strict=True))
    return np.asarray(np.einsum("rh,nhwc,sw->nrsc", rows, images, columns, optimize=True), np.float32)


def _stretch(size: int, end: float) -> Array:
    """Weights (size, size) of linear interpolation from `_CROP` of an axis to all of it."""
    places = np.linspace(0, (size - 1) * _CROP, size) + end * (size - 1) * (1 - _CROP)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(size))), np.float32)
