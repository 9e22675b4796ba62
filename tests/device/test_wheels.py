from __future__ import annotations

import os
import sys

import pytest

from mobilenet_edge.device.runtimes import RUNTIMES, wheels


def test_every_runtime_has_its_line():
    assert wheels.WHEELS.keys() == RUNTIMES.keys()


@pytest.mark.parametrize(
    ("runtime", "machine", "python", "extra"),
    [
        ("litert", "x86_64", (3, 11), "tflite"),
        ("litert", "aarch64", (3, 13), "tflite"),
        ("litert", "aarch64", (3, 9), None),
        ("litert", "armv7l", (3, 11), None),
        ("tflite-runtime", "armv7l", (3, 11), "tflite-legacy"),
        ("tflite-runtime", "armv7l", (3, 13), None),  # 32-bit Pi OS trixie: nothing
        ("tflite-runtime", "aarch64", (3, 9), "tflite-legacy"),
        ("onnxruntime", "aarch64", (3, 11), "onnx"),
        ("onnxruntime", "armv7l", (3, 11), None),
    ],
)
def test_what_a_machine_can_have(runtime: str, machine: str, python: tuple[int, int], extra: str | None):
    wheel = wheels.find(runtime, machine, python)
    assert (wheel and wheel.extra) == extra


def test_this_machine_is_the_default():
    expected = wheels.find("onnxruntime", os.uname().machine, sys.version_info[:2])
    assert wheels.find("onnxruntime") == expected


def test_machine_in_words():
    assert wheels.machine() == f"{os.uname().machine} and Python {sys.version_info[0]}.{sys.version_info[1]}"
