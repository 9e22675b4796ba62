"""The benchmark of predictions: what it hides, and its table, on a machine made up here."""

from __future__ import annotations

import argparse
import runpy
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Profile

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_predict.py"


@pytest.fixture(scope="module")
def bench():
    return argparse.Namespace(**runpy.run_path(str(SCRIPT)))


def profile(spec: ModelSpec, precision: str) -> Profile:
    """20 GMAC/s after 0.1 ms, in two rounds of which the second is 2 % slower."""
    ns = round(1e5 + layers.macs(spec) / 20)
    name = f"{spec.name}.{precision}"
    return Profile(
        artifact=f"{name}.tflite", sha256=name, size_bytes=1, format="tflite", precision=precision, variant=spec.name,
        spec=asdict(spec), runtime="litert", runtime_version="1", threads=1, load_ms=1.0, first_ms=1.0,
        times_ns=(ns,) * 10 + (round(1.02 * ns),) * 10, round_sizes=(10, 10), host={"name": "local"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(bench):
    return list(bench.checks([profile(spec, "int8") for spec in bench.SPECS], 6))


def test_ten_of_sixteen_are_hidden_and_predicted(bench, found):
    chosen = {bench.SPECS[index].name for index in bench.predict.choose(bench.SPECS, 6)}
    assert {each.truth.variant for each in found} == {each.name for each in bench.SPECS} - chosen
    assert [each.guess.sha256 for each in found] == [each.truth.sha256 for each in found]
    assert max(each.error for each in found) < 0.05
    assert all(each.held for each in found)


def test_the_figures_of_one(found):
    one = found[0]
    truth = one.truth.median_ms
    guess = replace(one.guess, predicted_ms=truth * 1.1, low_ms=truth * 1.05, high_ms=truth * 1.21)
    off = replace(one, guess=guess)
    assert (off.error, off.width) == pytest.approx((0.1, 0.16 / 2 / 1.1))
    assert not off.held
    # 1 against 1.02
    assert off.noise == pytest.approx(1 - 1 / 1.02, rel=1e-3)


def test_a_row_for_each_sort_there_is_and_one_for_all(bench, found):
    lines = bench.table(found).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["tflite int8", "all"]
    assert lines[3].split("|")[2:3] == lines[2].split("|")[2:3]
    assert "10 of 10" in lines[3]


def test_the_ninetieth_percentile_is_the_nearest_rank(bench):
    # Of ten the ninth, of eleven the tenth: 0.9 * 11 = 9.9.
    assert bench.percentile(range(10, 0, -1), 0.9) == 9
    assert bench.percentile(range(1, 12), 0.9) == 10
