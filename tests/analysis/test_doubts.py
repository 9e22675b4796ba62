from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mobilenet_edge.analysis.doubts import doubts, invalid
from mobilenet_edge.records import Profile, Remark

MS = 1_000_000
SECOND = 1_000_000_000

GOOD = Profile(
    artifact="x.tflite",
    sha256="0",
    size_bytes=1,
    format="tflite",
    precision="int8",
    variant="x",
    runtime="litert",
    runtime_version="2.3.0",
    threads=1,
    load_ms=1,
    first_ms=1,
    times_ns=(2 * MS,) * 60,
    round_sizes=(20, 20, 20),
    host={"cores": 2, "governor": "ondemand", "before": {"mhz": [1000, 2400]}, "after": {"mhz": [2400, 1000]}},
    conditions={"runs": 50, "usage": {"wall_ns": SECOND, "cpu_ns": SECOND, "others_ns": 0, "stolen_ns": 0}},
)


def only(profile: Profile) -> Remark:
    (doubt,) = doubts(profile)
    return doubt


def with_usage(**usage: int) -> Profile:
    return replace(GOOD, conditions={**GOOD.conditions, "usage": {**GOOD.conditions["usage"], **usage}})


def between(before: dict[str, Any], after: dict[str, Any]) -> Profile:
    return replace(GOOD, host={**GOOD.host, "before": before, "after": after})


def during(profile: Profile, *samples: dict[str, Any]) -> Profile:
    return replace(profile, conditions={**profile.conditions, "samples": samples})


def test_a_good_profile_is_not_doubted():
    assert doubts(GOOD) == []


def test_a_profile_whose_machine_tells_nothing_is_not_doubted():
    assert doubts(replace(GOOD, host={}, conditions={})) == []


def made_for(target: str, machine: str, *features: str, **changes: str) -> Profile:
    files = {"precision": "int8", "format": "onnx", **changes}
    return replace(GOOD, target=target, host={**GOOD.host, "machine": machine, "isa": list(features)}, **files)


@pytest.mark.parametrize("machine", ["x86_64", "AMD64"])
def test_a_file_for_arm_on_x86(machine: str):
    assert only(made_for("arm64", machine)) == Remark("arm64-file-on-x86")


@pytest.mark.parametrize("target", ["x86", "x86-vnni"])
def test_a_file_for_x86_on_arm(target: str):
    wanted = Remark("x86-file-elsewhere", target=target, machine="aarch64")
    assert only(made_for(target, "aarch64", "SDOT")) == wanted


def test_a_file_for_vnni_where_there_is_none_may_be_wrong():
    assert only(made_for("x86-vnni", "x86_64", "AVX2", "AVX-512")) == Remark("no-vnni")


@pytest.mark.parametrize(
    "good",
    [
        made_for("arm64", "aarch64"),
        made_for("x86", "x86_64", "AVX2"),
        made_for("x86-vnni", "x86_64", "AVX2", "AVX-512 VNNI"),
        made_for("x86-vnni", "AMD64", "avx_vnni"),
        made_for("generic", "x86_64"),
        made_for("generic", "aarch64"),
        made_for("edgetpu", "x86_64", format="tflite"),
        # Targets differ in the integers of ONNX files alone.
        made_for("arm64", "x86_64", precision="float32"),
        made_for("arm64", "x86_64", format="tflite"),
        # A machine that does not say what it is.
        made_for("arm64", ""),
    ],
    ids=lambda each: f"{each.target} {each.format} {each.precision} on {each.host['machine'] or 'unknown'}",
)
def test_files_that_suit_their_machine_are_not_doubted(good: Profile):
    assert doubts(good) == []


def test_time_ran_out():
    short = replace(GOOD, times_ns=(2 * MS,) * 30, round_sizes=(30,))
    assert only(short) == Remark("time-ran-out", runs=30, asked=50)


def test_few_runs():
    few = replace(GOOD, times_ns=(2 * MS,) * 5, round_sizes=(5,), conditions={"runs": 5})
    assert only(few) == Remark("few-runs", runs=5, least=20)


