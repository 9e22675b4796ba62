"""The Pareto front is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.report.pareto import front

# Few distinct values, so that ties and equal points come up all the time.
COORDINATE = st.integers(0, 4).map(float)
POINTS = st.integers(1, 3).flatmap(lambda size: st.lists(st.tuples(*[COORDINATE] * size), max_size=12))


def beats(one, other):
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("points", "marks"),
    [
        ([], []),
        ([(1.0, 1.0)], [True]),
        # Slower and more accurate is a choice; slower and less accurate is none. The second count is minus top-1.
        ([(1.0, -0.5), (2.0, -0.6), (3.0, -0.55)], [True, True, False]),
        # As fast and less accurate, or as accurate and slower, is no choice either.
        ([(1.0, -0.5), (1.0, -0.4), (2.0, -0.5)], [True, False, False]),
        # The same file twice: neither beats the other.
        ([(1.0, -0.5), (1.0, -0.5)], [True, True]),
        ([(2.0, -0.5), (2.0, -0.5), (1.0, -0.5)], [False, False, True]),
        # A third count saves what two would not.
        ([(1.0, -0.5, 9.0), (2.0, -0.4, 1.0)], [True, True]),
    ],
)
def test_examples(points, marks):
    assert front(points) == marks


def test_points_of_different_dimensions_are_a_mistake():
    with pytest.raises(ValueError, match="zip"):
        front([(1.0, 1.0), (1.0, 1.0, 1.0)])


@given(POINTS)
def test_no_point_on_the_front_beats_another(points):
    chosen = [point for point, mark in zip(points, front(points), strict=True) if mark]
    assert not any(beats(one, other) for one in chosen for other in chosen)


@given(POINTS)
def test_every_other_point_is_beaten_by_one_on_the_front(points):
    marks = front(points)
    chosen = [point for point, mark in zip(points, marks, strict=True) if mark]
    for point, mark in zip(points, marks, strict=True):
        assert mark or any(beats(one, point) for one in chosen)


@given(POINTS.filter(bool))
def test_there_is_always_one(points):
    assert any(front(points))


@given(st.lists(COORDINATE, min_size=1))
def test_with_one_count_it_is_the_minimum(values):
    assert front([(value,) for value in values]) == [value == min(values) for value in values]


@given(POINTS, st.randoms())
def test_order_does_not_matter(points, random):
    marks = dict(zip(points, front(points), strict=True))
    shuffled = random.sample(points, len(points))
    assert front(shuffled) == [marks[point] for point in shuffled]


@given(POINTS)
def test_the_front_of_the_front_is_itself(points):
    chosen = [point for point, mark in zip(points, front(points), strict=True) if mark]
    assert front(chosen) == [True] * len(chosen)
