from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.hosts.place import Delegate
from mobilenet_edge.hosts.ssh import Ssh
from mobilenet_edge.profiling import targets

FILE = """
[pi4]
host = "pi@raspberrypi.local"
delegate = "/usr/lib/libedgetpu.so.1"
delegate_options = {device = "usb"}

[bench]
host = "local"
"""


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    path = tmp_path / "devices.toml"
    path.write_text(FILE)
    return path


def test_names_become_machines_each_once(devices: Path):
    found = targets.find(["pi4", "local", "me@there", "pi4", "bench"], devices)
    assert [target.host.name for target in found] == ["pi4", "local", "me@there", "bench"]
    assert [type(target.host) for target in found] == [Ssh, Local, Ssh, Local]


def test_a_device_brings_its_delegate(devices: Path):
    coral, here = targets.find(["pi4", "local"], devices)
    assert coral.delegate == Delegate("/usr/lib/libedgetpu.so.1", (("device", "usb"),), from_device=True)
    assert here.delegate is None


def test_without_a_file_this_machine_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (target,) = targets.find(["local"])
    assert isinstance(target.host, Local)


def test_a_file_that_was_named_must_be_there(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        targets.find(["local"], tmp_path / "devices.toml")


def test_an_unknown_name_is_refused(devices: Path):
    with pytest.raises(UsageError, match="did you mean 'pi4'"):
        targets.find(["pi"], devices)
