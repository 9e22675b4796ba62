"""The lock's check: on locks written for the purpose, and on the real one."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
script = runpy.run_path(str(ROOT / "scripts" / "lock.py"))
problems, excess = script["problems"], script["excess"]

PYPROJECT = {
    "project": {
        "name": "mobilenet-edge",
        "dependencies": ["numpy>=1.26"],
        "optional-dependencies": {
            "onnx": ["onnxruntime>=1.22"],
            "other": ["not-in-the-lock"],
            "all": ["tensorflow>=2.18; sys_platform == 'darwin'", "mobilenet-edge[onnx]"],
            **{name: [f"of-{name}"] for name in ("camera", "openvino", "ethos", "tflm")},
        },
    },
    "dependency-groups": {"dev": ["pytest"], "bench": ["sympy"]},
}
PINS = {
    "numpy": "2.4.6", "onnxruntime": "1.31.1", "tensorflow": "2.21.0", "pytest": "9.2.0", "sympy": "1.14.0",
    **{f"of-{extra}": "1" for extra in ("camera", "openvino", "ethos", "tflm")},
}  # fmt: skip


def lock(pins: dict[str, str], hashed: str = " \\\n    --hash=sha256:00 \\\n    --hash=sha256:11") -> str:
    entries = [
        f"{name}=={version}{hashed}\n    # via mobilenet-edge (pyproject.toml)\n" for name, version in pins.items()
    ]
    return "# made by make lock\n" + "".join(entries)


def test_full_lock_has_no_problem():
    assert problems(PYPROJECT, lock(PINS)) == []


@pytest.mark.parametrize("name", PINS)
def test_missing_pin_is_named(name):
    # Base, a marker for another platform, an extra reached through another extra, each group: all are asked for.
    rest = {other: version for other, version in PINS.items() if other != name}
    assert problems(PYPROJECT, lock(rest)) == [f"{name} has no pin"]


def test_pin_outside_the_range_is_named():
    assert problems(PYPROJECT, lock({**PINS, "numpy": "1.25.0"})) == [
        "numpy is pinned at 1.25.0, pyproject.toml wants >=1.26"
    ]


def test_every_pin_of_a_package_must_fit():
    forked = lock(PINS) + lock({"numpy": "1.20.0 ; python_version < '3.12'"})
    assert problems(PYPROJECT, forked) == ["numpy is pinned at 2.4.6, 1.20.0, pyproject.toml wants >=1.26"]


def test_pin_without_a_hash_is_named():
    assert problems(PYPROJECT, lock(PINS, hashed="")) == [
        f"{name}=={version} has no hash" for name, version in PINS.items()
    ]


@pytest.mark.parametrize("hashes", [" --hash=md5:00", " --hash=sha256:00 --hash=md5:11"])
def test_another_hash_than_sha256_is_none(hashes):
    found = problems(PYPROJECT, lock(PINS, hashed=hashes))
    assert found == [f"{name}=={version} has no hash" for name, version in PINS.items()]


@pytest.mark.parametrize("pin", ["numpy>=2", "numpy", "numpy~=2.4.6", "numpy==2.4.6,!=2.4.7"])
def test_a_range_is_no_pin(pin):
    rest = {other: version for other, version in PINS.items() if other != "numpy"}
    found = problems(PYPROJECT, f"{lock(rest)}{pin} --hash=sha256:00\n")
    assert any("is no pin; it must have one version" in each for each in found)


SMALL = {
    "build-system": {"requires": ["hatchling"]},
    "project": {"dependencies": ["numpy>=1.26", "Rich", "typer<1"], "optional-dependencies": {"onnx": ["onnx"]}},
    "dependency-groups": {"dev": ["pytest"]},
}


def test_a_project_of_three_packages_by_name_is_enough():
    assert list(excess(SMALL)) == []


@pytest.mark.parametrize(
    ("base", "named"), [(["numpy", "rich"], "rich"), (["numpy", "rich", "typer", "click"], "click")]
)
def test_the_base_is_three_packages(base, named):
    (found,) = excess({**SMALL, "project": {**SMALL["project"], "dependencies": base}})
    assert found.startswith("the base needs ")
    assert named in found


FROM = ("thing @ git+https://example.org/thing", "thing @ https://example.org/thing-1-py3-none-any.whl")


@pytest.mark.parametrize("text", FROM)
@pytest.mark.parametrize("place", ["build-system", "optional-dependencies", "dependency-groups"])
def test_what_is_fetched_from_a_place_is_named(text, place):
    changed = {
        "build-system": {"build-system": {"requires": [text]}},
        "optional-dependencies": {"project": {**SMALL["project"], "optional-dependencies": {"x": [text]}}},
        "dependency-groups": {"dependency-groups": {"dev": [text]}},
    }[place]
    assert list(excess({**SMALL, **changed})) == [f"{text!r} is fetched from a place and not by its name"]


def test_an_index_of_uv_is_a_place_too():
    assert list(excess({**SMALL, "tool": {"uv": {"index": [{}]}}})) == ["tool.uv.index says where packages come from"]


def test_the_real_project_asks_for_little():
    assert list(excess(tomllib.loads((ROOT / "pyproject.toml").read_text()))) == []


@pytest.mark.parametrize("name", ["dev.txt", "legacy.txt"])
def test_every_hash_of_the_real_locks_is_whole(name):
    text = (ROOT / "requirements" / name).read_text()
    hashes = re.findall(r"--hash=(\S+)", text)
    assert len(hashes) >= len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 0
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes)


def test_names_are_compared_as_the_index_does():
    project = {**PYPROJECT, "dependency-groups": {"dev": ["ai_edge.LiteRT"]}}
    assert problems(project, lock({**PINS, "ai-edge-litert": "2.3.0"})) == []


@pytest.mark.parametrize("line", ["--find-links wheels", "--index-url somewhere", "numpy @ https://example.org/n.whl"])
def test_place_of_origin_is_a_problem(line):
    found = problems(PYPROJECT, f"{lock(PINS)}{line}\n")
    assert f"{line!r} says where packages come from" in found


def test_legacy_lock_is_held_to_its_extra_alone():
    extras = {"tflite-legacy": ["tflite-runtime==2.14.0; python_version < '3.12'", "numpy<2"]}
    project = {**PYPROJECT, "project": {**PYPROJECT["project"], "optional-dependencies": extras}}
    pins = {"numpy": "1.26.4", "tflite-runtime": "2.14.0"}  # no pytest, no sympy: those are for development
    assert problems(project, lock(pins), "legacy.txt") == []
    assert problems(project, lock({**pins, "numpy": "2.4.6"}), "legacy.txt") == [
        "numpy is pinned at 2.4.6, pyproject.toml wants <2"
    ]


@pytest.mark.parametrize("name", ["dev.txt", "legacy.txt"])
def test_real_lock_is_up_to_date(name):
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert problems(pyproject, (ROOT / "requirements" / name).read_text(), name) == []