def test_wide_spread():
    # Evenly from 1.5 to 2.5 ms: half the distance from the 10th to the 90th percentile is 0.4 ms of 2.
    wide = tuple(1_500_000 + 1_000_000 * (index * 7 % 60) // 59 for index in range(60))
    doubt = only(replace(GOOD, times_ns=wide))
    assert (doubt.code, doubt.values) == ("times-vary", {"spread": pytest.approx(0.2, rel=0.02)})


def test_two_groups_say_more_than_that_times_vary():
    # A fifth of each round at 1.5 times the rest.
    two = ((2 * MS,) * 16 + (3 * MS,) * 4) * 3
    doubt = only(replace(GOOD, times_ns=two))
    assert doubt.code == "two-groups"
    assert doubt.values == pytest.approx({"low_share": 0.8, "low_ms": 2, "high_share": 0.2, "high_ms": 3})


def test_a_single_slow_run_is_no_wide_spread():
    assert doubts(replace(GOOD, times_ns=(2 * MS,) * 59 + (50 * MS,))) == []


def test_rounds_apart():
    # 1 in 20 slow rounds would hide in the spread: 2.2, 2.2, then 2.5 ms, 14 % from end to end, ±7 % in spread.
    drifting = (int(2.2 * MS),) * 40 + (int(2.5 * MS),) * 20
    doubt = only(replace(GOOD, times_ns=drifting))
    assert (doubt.code, doubt.values) == ("rounds-differ", {"difference": pytest.approx(0.3 / 2.2)})


def test_more_threads_than_cores():
    assert only(replace(GOOD, threads=4)) == Remark("too-many-threads", threads=4, cores=2)


def test_other_programs():
    assert only(with_usage(others_ns=SECOND // 2)) == Remark("other-programs", cores=0.5)


def test_the_hypervisor():
    assert only(with_usage(stolen_ns=SECOND // 4)) == Remark("stolen-time", cores=0.25)


def test_a_short_phase_says_nothing_of_others():
    # 100 ms are ten ticks of the kernel's accounting.
    assert doubts(with_usage(wall_ns=100 * MS, others_ns=50 * MS)) == []


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        ({"throttled": []}, {"throttled": ["throttled"]}, "throttled"),
        ({"throttled": ["under-voltage"]}, {"throttled": []}, "under-voltage"),
        ({"throttled_since_boot": []}, {"throttled_since_boot": ["frequency capped"]}, "frequency capped"),
        ({"throttle_count": 3}, {"throttle_count": 4}, "temperature"),
    ],
)
def test_throttling_makes_a_profile_invalid(before: dict[str, Any], after: dict[str, Any], reasons: str):
    assert invalid(GOOD) is None
    assert invalid(between(before, after)) == Remark("throttled", reasons=[reasons])
    # It is no doubt beside: a reader is told once.
    assert doubts(between(before, after)) == []


def test_throttling_in_the_middle_is_seen():
    cool = between({"throttled": []}, {"throttled": []})
    hot = during(cool, {"throttled": ["soft temperature limit"]})
    assert invalid(hot) == Remark("throttled", reasons=["soft temperature limit"])


@pytest.mark.parametrize(
    "facts", [{"throttled_since_boot": ["throttled"]}, {"throttle_count": 3}, {"throttled": []}, {"swapped_pages": 9}]
)
def test_what_happened_before_the_measurement_is_no_doubt(facts: dict[str, Any]):
    assert doubts(between(facts, facts)) == []
    assert invalid(between(facts, facts)) is None


def test_a_counter_that_was_not_read_before_says_nothing():
    assert invalid(between({}, {"throttle_count": 4, "throttled_since_boot": ["throttled"]})) is None
    assert doubts(between({}, {"swapped_pages": 4})) == []


def test_frequency_moved():
    # The fastest core counts: which core is fast may change.
    moved = between({"mhz": [1000, 2400]}, {"mhz": [1800, 1000]})
    assert only(moved) == Remark("frequency-moved", low_mhz=1800, high_mhz=2400)
    assert doubts(between({"mhz": [2400]}, {"mhz": [2300]})) == []


def test_frequency_moved_in_the_middle():
    moved = during(GOOD, {"mhz": [600, 600]}, {"mhz": [2400, 600]})
    assert only(moved) == Remark("frequency-moved", low_mhz=600, high_mhz=2400)


def test_an_emulator():
    assert only(replace(GOOD, host={"emulated": "qemu-aarch64"})) == Remark("emulated", emulator="qemu-aarch64")


def test_other_measurements():
    crowded = replace(GOOD, conditions={**GOOD.conditions, "concurrent": 2})
    assert only(crowded) == Remark("concurrent", seen=2)


def on_delegate(nodes: int, total: int = 31) -> Profile:
    own = {"path": "libedgetpu.so.1", "options": {}, "nodes": nodes, "total": total, "kind": "edgetpu"}
    return replace(GOOD, delegate=own)


def test_a_delegate_that_took_nothing():
    assert only(on_delegate(0)) == Remark("delegate-idle", total=31)


def test_a_delegate_that_took_some():
    assert only(on_delegate(12)) == Remark("delegate-partial", nodes=12, total=31)
    assert doubts(on_delegate(31)) == []


def test_powersave_governor():
    assert only(replace(GOOD, host={"governor": "powersave"})) == Remark("powersave")


def test_swapping():
    assert only(between({"swapped_pages": 1}, {"swapped_pages": 2})) == Remark("swapping")


def test_doubts_add_up():
    bad = replace(with_usage(others_ns=SECOND), threads=4, times_ns=(2 * MS,) * 30, round_sizes=(30,))
    assert {doubt.code for doubt in doubts(bad)} == {"time-ran-out", "too-many-threads", "other-programs"}
