"""Where models run, and which delegate runs them there."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts.devices import LOCAL, Device
from mobilenet_edge.hosts.place import Delegate, Place

HERE = Device(LOCAL, LOCAL)
EDGETPU = "/usr/lib/libedgetpu.so.1"
COMPILED = ("edgetpu-custom-op",)


@pytest.mark.parametrize(
    ("device", "asked", "ops", "expected"),
    [
        (HERE, None, COMPILED, None),
        (HERE, EDGETPU, ("ADD",), EDGETPU),
        (Device("coral", "pi@x", delegate=EDGETPU), None, COMPILED, EDGETPU),
        (Device("coral", "pi@x", delegate=EDGETPU), None, ("ADD",), None),
        (Device("coral", "pi@x", delegate=EDGETPU), "/own.so", ("ADD",), "/own.so"),
    ],
)
def test_the_delegate_of_a_device_is_for_the_files_it_can_run(
    device: Device, asked: str | None, ops: tuple[str, ...], expected: str | None
):
    place = Place(device, delegate=Delegate(asked) if asked else None)
    found = place.delegate_for("tflite", ops)
    assert (found and found.path) == expected


@pytest.mark.parametrize("delegate", [None, Delegate("/x.so", (("device", "usb"), ("verbose", "1")))])
def test_a_place_is_the_same_in_another_process(delegate: Delegate | None):
    place = Place(Device("coral", "pi@x", "~/python", EDGETPU, {"device": "usb"}), "litert", delegate)
    assert Place.load(json.loads(json.dumps(asdict(place)))) == place


def test_a_provider_is_a_delegate_by_name():
    provider = Delegate.parse(None, ["device_type=CPU"], "OpenVINOExecutionProvider")
    assert provider is not None
    assert provider.request() == {"provider": "OpenVINOExecutionProvider", "options": {"device_type": "CPU"}}
    library = Delegate.parse("/x.so", [])
    assert library is not None
    assert library.request() == {"path": "/x.so", "options": {}}
    assert Delegate.parse(None, []) is None


def test_a_delegate_and_a_provider_exclude_each_other():
    with pytest.raises(UsageError, match=r"--delegate is for \.tflite files and --provider for \.onnx files"):
        Delegate.parse("/x.so", [], "XnnpackExecutionProvider")


def test_options_need_something_that_takes_them():
    with pytest.raises(UsageError, match="give the path of its library with --delegate, or --provider"):
        Delegate.parse(None, ["device=usb"])


def test_an_empty_name_is_not_none():
    # As of an unset variable in a script: running without it would be another measurement.
    assert Delegate.parse("", []) == Delegate("")
    assert Delegate.parse(None, [], "") == Delegate("", provider=True)
