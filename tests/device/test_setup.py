"""The environment of `mnet setup-host`, made here in a home of its own; nothing is downloaded."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mobilenet_edge.device import setup
from mobilenet_edge.device.faults import DeviceError, RequestError
from mobilenet_edge.device.worker import Request


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a pip that knows no index."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return tmp_path / "home"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The smallest package that pip takes."""
    path = tmp_path / "tiny-1.5-py3-none-any.whl"
    info = "tiny-1.5.dist-info"
    with zipfile.ZipFile(path, "w") as held:
        held.writestr("tiny.py", "answer = 42\n")
        held.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.5\n")
        held.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        held.writestr(f"{info}/RECORD", "")
    return path


def ask(*packages: str) -> Request:
    return Request(mode="setup", packages=list(packages))


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else, to be copied: making one takes seconds."""
    folder = tmp_path_factory.mktemp("ready") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def quick(ready: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make copies of the one that is ready; return where."""

    def make(folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ready, folder, symlinks=True)

    monkeypatch.setattr(setup, "_create", make)
    return home / setup.FOLDER


@pytest.mark.slow
def test_an_environment_is_made(home: Path, wheel: Path):
    told = setup.run(ask(str(wheel)))
    folder = home / ".local/share/mobilenet-edge/venv"
    assert told["folder"] == str(folder)
    assert told["executable"] == str(folder / "bin/python")
    assert told["installed"]["tiny"] == "1.5"
    done = subprocess.run([told["executable"], "-c", "import tiny; print(tiny.answer)"], capture_output=True, text=True)
    assert done.stdout == "42\n"


@pytest.mark.slow
def test_one_that_is_there_is_added_to(quick: Path, wheel: Path):
    setup._create(quick)
    (quick / "mark").touch()
    assert setup.run(ask(str(wheel)))["installed"]["tiny"] == "1.5"
    assert (quick / "mark").exists()


@pytest.mark.slow
def test_a_refusal_of_pip_leaves_what_was_there(quick: Path):
    setup._create(quick)
    with pytest.raises(
        DeviceError, match=r"^pip failed: No matching distribution found for no-such-thing==7; check the"
    ):
        setup.run(ask("no-such-thing==7"))
    assert (quick / "bin/python").exists()


@pytest.mark.slow
def test_a_first_attempt_that_fails_leaves_nothing(quick: Path):
    with pytest.raises(DeviceError, match=r"^pip failed: No matching distribution found for no-such-thing"):
        setup.run(ask("no-such-thing"))
    assert not quick.exists()


@pytest.mark.slow
def test_one_whose_python_is_gone_is_made_anew(quick: Path, wheel: Path):
    setup._create(quick)
    (quick / "mark").touch()
    (quick / "bin/python").unlink()
    (quick / "bin/python").symlink_to("/no/python")
    assert setup.run(ask(str(wheel)))["installed"]["tiny"] == "1.5"
    assert not (quick / "mark").exists()


def test_options_are_no_packages(home: Path):
    with pytest.raises(RequestError, match=r"^'--index-url=x' is an option of pip"):
        setup.run(ask("numpy", "--index-url=x"))
    assert not list(home.iterdir())


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_debian_has_them_in_a_package_of_their_own(missing: str, home: Path, monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(
        DeviceError, match=rf"has no {missing}; on Debian or Raspberry Pi OS: sudo apt install python3-"
    ):
        setup.run(ask("numpy"))


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        # The last of each format that loads there.
        (("aarch64", (3, 11), (2, 36)), ["ai-edge-litert>=2.1", "onnxruntime"]),
        (("armv7l", (3, 11), (2, 36)), ["tflite-runtime==2.14.0", "numpy<2"]),
    ],
)
def test_what_fits_a_machine(here: tuple[object, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(setup.wheels, "here", lambda: here)
    assert setup.default_packages() == expected


def test_a_machine_without_any(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(setup.wheels, "here", lambda: ("armv7l", (3, 13), (2, 41)))
    with pytest.raises(
        RequestError, match=r"^no runtime has a wheel for armv7l, Python 3\.13 and glibc 2\.41; use a 64-bit system"
    ):
        setup.default_packages()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ERROR: No matching\n[notice] a newer pip\n", "No matching"),
        ("  warning\nOSError: [Errno 28] No space left on device.\n", "OSError: [Errno 28] No space left on device"),
        ("", "it printed nothing"),
    ],
)
def test_the_reason_is_one_line(text: str, reason: str):
    command = [sys.executable, "-c", f"import sys; sys.stderr.write({text!r}); sys.exit(1)"]
    with pytest.raises(DeviceError) as caught:
        setup._call("pip", command)
    assert str(caught.value) == f"pip failed: {reason}; check the network and the disk space there"
