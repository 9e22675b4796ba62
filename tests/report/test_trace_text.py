from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.report import endurance

MINUTES = (
    {"minute": 1, "runs": 600, "median_ms": 100.0, "p90_ms": 101.0, "temperature_c": 55.04, "mhz": 1500,
     "throttled": []},
    {"minute": 2, "runs": 500, "median_ms": 120.0, "p90_ms": 130.0, "temperature_c": 80.0, "mhz": 1200,
     "throttled": ["frequency capped", "temperature"]},
    {"minute": 3, "runs": 9, "median_ms": 150.0, "p90_ms": None, "temperature_c": 82.0, "mhz": 1000, "throttled": []},
)  # fmt: skip


def test_a_line_a_minute(profile):
    lines = endurance.text(replace(profile(), trace=MINUTES)).splitlines()
    assert lines == [
        "### mobilenet_v1-a0.50-r160 tflite float32, 1 thread, local: minute by minute",
        "",
        "| minute | runs | median ms | p90 ms | max °C | min MHz | throttled                     |",
        "| -----: | ---: | --------: | -----: | -----: | ------: | ----------------------------- |",
        "|      1 |  600 |    100.00 | 101.00 |   55.0 |    1500 | no                            |",
        "|      2 |  500 |    120.00 | 130.00 |   80.0 |    1200 | frequency capped, temperature |",
        "|      3 |    9 |    150.00 |      - |   82.0 |    1000 | no                            |",
        "",
        # The third is a part of a minute: nine runs.
        "- Minute 2 is 20% slower than minute 1.",
    ]


def test_what_a_machine_does_not_tell_has_no_column(profile):
    bare = tuple({key: each[key] for key in ("minute", "runs", "median_ms", "p90_ms")} for each in MINUTES)
    assert "hottest" not in endurance.text(replace(profile(), trace=bare))


def test_the_summary_says_what_became_of_the_speed(profile):
    def summary(*medians: float) -> str:
        rows = [{"minute": n, "runs": 9, "median_ms": each, "p90_ms": None} for n, each in enumerate(medians, 1)]
        return endurance.summary(replace(profile(), trace=tuple(rows)))

    assert summary(100) == "One minute is too short to show the effect of heat; use a longer --sustain."
    assert summary(100, 101) == "Minute 2 is as fast as minute 1 (within 2%)."
    assert summary(100, 90) == "Minute 2 is 10% faster than minute 1."
    assert summary(100, 101, 300) == "Minute 2 is as fast as minute 1 (within 2%)."
