"""Rows become plain values; what must not be drawn has none."""

import pytest

from mobilenet_edge.records import Remark
from mobilenet_edge.report.html import points as module
from mobilenet_edge.report.html.points import family, label
from mobilenet_edge.report.rows import by_machine, join
from tests.report.html.grid import SPECS, evaluation, grid, identity, long, prediction, profile, with_operators

OWN = identity(SPECS[1])


def points(*records):
    groups = by_machine(join(records))
    return module.points(groups, {machine: f"machine {index}" for index, machine in enumerate(groups)})


def test_a_measured_row():
    (point,) = points(profile(OWN, 2.0), evaluation(OWN, 0.586))
    assert (point["label"], point["device"], point["threads"]) == ("a0.50-r160 int8 tflite", "machine 0", 1)
    assert point["median_ms"] == pytest.approx(2.07)
    assert point["measured"] == {"top1": 58.6, "interval": [54.6, 62.6], "images": "500 images of images"}
    assert point["published"]["top1"] == 57.7
    assert point["times"]["ms"][:2] == [1.96, 1.98]
    assert point["times"]["rounds"] == [4, 8]
    assert point["times"]["run"] is None
    assert not point["predicted"]


@pytest.mark.parametrize(
    "changes", [{"invalid": Remark("throttled", reasons=["hot"])}, {"host": {"emulated": "qemu-aarch64"}}]
)
def test_what_must_not_be_used_is_not_drawn(changes):
    (point,) = points(profile(OWN, 2.0, **changes))
    assert point["median_ms"] is None
    assert point["times"] is None


def test_a_prediction_is_marked():
    (point,) = points(prediction(OWN, 2.0))
    assert (point["median_ms"], point["interval_ms"], point["predicted"]) == (2.0, (1.8, 2.2), True)
    assert point["times"] is None


def test_rows_keep_their_order_by_machine():
    made = points(*grid())
    assert [point["device"] for point in made] == ["machine 0"] * 12 + ["machine 1"] * 12
    assert len({point["file"] for point in made}) == 12


def test_operators_and_minutes_come_along():
    assert [op["family"] for op in points(with_operators(OWN))[0]["ops"]["list"]] == [
        "convolution",
        "depthwise",
        "other",
    ]
    assert len(points(long(OWN))[0]["trace"]) == 6


def test_of_a_long_run_a_part_is_kept():
    many = tuple(1_000_000 + index % 977 for index in range(50_000))
    (point,) = points(profile(OWN, 1.0, times_ns=many, round_sizes=(50_000,)))
    times = point["times"]
    assert len(times["ms"]) == len(times["run"]) <= 4000
    assert len(times["dots"]) == 600
    assert times["runs"] == 50_000


def test_a_label_says_the_target_where_it_is_special():
    (row,) = join([profile(identity(SPECS[1], target="edgetpu"), 1.0)])
    assert label(row) == "a0.50-r160 int8 tflite edgetpu"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("DEPTHWISE_CONV_2D", "depthwise"),
        ("QLinearConv", "convolution"),
        ("Gemm", "dense"),
        ("QLinearGlobalAveragePool", "pooling"),
        ("DequantizeLinear", "type change"),
        ("Softmax", "other"),
    ],
)
def test_operators_of_all_runtimes_have_families(kind, name):
    assert family(kind) == name
