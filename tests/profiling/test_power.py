"""Energies by arithmetic, and logs of meters as they come."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import latency, power
from mobilenet_edge.profiling.machine import Machine
from mobilenet_edge.profiling.settings import Plan


def windows(*pairs: tuple[float, float, int], seconds: float = 2.0) -> list[dict[str, Any]]:
    """Windows one after the other, with the joules of idle time and of so many inferences."""
    made: list[dict[str, Any]] = []
    for idle, busy, runs in pairs:
        for joules, count in ((idle, 0), (busy, runs)):
            start = seconds * len(made)
            made.append({"start": start, "end": start + seconds, "runs": count, "joules": joules})
    return made


def document(made: list[dict[str, Any]]) -> dict[str, Any]:
    return {"source": "package", "how": "RAPL", "windows": made, "now_s": made[-1]["end"]}


def test_idle_is_subtracted_from_each_pair():
    # (8 - 2) J of 100 runs are 60 mJ, (11 - 3) of 100 are 80, (12 - 2) of 100 are 100.
    found = power.summarise(document(windows((2, 8, 100), (3, 11, 100), (2, 12, 100))), [])
    assert found["mj"] == pytest.approx(80)
    # t of two degrees of freedom is 4.303, the standard deviation is 20.
    half = 4.303 * 20 / math.sqrt(3)
    assert found["interval_mj"] == pytest.approx([80 - half, 80 + half], rel=1e-3)
    assert (found["idle_w"], found["busy_w"]) == (pytest.approx(7 / 6), pytest.approx(31 / 6))
    assert (found["pairs"], found["seconds"], found["runs"]) == (3, 2.0, 300)
    assert (found["source"], found["how"]) == ("package", "RAPL")


def test_a_window_of_inferences_that_is_longer_has_more_idle_time():
    made = windows((2, 8, 100), (2, 8, 100))
    for window in made[1::2]:
        window["end"] = window["start"] + 4.0  # of the 8 J, 4 are idle
    assert power.summarise(document(made), [])["mj"] == pytest.approx(40)


def test_samples_are_integrated_between_the_ends_of_a_window():
    made = windows((0, 0, 10), (0, 0, 10))
    for window in made:
        window["joules"] = None
    # A ramp from 1 W at -1 s: 2 W at 0, 4 W at 2 and so on; its mean over a window is that of its middle.
    samples = [(at / 2, 2 + at / 2) for at in range(-2, 20)]
    found = power.summarise(document(made), samples)
    assert (found["idle_w"], found["busy_w"]) == (pytest.approx((3 + 7) / 2), pytest.approx((5 + 9) / 2))
    # 2 W more than before, for 2 s, for 10 runs.
    assert found["mj"] == pytest.approx(400)


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [(-1.0, 1.0), (9.0, 1.0)],
        [(0.1 * n + 0.05, 1.0) for n in range(200)],
        [(0.1 * n - 1, 1.0) for n in range(85)],
    ],
)
def test_samples_that_do_not_cover_a_window_are_refused(samples: Any):
    made = windows((0, 0, 10), (0, 0, 10))
    for window in made:
        window["joules"] = None
    with pytest.raises(HostError, match="log once a second or more often, from before mnet starts until it ends"):
        power.summarise(document(made), samples)


def log(path: Path, text: str) -> Path:
    path.write_text(text, newline="")
    return path


def test_a_log_is_read_in_both_kinds_of_time(tmp_path: Path):
    utc = datetime(2026, 11, 27, 6, 0, 0, 500_000, tzinfo=UTC).timestamp()
    seconds = log(tmp_path / "a.csv", f"Time, volts, Watts\n{utc},5.1,3.25\n{utc + 1},5.1,4\n{utc + 2},5")
    # The last line is not whole yet.
    assert power.read_log(seconds) == [(utc, 3.25), (utc + 1, 4.0)]
    iso = "time,watts\n2026-11-27T06:00:00.5Z,3.25\n2026-11-27T07:00:01.5+01:00,4\n"
    assert power.read_log(log(tmp_path / "c.csv", "time,watts\r1,2\r\n3,4\r")) == [(1.0, 2.0), (3.0, 4.0)]
    assert power.read_log(log(tmp_path / "b.csv", "\ufeff" + iso)) == [(utc, 3.25), (utc + 1, 4.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'time'"),
        ("time,power\n1,2\n", "has no column 'watts'; its first line must name time and watts"),
        ("time,watts\n1,2\nnoon,3\n", "line 3: time and watts must be numbers"),
        ("time,watts\n1,much\n", "line 2: time and watts must be numbers"),
        ("time,watts\n1\n", "line 2: time and watts must be numbers"),
        ("time,watts\n2,1\n1,1\n", "line 3: times must ascend"),
        ('time,watts\n1,"' + "9" * 200_000 + "\n", "line 2: field larger than field limit"),
        ("time,watts\n2,nan\n", "line 2: times must ascend, and watts be finite"),
    ],
)
def test_what_is_no_log_is_refused(text: str, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        power.read_log(log(tmp_path / "power.csv", text))


def test_a_log_is_awaited_and_moved_to_the_clock_of_the_worker(tmp_path: Path):
    path = log(tmp_path / "power.csv", "time,watts\n1000,1\n")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        path.write_text(f"{path.read_text()}{1002 + 4 * len(waits)},2\n")

    # The worker's clock was at 8 when it was 1010 here; its last window ended at 8, which is 1010.
    made = document(windows((1, 1, 1), (1, 1, 1)))
    assert power.log_samples(path, made, 1010.0, sleep) == [(-2.0, 1.0), (4.0, 2.0), (8.0, 2.0)]
    assert waits == [1.0, 1.0]
    # One that goes on no longer is not waited for again and again.
    stopped = log(tmp_path / "stopped.csv", "time,watts\n1000,1\n")
    waits.clear()
    assert power.log_samples(stopped, made, 1010.0, waits.append) == [(-2.0, 1.0)]
    assert len(waits) == 10


def test_a_meter_is_of_one_machine_and_read_before_anything(tmp_path: Path):
    plan = Plan(energy=True, power=tmp_path / "power.csv")
    with pytest.raises(UsageError, match="one meter, which measures one machine"):
        latency.profile([tmp_path], plan, machines=[Machine(Local()), Machine(Local("other"))])
    with pytest.raises(InputError, match=r"power\.csv"):
        latency.profile([tmp_path / "missing.tflite"], plan)
    assert [plan.energy_seconds, Plan().energy_seconds, Plan(seconds=5).energy_seconds] == [10, 2, 5]
