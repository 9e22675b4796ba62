"""The chart for a terminal: which points are named, and where there is none."""

from __future__ import annotations

import builtins

import pytest

from mobilenet_edge.report import scatter
from mobilenet_edge.report.rows import join
from tests.report.html.grid import SPECS, evaluation, identity, profile


def test_points_of_the_front_are_named_where_they_are():
    pytest.importorskip("plotext")
    slow, fast, dominated = (identity(spec) for spec in SPECS[:3])
    figures = ((slow, 9.0, 0.8), (fast, 1.0, 0.5), (dominated, 8.0, 0.4))
    rows = join([record for it, ms, top1 in figures for record in (profile(it, ms), evaluation(it, top1))])
    text = scatter.text(rows, 78)
    assert max(map(len, text.splitlines())) <= 78
    names = {row.record.variant.removeprefix("mobilenet_v1-"): row.pareto for row in rows}
    assert sorted(names.values()) == [False, True, True]
    assert all((f"● {name} " in text) is best for name, best in names.items())
    # Up is more accurate, right is slower.
    lines = text.splitlines()
    (high,), (low,) = ([line for line in lines if spec["variant"][13:] in line] for spec in (slow, fast))
    assert lines.index(high) < lines.index(low)
    assert high.index("●") > low.index("●")


@pytest.mark.parametrize("top1s", [[], [0.5]])
def test_no_chart_of_fewer_than_two_points(top1s):
    first = identity(SPECS[0])
    assert (
        scatter.text(join([profile(first, 1.0), *(evaluation(first, top1) for top1 in top1s)][: 1 + len(top1s)]), 78)
        == ""
    )


def test_no_chart_without_the_library(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "plotext":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert scatter.text(join([profile(identity(SPECS[0]), 1.0)]), 78) == ""
