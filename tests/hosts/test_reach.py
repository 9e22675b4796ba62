from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts.devices import Device
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.hosts.reach import reach
from mobilenet_edge.hosts.ssh import Ssh


def test_this_machine():
    assert reach(Device("local", "local")) == Local("local", sys.executable)


def test_another_python_of_this_machine():
    assert reach(Device("old", "local", "~/venv/bin/python")) == Local("old", str(Path.home() / "venv/bin/python"))


def test_another_machine():
    # Its home is not ours: the tilde goes as it is.
    assert reach(Device("pi4", "pi@host", "~/v/python")) == Ssh("pi4", "pi@host", "~/v/python")


def test_an_address_that_is_none():
    with pytest.raises(UsageError, match=r"^host cannot be '-oProxyCommand=x'"):
        reach(Device("pi4", "-oProxyCommand=x"))
