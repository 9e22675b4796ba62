"""Limits as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.budget.limit import METRICS, Limit, dump
from mobilenet_edge.errors import UsageError


def limit(text: str, key: str = "size") -> Limit:
    return Limit.parse(text, METRICS[key])


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("size", "1.5 MB", 1_500_000),
        ("size", "1.5 MiB", 1.5 * 1024**2),
        ("size", "500kB", 500_000),
        ("size", "500 KB", 500_000),  # K is a thousand whatever its case
        ("size", "500 KiB", 512_000),
        ("size", "1234 B", 1234),
        ("memory", "64 MB", 64_000_000),
        ("macs", "50M", 50_000_000),
        ("parameters", "467272", 467_272),
        ("latency", "20 ms", 20.0),
        ("latency", "1.5 s", 1500.0),
        ("min_agreement", "95 %", 0.95),
        ("min_top1", "59.1 %", 0.591),
    ],
)
def test_absolute_limit(key, text, value):
    found = limit(text, key)
    assert (found.value, found.relative, found.text) == (value, None, text)


@pytest.mark.parametrize(
    ("key", "text", "before", "bound"),
    [
        ("size", "+2 %", 1000, 1020),
        ("size", "-10%", 1000, 900),
        ("size", "+ 1.5 kB", 1000, 2500),
        ("size", "-100 B", 1000, 900),
        ("macs", "+0 %", 123, 123),
        ("latency", "+5 %", 20.0, 21.0),
        ("latency", "+500 us", 20.0, 20.5),
        ("min_agreement", "-0.5 points", 0.95, 0.945),
        ("min_top1", "+1 point", 0.5, 0.51),
    ],
)
def test_relative_limit(key, text, before, bound):
    assert limit(text, key).bound(before) == bound


def test_what_is_exactly_the_limit_holds():
    # 50 * 1.14 is 56.99999999999999 in doubles, and 0.95 as 95 * 0.01 is 0.9500000000000001.
    assert limit("+14 %").holds(57, 50)
    assert not limit("+14 %").holds(58, 50)
    assert limit("95 %", "min_agreement").holds(95 / 100, None)
    assert limit("1.5 MB").holds(1_500_000, None)
    assert not limit("1.5 MB").holds(1_500_001, None)


def test_a_floor_holds_from_above():
    assert limit("50 %", "min_top1").holds(0.51, None)
    assert not limit("50 %", "min_top1").holds(0.49, None)


def test_a_relative_limit_needs_a_baseline():
    with pytest.raises(ValueError, match=r"\+2 % needs a baseline"):
        limit("+2 %").bound(None)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("size", "1.5 XB", "is not a size such as"),
        ("size", "1.5 M", "is not a size such as"),
        ("size", "", "is not a size such as"),
        ("size", "+", "is not a size such as"),
        ("size", "+2", None),  # two bytes more
        ("latency", "20", "is not a duration such as"),
        ("min_top1", "0.5", "is not a percentage such as"),
        ("min_top1", "120 %", "is too high"),
        ("min_top1", "-1 %", r'write percentage points, such as "-0.5 points"'),
    ],
)
def test_what_is_no_limit(key, text, message):
    if message is None:
        assert limit(text, key).bound(10) == 12
        return
    with pytest.raises(UsageError, match=message):
        limit(text, key)


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (1_396_872, "1.5 MB", "1.396872 MB"),
        (515_353, "600kB", "515.353 kB"),
        (500_000, "1 MB", "0.5 MB"),
        (515_353, "512 KiB", "515353 B"),
        (515_353, "600000", "515353 B"),
    ],
)
def test_a_size_is_written_exactly(value, like, text):
    assert dump(METRICS["size"], value, like) == text


def test_shares_are_rounded_down():
    assert dump(METRICS["min_top1"], 2 / 3, "60 %") == "66.66 %"
    assert dump(METRICS["min_top1"], 0.29, "20 %") == "29 %"  # 0.29 * 10000 is 2899.9999999999995


@given(st.integers(1, 10**10), st.sampled_from(["1 MB", "1kB", "1 KiB", "1 MiB", "1 GB", "1", "1 B"]))
def test_what_is_written_is_read_as_the_same(value, like):
    assert limit(dump(METRICS["size"], value, like)).value == value


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_what_is_written_of_a_share_just_holds(right, more):
    share = right / (right + more)
    found = limit(dump(METRICS["min_top1"], share, "1 %"), "min_top1")
    assert found.holds(share, None)
    assert share - found.value < 1.01e-4


def test_figures_are_in_the_units_of_the_limit():
    size = METRICS["size"]
    assert size.text(512_000, binary=limit("500 KiB").binary) == "500.00 KiB"
    assert size.text(1024**2 * 3, binary=True) == "3.00 MiB"
    assert size.text(100, binary=True) == "100 B"
    assert size.text(512_000, binary=limit("500 kB").binary) == "512.0 kB"


def test_changes():
    assert METRICS["size"].change(1020, 1000) == "+2.00 %"
    assert METRICS["size"].change(1000, 1000) == "same"
    assert METRICS["min_top1"].change(0.49, 0.5) == "-1.00 points"
