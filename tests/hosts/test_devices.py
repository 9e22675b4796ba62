from __future__ import annotations

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


def test_the_file_that_comes_with_the_project() -> None:
    found = devices.load(ROOT / devices.PATH)
    assert {"pi4", "pi4-coral"} <= found.keys()
    assert all(each.note for each in found.values())


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
        ("pi5", r"devices\.toml has no device 'pi5'; did you mean 'pi4'\?"),
        ("jetson", r"devices\.toml has no device 'jetson'; it has pi4, coral; user@host needs no entry"),
    ],
)
def test_a_device_that_is_not_there(name: str, message: str, path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        devices.find(name, path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.toml: no such file"):
        devices.find("pi4", tmp_path / "none.toml")


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
