"""A machine is named by everything that a latency depends on, and by nothing that moves."""

import pytest

from mobilenet_edge.report.hardware import UNKNOWN, describe

PI = {
    "name": "pi4",
    "board": "Raspberry Pi 4 Model B Rev 1.4",
    "cpu": "Cortex-A72",
    "cores": 4,
    "machine": "aarch64",
    "isa": ["NEON"],
    "os": "Debian GNU/Linux 12 (bookworm)",
    "governor": "ondemand",
    "kernel": "6.1",
    "before": {"temperature_c": 48.0},
}


def test_a_board_in_full(profile):
    assert describe(profile(host=PI)) == (
        "pi4, Raspberry Pi 4 Model B Rev 1.4, Cortex-A72, 4 cores, aarch64 (NEON), Debian GNU/Linux 12 (bookworm), "
        "governor ondemand"
    )


def test_this_machine_needs_no_name(profile):
    assert describe(profile(host={"name": "local", "cpu": "Cortex-A76", "cores": 1})) == "Cortex-A76, 1 core"


def test_pinning_is_part_of_it(profile):
    pinned = profile(host={"cpu": "Cortex-A76"}, conditions={"affinity": [2, 3]})
    assert describe(pinned) == "Cortex-A76, on CPU 2 and 3"


def test_a_machine_that_says_nothing(profile):
    assert describe(profile(host={})) == UNKNOWN


def test_instruction_sets_without_an_architecture(profile):
    assert describe(profile(host={"isa": ["AVX2", "AVX-512"]})) == "(AVX2, AVX-512)"


@pytest.mark.parametrize("change", [{"before": {}}, {"after": {"load": 3}}, {"kernel": "6.2"}, {"python": "3.13"}])
def test_what_moves_does_not_make_it_another(profile, change):
    assert describe(profile(host={**PI, **change})) == describe(profile(host=PI))


@pytest.mark.parametrize(
    "change",
    [
        {"governor": "performance"},
        {"cpu": "Cortex-A76"},
        {"name": "pi5"},
        {"os": "Debian 11"},
        {"cores": 2},
        {"emulated": "qemu-aarch64"},
    ],
)
def test_what_a_latency_depends_on_does(profile, change):
    assert describe(profile(host={**PI, **change})) != describe(profile(host=PI))
