from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.commands import setup_host
from mobilenet_edge.commands.setup_host import Installation
from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts import NO_FILES, Host


@dataclass
class FakeHost:
    """Answers what it is told to."""

    answer: dict[str, Any]
    name: str = "pi4"
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        assert not files
        assert limit_seconds >= 600  # a Pi 3 is slow to unpack
        self.asked.append(request)
        return self.answer

    def __enter__(self) -> FakeHost:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_the_device_chooses_what_fits():
    fake = FakeHost({"folder": "/v", "executable": "/v/bin/python", "installed": {"numpy": "2.4"}})
    host: Host = fake
    assert setup_host.run(host) == Installation("pi4", "/v", "/v/bin/python", {"numpy": "2.4"})
    assert fake.asked == [{"mode": "setup", "packages": []}]


def test_packages_of_ones_own():
    fake = FakeHost({"folder": "/v", "executable": "/v/bin/python", "installed": {}})
    setup_host.run(fake, ["onnxruntime==1.20"])
    assert fake.asked == [{"mode": "setup", "packages": ["onnxruntime==1.20"]}]


def test_an_answer_that_says_nothing():
    with pytest.raises(HostError, match=r"^pi4 did not report what it installed"):
        setup_host.run(FakeHost({"version": "9"}))
