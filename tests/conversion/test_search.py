"""The search for the fastest division that keeps an agreement."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.conversion import search
from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Graph, Node


def conv(name: str, source: str) -> Node:
    return Node(name, "conv", (source,), (2, 2, 3), np.zeros((1, 1, 3, 3), np.float32), np.zeros(3, np.float32))


CUTS = ("a", "b", "c", "d")
NODES = tuple(conv(name, source) for name, source in zip((*CUTS, "e"), ("image", *CUTS), strict=True))
GRAPH = Graph("chain", "image", (2, 2, 3), NODES)


@dataclass
class FakeTrial:
    """Knows the agreement of each cut and counts what it was asked."""

    agreements: dict[str, float]
    graph: Graph = GRAPH
    views: Any = field(default_factory=lambda: np.zeros((20, 2, 2, 3)))
    mixed: dict[str, Any] = field(default_factory=dict)
    found: dict[str, tuple[float, float]] = field(default_factory=dict)

    def agreement(self, cut: str) -> float:
        self.found[cut] = (self.agreements[cut], 20.0)
        self.mixed[cut] = SimpleNamespace(cut=cut)
        return self.agreements[cut]


def run(
    agreements: tuple[float, ...], ms: dict[str, tuple[float, ...]], wanted: float = 0.97, whole: bool = False
) -> Any:
    names = ("", *CUTS)
    trial: Any = FakeTrial(dict(zip(names, agreements, strict=True)))
    times = {kind: dict(zip(names, values, strict=True)) for kind, values in ms.items()}
    return search.run(trial, wanted, times, dict.fromkeys(ms, 9.0), 2, whole)


def chosen(found: Any) -> dict[str, str]:
    return {kind: mixed.cut for kind, mixed in found.chosen.items()}


RISING = (0.90, 0.94, 0.975, 0.98, 0.99)


def test_each_format_takes_its_fastest_that_keeps_the_agreement() -> None:
    found = run(RISING, {"tflite": (1.0, 1.1, 1.2, 1.3, 1.4), "onnx": (1.0, 0.7, 0.9, 0.8, 0.85)})
    assert chosen(found) == {"tflite": "b", "onnx": "c"}


def test_of_times_that_are_alike_the_shorter_is_taken() -> None:
    assert chosen(run(RISING, {"onnx": (1.0, 0.9, 0.81, 0.80, 0.9)})) == {"onnx": "b"}


def test_a_fast_one_that_fails_by_chance_is_passed_over() -> None:
    # Bisection never saw "d".
    assert chosen(run((0.90, 0.94, 0.975, 0.96, 0.99), {"onnx": (1.0, 1.0, 0.9, 0.5, 0.9)})) == {"onnx": "b"}


def test_what_was_tried_and_what_was_not_is_told_apart() -> None:
    found = run(RISING, {"tflite": (1.0, 1.1, 1.2, 1.3, 1.4)})
    assert [point.cut for point in found.points] == ["", *CUTS]
    assert [point.layers for point in found.points] == [0, 1, 2, 3, 4]
    assert [point.agreement for point in found.points] == [0.90, 0.94, 0.975, None, 0.99]
    assert [point.share for point in found.points] == [0, 0.2, 0.4, 0.6, 0.8]


def test_the_whole_curve_is_measured_where_it_is_asked_for_and_changes_no_choice() -> None:
    # Of what bisection does not need, "a" would keep the agreement, and be the fastest.
    options: Any = ((0.90, 0.98, 0.96, 0.98, 0.99), {"onnx": (1.0, 0.1, 0.9, 0.8, 0.85)})
    found = run(*options, whole=True)
    assert [point.agreement for point in found.points] == [0.90, 0.98, 0.96, 0.98, 0.99]
    assert chosen(found) == chosen(run(*options)) == {"onnx": "c"}


def test_an_agreement_that_no_file_keeps_is_named_with_the_best() -> None:
    with pytest.raises(BuildError, match=r"keeps an agreement of 0\.995.* it is 0\.990; ask for less"):
        run(RISING, {"onnx": (1.0,) * 5}, wanted=0.995)


def test_views_show_pictures_their_mirror_images_and_their_corners() -> None:
    ramp = np.linspace(0, 1, 15, dtype=np.float32)
    images = np.broadcast_to(ramp[None, None, :, None], (2, 15, 15, 3))
    views = search.look(images).reshape(10, 2, 15, 15, 3)
    np.testing.assert_array_equal(views[0], images)
    np.testing.assert_array_equal(views[1], images[:, :, ::-1])
    # Seven eighths of the way from one end, linearly, whichever row.
    for view, (left, right) in zip(views[2::2], [(0, 7 / 8), (1 / 8, 1)] * 2, strict=True):
        np.testing.assert_allclose(view[1, 4, :, 2], np.linspace(left, right, 15), atol=1e-6)


@pytest.mark.parametrize(("pictures", "views"), [(10, 100), (50, 200), (300, 300)])
def test_many_pictures_need_few_views_each(pictures: int, views: int) -> None:
    assert len(search.look(np.zeros((pictures, 4, 4, 3), np.float32))) == views
