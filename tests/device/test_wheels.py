from __future__ import annotations

import os
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mobilenet_edge.device.runtimes import RUNTIMES, requirements, wheels

LITERT, OLD_LITERT = "'ai-edge-litert>=2.1'", "ai-edge-litert==2.1.0"
LEGACY, OLD_LEGACY = "tflite-runtime==2.14.0 'numpy<2'", "tflite-runtime==2.13.0 'numpy<2'"
ONNX = "onnxruntime"
# Of Raspberry Pi OS: the release of Debian it is made from, with its Python and glibc.
BULLSEYE, BOOKWORM, TRIXIE = ((3, 9), (2, 31)), ((3, 11), (2, 36)), ((3, 13), (2, 41))


def extras() -> set[str]:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    return set(project["project"]["optional-dependencies"])


def test_every_extra_that_is_told_exists():
    assert {wheel.extra for runtime in RUNTIMES.values() for wheel in runtime.wheels} - {None} <= extras()


@pytest.mark.parametrize(
    ("machine", "system", "expected"),
    [
        ("x86_64", BOOKWORM, (LITERT, LEGACY, ONNX)),
        ("aarch64", TRIXIE, (LITERT, None, ONNX)),
        ("aarch64", BOOKWORM, (LITERT, LEGACY, ONNX)),
        ("aarch64", BULLSEYE, (OLD_LITERT, OLD_LEGACY, ONNX)),
        ("armv7l", TRIXIE, (None, None, None)),
        ("armv7l", BOOKWORM, (None, LEGACY, None)),
        ("armv7l", BULLSEYE, (None, OLD_LEGACY, None)),
        ("armv6l", BOOKWORM, (None, None, None)),  # Pi 1, Zero
        ("aarch64", ((3, 11), (2, 31)), (OLD_LITERT, None, ONNX)),  # a newer Python built on an old system
        ("aarch64", ((3, 11), (2, 28)), (None, None, ONNX)),
        ("x86_64", ((3, 11), (2, 28)), (LITERT, None, ONNX)),
        ("x86_64", ((3, 9), (2, 27)), (OLD_LITERT, None, ONNX)),
        ("x86_64", ((3, 11), (2, 26)), (None, None, None)),
        ("aarch64", ((3, 11), None), (None, None, None)),  # musl
        ("arm64", ((3, 12), None), (LITERT, None, ONNX)),  # macOS has no glibc and needs none
    ],
)
def test_what_a_machine_can_have(
    machine: str, system: tuple[wheels.Version, wheels.Version | None], expected: tuple[str | None, ...]
):
    found = requirements(machine, *system)
    assert tuple(found[name] for name in ("litert", "tflite-runtime", "onnxruntime")) == expected
    assert found.keys() == RUNTIMES.keys()


@pytest.mark.parametrize(
    ("machine", "system", "expected"),
    [
        ("x86_64", BOOKWORM, "openvino"),
        ("aarch64", BOOKWORM, "openvino"),
        ("aarch64", BULLSEYE, None),  # tagged manylinux_2_35
        ("x86_64", ((3, 9), (2, 36)), None),
        ("x86_64", ((3, 11), (2, 27)), None),
        ("armv7l", BOOKWORM, None),
    ],
)
def test_where_openvino_is_offered(
    machine: str, system: tuple[wheels.Version, wheels.Version | None], expected: str | None
):
    assert requirements(machine, *system)["openvino"] == expected


def test_requirements_are_arguments_of_pip():
    for wheel in (wheel for runtime in RUNTIMES.values() for wheel in runtime.wheels):
        words = shlex.split(wheel.requirement)
        assert all(str(Requirement(word)) == word for word in words)
        # Outside of quotes a shell would take it for a redirection.
        assert not any(sign in word for word in wheel.requirement.split("'")[::2] for sign in "<>")


@pytest.mark.parametrize(("name", "extra"), [("litert", "tflite"), ("tflite-runtime", "tflite-legacy")])
def test_an_extra_is_told_only_where_it_brings_that_wheel(name: str, extra: str):
    newest, older = RUNTIMES[name].wheels
    assert (newest.extra, older.extra) == (extra, None)


def test_a_system_of_32_bits_under_a_kernel_of_64(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    kernel = os.uname()
    monkeypatch.setattr(os, "uname", lambda: type(kernel)((*kernel[:4], "aarch64")))
    assert wheels.here()[0] == "armv7l"


@pytest.mark.parametrize(
    ("told", "version"),
    [("glibc 2.36", (2, 36)), ("glibc 2.36.9000", (2, 36)), ("musl 1.2", None), ("", None), (None, None)],
)
def test_glibc(monkeypatch: pytest.MonkeyPatch, told: str | None, version: wheels.Version | None):
    monkeypatch.setattr(os, "confstr", lambda name: told)
    assert wheels.here()[2] == version


def test_a_system_that_does_not_know_the_question(monkeypatch: pytest.MonkeyPatch):
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)
    assert wheels.here()[2] is None


def test_this_machine():
    machine, python, _ = wheels.here()
    assert python == sys.version_info[:2]
    assert RUNTIMES["onnxruntime"].wheel() == RUNTIMES["onnxruntime"].wheel_for(*wheels.here())
    assert wheels.words(machine, (3, 11), (2, 36)) == f"{machine}, Python 3.11 and glibc 2.36"
    assert wheels.words("aarch64", (3, 12), None) == "aarch64, Python 3.12 and no glibc"
