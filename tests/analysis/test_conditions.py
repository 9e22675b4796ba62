"""Every condition that a latency depends on is compared and named; nothing else is."""

import pytest

from mobilenet_edge.analysis.conditions import differences, unusable
from mobilenet_edge.records import Remark

EDGE = {"path": "libedgetpu.so.1", "options": {"device": "usb"}, "nodes": 1, "total": 1, "kind": "edgetpu"}


def test_alike(profile):
    assert differences(profile(2.0), profile(3.0, "int8", seed=1)) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"host": {"name": "pi4"}}, "machine: local against pi4"),
        ({"host": {"cpu": "Cortex-A72"}}, "CPU: Xeon against Cortex-A72"),
        ({"host": {"board": "Pi 4"}}, "board: none against Pi 4"),
        ({"host": {"cores": 4}}, "cores: 2 against 4"),
        ({"host": {"machine": "aarch64"}}, "architecture: x86_64 against aarch64"),
        ({"host": {"isa": ["AVX2", "AVX-512 VNNI"]}}, "instruction sets: AVX2 against AVX2, AVX-512 VNNI"),
        ({"host": {"os": "Debian 13"}}, "system: Debian 12 against Debian 13"),
        ({"host": {"governor": "performance"}}, "governor: none against performance"),
        ({"threads": 2}, "threads: 1 against 2"),
        ({"runtime_version": "2.4.0"}, "runtime: litert 2.3.0 against litert 2.4.0"),
        ({"runtime": "tflite-runtime"}, "runtime: litert 2.3.0 against tflite-runtime 2.3.0"),
        ({"delegate": EDGE}, "delegate: none against libedgetpu.so.1, {'device': 'usb'}, edgetpu"),
        ({"conditions": {"affinity": [1]}}, "CPU affinity: none against 1"),
        ({"conditions": {"inputs": "images"}}, "inputs: noise against images"),
        ({"conditions": {"rate_per_s": 5.0}}, "runs a second: none against 5.0"),
        ({"conditions": {"sustain_seconds": 600.0}}, "sustained seconds: none against 600.0"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_difference_is_named(profile, changes, named):
    assert differences(profile(), profile(**changes)) == [named]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": {"before": {"load": 3.0}, "kernel": "6.2"}},
        {"conditions": {"started": "2026-01-01", "seed": 3, "runs": 500}},
        {"sha256": "other"},
        {"doubts": (Remark("swapping"),)},
    ],
)
def test_what_does_not_matter_is_not_named(profile, changes):
    assert differences(profile(), profile(**changes)) == []


def test_lists_of_json_are_tuples_of_the_measurement(profile):
    one, other = profile(conditions={"affinity": [1, 2]}), profile(conditions={"affinity": (1, 2)})
    assert differences(one, other) == []


def test_formats_have_runtimes_of_their_own(profile):
    onnx = profile(format="onnx", runtime="onnxruntime", runtime_version="1.31.1")
    assert differences(profile(), onnx) == []


def test_what_cannot_be_used(profile):
    assert unusable(profile()) is None
    assert unusable(profile(invalid=Remark("throttled", reasons=["hot"]))) == Remark("throttled", reasons=["hot"])
    assert unusable(profile(host={"emulated": "qemu-aarch64"})) == Remark("emulated", emulator="qemu-aarch64")
