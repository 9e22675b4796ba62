"""Each way a connection fails has a sentence of its own; the texts are those of OpenSSH 9.2."""

from __future__ import annotations

import pytest

from mobilenet_edge.hosts.refusal import explain
from mobilenet_edge.hosts.session import Broken

CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key for pi has changed and you have requested strict checking.
Host key verification failed.
"""
ASKED = "it asks for a password, which mnet cannot give; install a key with: ssh-copy-id pi@host"


def told(broken: Broken, python: str | None = None) -> str:
    message = str(explain(broken, "pi4", "pi@host", python))
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    ("stderr", "start"),
    [
        (CHANGED, "its host key has changed; if it was reinstalled"),
        ("No ED25519 host key is known for pi\nHost key verification failed.", "its host key is not known yet"),
        ("ssh: Could not resolve hostname x: Name or service not known", "no machine has this name"),
        ("ssh: connect to host x port 22: Connection refused", "it is on, but no SSH server answers"),
        ("ssh: connect to host x port 22: Connection timed out", "it does not answer; check that it is on"),
        ("Connection timed out during banner exchange", "it does not answer"),
        ("ssh: connect to host x port 22: No route to host", "it cannot be reached; check that it is on"),
        ("ssh: connect to host x port 22: Network is unreachable", "it cannot be reached; check this machine's"),
        ("pi@x: Permission denied (publickey,password).", ASKED),
        ("pi@x: Permission denied (password).", ASKED),
        ("pi@x: Permission denied (publickey,keyboard-interactive).", ASKED),
        ("pi@x: Permission denied (publickey).", "it accepts none of this machine's keys"),
        ("Received disconnect from x: 2: Too many authentication failures", "ssh offered it too many keys"),
        ("kex_exchange_identification: Connection closed by remote host", "its SSH server closed the connection"),
        (
            "WARNING: UNPROTECTED PRIVATE KEY FILE!\nPermission denied (publickey,password).",
            "ssh refuses a key that other users can read",
        ),
    ],
)
def test_ssh_itself_fails(stderr: str, start: str):
    assert told(Broken(255, stderr.encode())).startswith(f"pi4 (pi@host): {start}")


def test_what_ssh_says_else_is_quoted():
    assert told(Broken(255, b"Bad configuration option: x\x1b[1m\n")) == (
        "ssh to pi4 failed: Bad configuration option: x [1m; try by hand: ssh pi@host"
    )


def test_the_device_is_named_once_where_it_is_its_own_address():
    message = str(explain(Broken(255, b"Connection refused"), "pi@host", "pi@host", None))
    assert message.startswith("pi@host: it is on")


@pytest.mark.parametrize(
    ("code", "python", "message"),
    [
        (127, None, "pi4 has no python3; install it, or set python in the devices file"),
        (127, "~/x", "pi4 has no Python at ~/x; check python in the devices file"),
        (126, "/x", "pi4 cannot run /x: sh: no; check its permissions"),
        (3, None, "pi4 did not start the worker (exit code 3): sh: no; see what it does with: ssh pi@host python3"),
    ],
)
def test_nothing_starts_there(code: int, python: str | None, message: str):
    assert told(Broken(code, b"sh: no"), python).startswith(message)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"refused": "old", "reason": "3.7", "executable": "/p"}, "pi4 has Python 3.7 at /p, but at least 3.9"),
        ({"refused": "space", "reason": "/tmp: full"}, "pi4 has no space left for the worker (/tmp: full); free some"),
        ({"refused": "folder", "reason": "denied"}, "pi4 has no writable temporary folder (denied); check"),
        ({"refused": "garbled"}, "the worker was damaged on the way to pi4"),
    ],
)
def test_it_refuses(refused: dict[str, str], message: str):
    assert told(Broken(0, b"", refusal=refused)).startswith(message)


def test_it_is_lost_in_the_middle():
    assert told(Broken(255, b"client_loop: send disconnect: Broken pipe", "x.tflite")) == (
        "the connection to pi4 was lost during x.tflite; check its power and network, and run it again"
    )
    assert told(Broken(1, b"MemoryError", "x.tflite")) == (
        "the connection to pi4 ended during x.tflite (exit code 1): MemoryError; run it again"
    )
