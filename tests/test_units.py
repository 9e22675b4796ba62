"""Quantities are read and written exactly as documented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge.errors import UsageError
from mobilenet_edge.units import (
    format_bytes,
    format_count,
    format_ms,
    parse_bytes,
    parse_count,
    parse_ms,
    parse_rate,
    parse_seconds,
    parse_share,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("50000000", 50_000_000),
        ("50M", 50_000_000),
        ("50 m", 50_000_000),
        (" 1.5G ", 1_500_000_000),
        ("500K", 500_000),
        (".5k", 500),
        ("0", 0),
        # 1.1 is no binary fraction; the product must still be a whole million.
        ("1.1M", 1_100_000),
    ],
)
def test_counts_are_decimal(text, number):
    assert parse_count(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1500000", 1_500_000),
        ("950B", 950),
        ("1.5MB", 1_500_000),
        ("1.5mb", 1_500_000),
        ("516.4 kB", 516_400),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("1MiB", 1_048_576),
        ("2GiB", 2_147_483_648),
        ("1GB", 1_000_000_000),
    ],
)
def test_bytes_are_decimal_unless_they_say_binary(text, number):
    assert parse_bytes(text) == number


@pytest.mark.parametrize(("text", "number"), [("20ms", 20.0), ("1.5s", 1500.0), ("800us", 0.8), ("0.5 MS", 0.5)])
def test_durations_are_milliseconds(text, number):
    # The factors are powers of ten: one rounding of a double.
    assert parse_ms(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["", "M", "-50M", "+1", "1e6", "nan", "inf", "50MB", "5 0M", "1,5M", "٣M", "9" * 400, "1..2", "0x10"]
)
def test_a_count_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="is not a count such as 50000000, 500K, 50M"):
        parse_count(text)


# "1M" could be a decimal or a binary million, "1Mb" is written for bits but is taken as typed in haste.
@pytest.mark.parametrize("text", ["1M", "1K", "big", "-1MB", "1 MBB", "1.5 mi", "", "NaN"])
def test_a_size_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match=r"1\.5MB \(decimal\) or 1\.5MiB \(binary\)"):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["20", "20m", "20 min", "ms", "-1ms"])
def test_a_duration_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="is not a duration such as 800us, 20ms"):
        parse_ms(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("10m", 600), ("10 min", 600), ("1.5h", 5400), ("0s", 0)]
)
def test_long_durations_are_seconds(text, seconds):
    assert parse_seconds(text) == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "rate"), [("5/s", 5), ("0.5 /s", 0.5), ("30/min", 0.5), ("30/m", 0.5), ("36/h", 0.01)]
)
def test_rates_are_times_a_second(text, rate):
    assert parse_rate(text) == pytest.approx(rate, rel=1e-15)


@pytest.mark.parametrize(("text", "share"), [("2%", 0.02), ("0.5 %", 0.005), ("100%", 1)])
def test_percentages_are_shares(text, share):
    assert parse_share(text) == pytest.approx(share, rel=1e-15)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_seconds, "10", "is not a duration such as 500ms, 30s, 10m or 1.5h"),
        (parse_seconds, "10%", "is not a duration such as"),
        (parse_seconds, "-1s", "is not a duration such as"),
        (parse_rate, "5", "is not a rate such as 5/s or 30/min"),
        (parse_rate, "5s", "is not a rate such as"),
        (parse_rate, "5/ms", "is not a rate such as"),
        (parse_rate, "5//s", "is not a rate such as"),
        (parse_share, "2", "is not a percentage such as 2% or 0.5%"),
        (parse_share, "2%%", "is not a percentage such as"),
        (parse_count, "5%", "is not a count such as"),
        (parse_bytes, "5/s", "is not a size such as"),
    ],
)
def test_what_is_none_of_these_is_refused(parse, text, message):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in str(caught.value)


def test_messages_are_one_line_and_repeat_what_was_typed():
    with pytest.raises(UsageError) as caught:
        parse_bytes("1\nM")
    assert "\n" not in str(caught.value)
    assert "'1\\nM'" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (950, "950"),
        (999, "999"),
        (1000, "1.00 k"),
        (9_994, "9.99 k"),
        (9_996, "10.0 k"),
        (464_600, "464.6 k"),
        (999_949, "999.9 k"),
        (999_950, "1.00 M"),
        (4_221_032, "4.22 M"),
        (76_524_800, "76.5 M"),
        (568_740_352, "568.7 M"),
        (12_345_678_901_234, "12345.7 G"),
    ],
)
def test_counts_have_three_or_four_figures(number, text):
    assert format_count(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (950, "950 B"), (1500, "1.50 kB"), (516_400, "516.4 kB"), (1_392_846, "1.39 MB"), (2**30, "1.07 GB")],
)
def test_sizes_are_written_in_decimal_units(number, text):
    assert format_bytes(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0.000"), (0.0531, "0.053"), (0.0996, "0.10"), (1.534, "1.53"), (114.2, "114.20")]
)
def test_milliseconds_have_two_decimals_and_small_ones_three(number, text):
    assert format_ms(number) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_what_is_written_can_be_read_back(number):
    # Three figures are shown at least: half a unit of the third is 0.5 % at worst.
    assert parse_count(format_count(number)) == pytest.approx(number, rel=0.005)
    assert parse_bytes(format_bytes(number)) == pytest.approx(number, rel=0.005)
