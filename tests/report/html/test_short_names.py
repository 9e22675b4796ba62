"""Machines have short names, never two the same."""

from mobilenet_edge.report.html.machines import UNKNOWN, names
from mobilenet_edge.report.html.shorten import MAX_LENGTH
from mobilenet_edge.report.rows import by_machine, join
from tests.report.html.grid import HERE, PI, SPECS, evaluation, identity, prediction, profile

OWN = identity(SPECS[0])


def of(*records):
    return list(names(by_machine(join(records))).values())


def test_device_then_board_then_cpu():
    assert of(profile(OWN, 1.0, host=PI)) == ["pi4"]
    assert of(profile(OWN, 1.0, host={**PI, "name": "local"})) == ["Raspberry Pi 4 Model B"]
    assert of(profile(OWN, 1.0)) == ["Intel Xeon @ 2.50GHz"]


def test_two_of_a_name_are_numbered():
    other = {**HERE, "os": "Debian 13"}
    assert of(profile(OWN, 1.0), profile(OWN, 1.0, host=other)) == ["Intel Xeon @ 2.50GHz", "Intel Xeon @ 2.50GHz (2)"]


def test_a_machine_known_from_a_prediction_alone():
    assert of(prediction(OWN, 1.0)) == ["Intel Xeon @ 2.50GHz"]


def test_what_was_not_profiled():
    assert of(evaluation(OWN, 0.5)) == [UNKNOWN]


def test_a_long_name_is_cut():
    (name,) = of(profile(OWN, 1.0, host={**PI, "name": "x" * 100}))
    assert name == "x" * (MAX_LENGTH - 1) + "…"
