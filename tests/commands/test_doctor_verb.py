from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from mobilenet_edge.commands import doctor
from mobilenet_edge.errors import HostError, MnetError
from mobilenet_edge.hosts.local import Local


@dataclass
class Scripted:
    """A host that answers what it was given, or fails with it."""

    name: str
    answer: dict[str, Any] | MnetError
    barrier: threading.Barrier | None = None
    asked: list[Any] = field(default_factory=list)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.asked.append("left")

    def run(self, request, files=(), *, limit_seconds):
        assert limit_seconds > 0
        self.asked.append(request)
        if self.barrier:
            self.barrier.wait(timeout=300)
        if isinstance(self.answer, MnetError):
            raise self.answer
        return self.answer


@pytest.fixture(scope="module")
def own():
    """This machine's own facts, from the real worker."""
    return doctor.run([Local()])[0]


@pytest.mark.slow
def test_this_machine(own):
    assert (own.host, own.failure, own.exit_code) == ("local", None, 0)
    found = {each.name: each for each in own.findings}
    assert found["litert"].status == "ok"
    assert {"[build]", "[images]"} <= found.keys()
    assert "clock" not in found
    assert own.facts["executable"] == sys.executable


@pytest.mark.slow
def test_another_machine_has_a_clock_and_no_extras(own):
    (report,) = doctor.run([Scripted("pi5", {**own.facts, "clock_ns": 0})])
    found = {each.name: each for each in report.findings}
    assert "[build]" not in found
    assert found["clock"].status == "warn"


def test_a_machine_that_cannot_be_reached_is_a_report():
    gone = Scripted("pi5", HostError("pi5 did not answer within 10 s; is it on?"))
    (report,) = doctor.run([gone])
    assert report.failure == "pi5 did not answer within 10 s; is it on?"
    assert doctor.exit_code([report]) == 6
    assert gone.asked == [{"mode": "doctor"}, "left"]


def test_a_connection_that_fails_at_once_is_a_report():
    class Shut(Scripted):
        def __enter__(self):
            raise HostError("connection refused; start sshd there")

    (report,) = doctor.run([Shut("pi5", {})])
    assert (report.failure, report.exit_code) == ("connection refused; start sshd there", 6)


def test_a_bug_keeps_its_traceback():
    class Buggy(Scripted):
        def run(self, *_, **__):
            raise KeyError("host")

    with pytest.raises(KeyError):
        doctor.run([Buggy("pi5", {})])


def test_machines_are_asked_at_once():
    # Each waits for the other: in turn they would never end.
    both = threading.Barrier(2)
    reports = doctor.run([Scripted(name, HostError(name), both) for name in ("b", "a")])
    assert [each.host for each in reports] == ["b", "a"]
    assert [each.failure for each in reports] == ["b", "a"]


@pytest.mark.slow
def test_exit_code_is_that_of_the_worst(own):
    dead = {name: {**each, "installed": False} for name, each in own.facts["runtimes"].items()}
    hosts = [Local(), Scripted("bare", {**own.facts, "runtimes": dead}), Scripted("gone", HostError("gone"))]
    reports = doctor.run(hosts)
    assert [each.exit_code for each in reports] == [0, 4, 6]
    assert [doctor.exit_code(reports[:end]) for end in (0, 1, 2, 3)] == [0, 0, 4, 6]


def test_what_is_lacking_is_seen_without_an_import(monkeypatch):
    there = {"onnx", "PIL"}
    monkeypatch.setattr(doctor, "find_spec", lambda module: object() if module in there else None)
    assert doctor.missing_packages() == {
        "build": ["TensorFlow"],
        "export": ["h5py", "flatbuffers", "threadpoolctl"],
        "images": [],
    }


def test_extras_are_those_of_the_project():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for extra, packages in doctor.EXTRAS.items():
        told = " ".join(project["optional-dependencies"][extra]).lower()
        assert all(package.lower() in told for package in packages.values())
