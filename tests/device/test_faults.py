from __future__ import annotations

import pytest

from mobilenet_edge.device.faults import InvalidModel, RuntimeMissing, first_line


def test_a_fault_crosses_the_wire_with_its_kind():
    assert InvalidModel("no").to_dict() == {"kind": "invalid-model", "message": "no"}


def test_a_missing_runtime_says_what_to_install():
    error = RuntimeMissing("LiteRT is not installed", "tflite", "ai-edge-litert>=2.1")
    assert error.to_dict() == {
        "kind": "missing-runtime",
        "message": "LiteRT is not installed",
        "extra": "tflite",
        "requirement": "ai-edge-litert>=2.1",
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("The model is not a valid Flatbuffer buffer", "The model is not a valid Flatbuffer buffer"),
        ("\n  no op.\nSee: https://example.org", "no op"),
        ("", "ValueError"),
        ("x" * 1000, "x" * 200),
    ],
)
def test_a_native_reason_becomes_one_line(text: str, line: str):
    assert first_line(ValueError(text)) == line
