from __future__ import annotations

from mobilenet_edge.analysis.finding import Finding
from mobilenet_edge.analysis.health import Report, unreachable
from mobilenet_edge.report import diagnosis

WORKS = {"installed": True, "error": None, "format": "tflite"}
COMMAND = "on pi5: /home/pi/venv/bin/python -m pip install --force-reinstall tflite-runtime==2.14.0 'numpy<2'"


def report(*findings, host=None, runtimes=None):
    facts = {"host": host or {"board": "Raspberry Pi 5", "cores": 4}, "runtimes": runtimes or {"litert": WORKS}}
    return Report("pi5", facts, findings, None, 0)


def test_layout():
    found = report(
        Finding("numpy", "ok", "2.4.6"),
        Finding("tflite-runtime", "warn", "does not load: it was built for NumPy 1 and here is 2.4.6", COMMAND),
        Finding("disk", "fail", "full", "free some"),
    )
    assert diagnosis.text([found]).splitlines() == [
        "pi5: Raspberry Pi 5, 4 cores",
        "  ok    numpy           2.4.6",
        "  warn  tflite-runtime  does not load: it was built for NumPy 1 and here is",
        "                        2.4.6",
        f"        > {COMMAND}",
        "  FAIL  disk            full",
        "        > free some",
        "It can run .tflite files: 1 failed, 1 warning.",
    ]


def test_facts_keep_within_the_width_and_commands_stay_whole():
    found = report(Finding("int8", "warn", "word " * 60, COMMAND))
    lines = diagnosis.text([found], 60).splitlines()
    assert [line for line in lines if len(line) > 60] == [f"        > {COMMAND}"]
    assert diagnosis.text([found], 200).count("\n") < len(lines) - 1


def test_last_line():
    well = Finding("numpy", "ok", "2.4.6")
    assert diagnosis.text([report(well)]).splitlines()[-1] == "It can run .tflite files: no problems."
    broken = {"litert": {**WORKS, "error": "it crashes"}}
    warned = Finding("a", "warn", "b", "c")
    assert (
        diagnosis.text([report(warned, warned, runtimes=broken)]).splitlines()[-1]
        == "It cannot run any format: 2 warnings."
    )


def test_machines_stand_apart():
    text = diagnosis.text([report(Finding("numpy", "ok", "2.4.6")), unreachable("pi4", OSError("no route to it"), 6)])
    assert text.split("\n\n")[1].splitlines() == ["pi4: not reached", "  FAIL  no route to it"]


def test_a_machine_cannot_write_to_the_terminal():
    host = {"board": "\x1b[2J\x1b]0;title\x07Pi"}
    text = diagnosis.text([report(Finding("disk", "fail", "a\x1b[31m", "b\rc"), host=host)])
    assert "\x1b" not in text
    assert all(character.isprintable() or character == "\n" for character in text)
