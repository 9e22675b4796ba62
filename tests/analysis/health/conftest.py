"""The facts of a Raspberry Pi on which all is well."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

READ_NS = 1_790_000_000_000_000_000
PI: dict[str, Any] = {
    "clock_ns": READ_NS,
    "host": {
        "board": "Raspberry Pi 5 Model B Rev 1.0",
        "cpu": "Cortex-A76",
        "machine": "aarch64",
        "cores": 4,
        "isa": ["NEON", "SDOT/UDOT"],
        "governor": "ondemand",
        "memory_bytes": 8_000_000_000,
        "os": "Debian GNU/Linux 12 (bookworm)",
        "numpy": "2.4.6",
    },
    "now": {"temperature_c": 48.3, "throttled": [], "throttled_since_boot": []},
    "numpy": {"installed": True, "version": "2.4.6", "error": None},
    "runtimes": {
        "litert": {
            "installed": True,
            "version": "2.3.0",
            "error": None,
            "title": "LiteRT",
            "format": "tflite",
            "requirement": "'ai-edge-litert>=2.1'",
        },
        "tflite-runtime": {
            "installed": False,
            "version": None,
            "error": None,
            "title": "tflite-runtime",
            "format": "tflite",
            "requirement": "tflite-runtime==2.14.0 'numpy<2'",
        },
        "onnxruntime": {
            "installed": True,
            "version": "1.31.1",
            "error": None,
            "title": "onnxruntime",
            "format": "onnx",
            "requirement": "onnxruntime",
        },
    },
    "system": "aarch64, Python 3.11 and glibc 2.36",
    "delegates": [],
    "edge_tpus": [],
    "memory_available_bytes": 6_000_000_000,
    "folder": "/tmp",
    "disk_free_bytes": 20_000_000_000,
    "measuring": 0,
    "executable": "/home/pi/venv/bin/python",
    "python": [3, 11, 2],
    "bits": 64,
    "pip": True,
    "venv": True,
    "managed": False,
}


@pytest.fixture
def pi() -> Callable[..., dict[str, Any]]:
    """Take these facts with some changed; of `host` and `now`, only the keys that are given."""

    def make(host: dict[str, Any] | None = None, now: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        facts = copy.deepcopy(PI)
        facts["host"].update(host or {})
        facts["now"].update(now or {})
        return {**facts, **changes}

    return make


@pytest.fixture
def lose() -> Callable[..., dict[str, Any]]:
    """Take runtimes away, so that pip offers them, or not even that."""

    def change(facts: dict[str, Any], *names: str, wheel: bool = True) -> dict[str, Any]:
        for name in names:
            own = facts["runtimes"][name]
            own.update(installed=False, version=None, error=None, requirement=own["requirement"] if wheel else None)
        return facts

    return change


@pytest.fixture
def spoil() -> Callable[..., dict[str, Any]]:
    """Let a runtime be installed and not load."""

    def change(facts: dict[str, Any], name: str, error: str) -> dict[str, Any]:
        facts["runtimes"][name].update(installed=True, version=None, error=error)
        return facts

    return change
