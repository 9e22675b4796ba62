from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.hosts import devices
from mobilenet_edge.hosts.devices import Device

ROOT = Path(__file__).parents[2]
TEXT = """
[pi4]
host = "pi@raspberrypi.local"

[coral]
host = "pi@10.0.0.7"
python = "~/venv/bin/python"
delegate = "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1"
delegate_options = { device = "usb" }
note = "on the shelf"
"""
PI4 = Device("pi4", "pi@raspberrypi.local")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "devices.toml").write_text(TEXT)
    return tmp_path / "devices.toml"


def test_a_file_is_read(path: Path) -> None:
    assert devices.load(path) == {
        "pi4": PI4,
        "coral": Device(
            "coral",
            "pi@10.0.0.7",
            "~/venv/bin/python",
            "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1",
            {"device": "usb"},
            "on the shelf",
        ),
    }


def test_a_device_is_found(path: Path) -> None:
    assert devices.find("pi4", path) == PI4


def test_an_address_needs_no_file(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    assert devices.find("pi@10.0.0.8", none) == Device("pi@10.0.0.8", "pi@10.0.0.8")
    assert devices.find("local", none) == Device("local", "local")


def test_a_file_may_say_what_local_is(path: Path) -> None:
    path.write_text('[local]\nhost = "local"\npython = "/usr/bin/python3"\n')
    assert devices.find("local", path).python == "/usr/bin/python3"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pi5", r"neither .*devices\.toml nor the ssh configuration has 'pi5': did you mean 'pi4'\?"),
        ("jetson", r"has 'jetson': it has pi4, coral; user@host needs no entry"),
    ],
)
def test_a_device_that_is_not_there(name: str, message: str, path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        devices.find(name, path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has 'pi4': there is no such file; mnet init writes one"):
        devices.find("pi4", tmp_path / "none.toml")


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
def test_an_alias_of_the_ssh_configuration_needs_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("Host board\n  HostName 10.0.0.9\nHost *.lan\n  User pi\nHost *\n  Port 2222\n")
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {tmp_path}/config "$@"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    none = tmp_path / "none.toml"
    assert devices.find("board", none) == Device("board", "board")
    assert devices.find("pi.lan", none) == Device("pi.lan", "pi.lan")
    for name in ("bord", "lan", "-oProxyCommand=true", "two words"):
        with pytest.raises(UsageError, match="nor the ssh configuration"):
            devices.find(name, none)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[pi4]\nhots = "x"\n', r", line 2: unknown key 'pi4\.hots'; did you mean 'host'\?"),
        ("[pi4]\n", r", line 1: the table \[pi4\] lacks host"),
        ('[pi4]\nhost = "x"\ndelegate_options = { a = "b" }\n', ": pi4 has delegate_options but no delegate"),
        ('[pi4]\nhost = "x"\ndelegate = "d"\ndelegate_options = { a = 1 }\n', ", line 4: .* must be a table of texts"),
    ],
)
def test_what_cannot_be_meant(text: str, message: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(InputError, match=rf"devices\.toml{message}"):
        devices.load(path)
