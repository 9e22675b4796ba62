from __future__ import annotations

import pytest

from mobilenet_edge.analysis import machine_state
from mobilenet_edge.analysis.finding import Finding

SECOND = 10**9


def by_name(findings):
    return {each.name: each for each in findings}


def test_dot_products(pi):
    assert list(machine_state.check_cpu(pi())) == [Finding("int8", "ok", "dot products: SDOT/UDOT")]
    (found,) = machine_state.check_cpu(pi(host={"isa": ["NEON"]}))
    assert found.status == "warn"
    assert found.fact == "no dot products (NEON): int8 may not be faster than float32 here"


def test_unknown_instructions_are_left_out(pi):
    assert list(machine_state.check_cpu(pi(host={"isa": []}))) == []


def test_every_dot_product_is_one_that_the_device_can_name():
    from mobilenet_edge.device import cpu

    assert set(machine_state.DOT_PRODUCTS) <= set(cpu.ISA.values())


def test_emulation(pi):
    found = by_name(machine_state.check_cpu(pi(host={"emulated": "qemu-aarch64"})))["cpu"]
    assert (found.status, found.fact) == ("warn", "emulated by qemu-aarch64: latency is not real")


def test_a_cool_pi(pi):
    assert list(machine_state.check_throttling(pi(), "pi5")) == [
        Finding("governor", "ok", "ondemand"),
        Finding("throttling", "ok", "none since boot"),
        Finding("temperature", "ok", "48 °C"),
    ]


def test_what_a_machine_does_not_tell_is_left_out(pi):
    facts = pi()
    del facts["host"]["governor"]
    facts["now"] = {}
    assert list(machine_state.check_throttling(facts, "pi5")) == []


@pytest.mark.parametrize(
    ("governor", "status"),
    [("performance", "ok"), ("powersave", "warn"), ("schedutil + powersave", "warn")],
)
def test_governor(pi, governor, status):
    assert by_name(machine_state.check_throttling(pi(host={"governor": governor}), "pi5"))["governor"].status == status


def test_governor_is_changed_on_that_machine(pi):
    facts = pi(host={"governor": "powersave"})
    assert (
        by_name(machine_state.check_throttling(facts, "pi5"))["governor"].next
        == f"on pi5: {machine_state.SET_GOVERNOR}"
    )
    assert by_name(machine_state.check_throttling(facts, "local"))["governor"].next == machine_state.SET_GOVERNOR


@pytest.mark.parametrize(
    ("now", "since", "found"),
    [
        (["under-voltage"], ["under-voltage"], ("fail", "now: under-voltage", machine_state.CHECK_POWER)),
        (["throttled"], [], ("fail", "now: throttled", machine_state.COOL)),
        (
            [],
            ["under-voltage", "throttled"],
            ("warn", "not now, but since boot: under-voltage, throttled", machine_state.CHECK_POWER),
        ),
        ([], ["frequency capped"], ("warn", "not now, but since boot: frequency capped", machine_state.COOL)),
    ],
)
def test_throttling(pi, now, since, found):
    facts = pi(now={"throttled": now, "throttled_since_boot": since})
    assert by_name(machine_state.check_throttling(facts, "pi5"))["throttling"] == Finding("throttling", *found)


def test_an_alarm_alone_is_enough(pi):
    # A board without the firmware's word has the voltage sensor, and no memory of what was.
    facts = pi()
    facts["now"] = {"throttled": ["under-voltage"]}
    assert by_name(machine_state.check_throttling(facts, "pi5"))["throttling"].status == "fail"


@pytest.mark.parametrize(("degrees", "status"), [(69.9, "ok"), (70.0, "warn")])
def test_temperature(pi, degrees, status):
    assert (
        by_name(machine_state.check_throttling(pi(now={"temperature_c": degrees}), "pi5"))["temperature"].status
        == status
    )


def test_room(pi):
    assert list(machine_state.check_space(pi())) == [
        Finding("memory", "ok", "6.00 GB available of 8.00 GB"),
        Finding("disk", "ok", "20.0 GB free in /tmp"),
    ]


@pytest.mark.parametrize(
    ("free", "status"), [(100_000_000, "ok"), (99_999_999, "warn"), (20_000_000, "warn"), (19_999_999, "fail")]
)
def test_disk(pi, free, status):
    assert by_name(machine_state.check_space(pi(disk_free_bytes=free)))["disk"].status == status


def test_no_folder_for_temporary_files(pi):
    found = by_name(machine_state.check_space(pi(folder=None, disk_free_bytes=None)))["disk"]
    assert found.status == "fail"
    assert "TMPDIR" in found.next


def test_little_memory(pi):
    found = by_name(machine_state.check_space(pi(memory_available_bytes=149_000_000)))["memory"]
    assert (found.status, found.fact) == ("warn", "149.0 MB available of 8.00 GB")
    assert "memory" not in by_name(machine_state.check_space(pi(memory_available_bytes=None)))


@pytest.mark.parametrize(
    ("offset_s", "status", "begins"),
    [
        (0, "ok", "agrees"),
        (60, "ok", "agrees"),
        (61, "warn", "1 minute ahead of"),
        (-3 * 86400, "warn", "3 days behind"),
        (7200, "warn", "2 hours ahead of"),
    ],
)
def test_clock(pi, offset_s, status, begins):
    facts = pi()
    here = facts["clock_ns"] - offset_s * SECOND
    (found,) = machine_state.check_clock(facts, "pi5", (here, here))
    assert found.status == status
    assert found.fact.startswith(begins)


def test_how_long_the_answer_took_is_no_skew(pi):
    facts = pi()
    local_ns = (facts["clock_ns"] - 100 * SECOND, facts["clock_ns"] + 100 * SECOND)
    (found,) = machine_state.check_clock(facts, "pi5", local_ns)
    assert found.status == "ok"


def test_this_machine_has_one_clock(pi):
    assert list(machine_state.check_clock(pi(), "local", (0, 0))) == []


@pytest.mark.parametrize(
    ("count", "fact"),
    [
        (0, "no other measurement by mnet running"),
        (1, "1 other measurement by mnet running"),
        (2, "2 other measurements by mnet running"),
    ],
)
def test_workers(pi, count, fact):
    (found,) = machine_state.check_workers(pi(measuring=count))
    assert (found.fact, found.status) == (fact, "warn" if count else "ok")
