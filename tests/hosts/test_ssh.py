"""What ssh is called with, and what is refused before it is."""

from __future__ import annotations

import pytest

from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts import Host, bootstrap
from mobilenet_edge.hosts.ssh import Ssh


def test_ssh_is_a_host():
    host: Host = Ssh("pi", "pi@raspberrypi.local")
    assert host.name == "pi"


def test_the_command():
    words = Ssh("pi", "pi@host", "~/v/python", command=("ssh", "-F", "file")).arguments()
    assert words[:4] == ["ssh", "-F", "file", "-T"]
    assert words[-3:] == ["--", "pi@host", bootstrap.command("~/v/python")]
    options = words[4:-3]
    assert set(options[::2]) == {"-o"}
    assert {"BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "LogLevel=ERROR"} < set(options[1::2])
    # Whether a host key is to be believed is the user's own business.
    assert not [each for each in options if "StrictHostKeyChecking" in each or "KnownHosts" in each]


@pytest.mark.parametrize("destination", ["pi", "pi@10.0.0.7", "ssh://pi@host:2222", "pi@[fe80::1%eth0]"])
def test_destinations(destination: str):
    assert Ssh("pi", destination).arguments()[-2] == destination


@pytest.mark.parametrize(
    "destination",
    ["", "-oProxyCommand=touch x", "-v", "pi host", "pi\thost", "pi@host\n", "pi\x00", "pi\x1b[m"],
)
def test_what_could_be_something_else_is_refused(destination: str):
    with pytest.raises(UsageError, match=r"^host cannot be .*; give it as ssh takes it, such as pi@raspberrypi.local$"):
        Ssh("pi", destination)


def test_nothing_connects_before_a_request():
    with Ssh("pi", "pi@nowhere.invalid", command=("/no/such/ssh",)) as host:
        assert host._session is None
