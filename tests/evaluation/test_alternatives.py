from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.evaluation import alternatives
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.score import Score

N = 64
OTHERS = (PixelOptions(pixels="0..1"), PixelOptions(pixels="0..255"))


def score(right: int, origin: str = "assumed") -> Score:
    """Answers of which the first `right` are right."""
    facts = {"shape": [10], "rule": {"origin": {"pixels": origin}}}
    made = Score(facts, Head.classes, 0, 0.0, np.arange(N) % 10, np.ones(N, np.bool_))
    made.first[:] = np.where(np.arange(N) < right, made.truth, -2)
    return made


def answers(*right: int) -> np.ndarray:
    return np.stack([np.where(np.arange(N) < count, np.arange(N) % 10, -1) for count in right], axis=1)


@pytest.mark.parametrize(("current", "others", "named"), [(12, (29, 3), "0..1"), (0, (1, 40), "0..255")])
def test_a_far_better_rule_is_named_with_both_figures(current, others, named):
    found = alternatives._better(score(current), answers(*others), np.arange(N), OTHERS)
    assert found is not None
    assert str(found) == (
        f"with --pixels {named} top-1 would be {max(others) / N:.2f} instead of {current / N:.2f} ({N} images)"
    )


@pytest.mark.parametrize(("current", "best"), [(30, 34), (30, 30), (2, 8), (64, 64)])
def test_a_rule_that_is_hardly_better_is_not_named(current, best):
    assert alternatives._better(score(current), answers(best, 0), np.arange(N), OTHERS) is None


@pytest.mark.parametrize(
    ("origin", "asked"), [("assumed", True), ("grid", True), ("stated", False), ("layer", False), ("built-in", False)]
)
def test_rules_are_tried_only_where_the_pixels_are_in_doubt(origin, asked):
    assert alternatives._doubtful(score(3, origin)) is asked
