"""A real SSH server on loopback, which plays a device."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobilenet_edge.hosts.ssh import Ssh

ALIAS = "device"
START_SECONDS = 300


@dataclass(frozen=True)
class Server:
    """A server, and how its one user's client finds it.

    Attributes:
        folder: Keys, configurations, the log.
        port: On 127.0.0.1.
        pid: Of the listening process; each connection is a child of it.
        config: For `ssh -F`; `ALIAS` is the server.
    """

    folder: Path
    port: int
    pid: int
    config: Path

    def ssh(self, python: str | None = None, name: str = "pi", **options: str) -> Ssh:
        """Return a host that reaches it, with more of ssh's options where they are given."""
        extra = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return Ssh(name, ALIAS, python, command=("ssh", "-F", str(self.config), *extra))

    def command_on(self, path: Path) -> None:
        """Write an `ssh` into a folder that goes first on PATH, for programs that are not to know of this server."""
        real = shutil.which("ssh")
        script = path / "ssh"
        script.write_text(f'#!/bin/sh\nexec {shlex.join([str(real), "-F", str(self.config)])} "$@"\n')
        script.chmod(0o755)

    def connections(self) -> list[int]:
        """Process ids of the open connections."""
        return children(self.pid)

    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / "log").read_text()


def wait_for(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait until a condition holds, such as that the other side has noticed a connection's end."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Process ids of a process's children."""
    with suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextmanager
def serve(
    folder: Path,
    *,
    command: str | None = None,
    environment: Mapping[str, object] | None = None,
    password: bool = False,
) -> Iterator[Server]:
    """Run a server while the block runs; skip the test where there is none.

    Args:
        folder: Empty, of its own.
        command: Runs instead of what the client asks for, which it finds in $SSH_ORIGINAL_COMMAND.
        environment: Of the sessions, beside the usual.
        password: Offer to take one; there is none that it would accept.
    """
    daemon = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not daemon or not shutil.which("ssh"):
        pytest.skip("needs an SSH server and client; on Debian: apt install openssh-server openssh-client")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself up before it knows the user
    for name in ("host", "user"):
        keygen(folder / name)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    port = _free_port()
    _write_known(folder, port)
    (folder / "sshd_config").write_text(_server_config(folder, port, command, environment or {}, password))
    (folder / "config").write_text(_client_config(folder, port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([daemon, "-D", "-e", "-f", folder / "sshd_config"], stdout=log, stderr=log)
    try:
        _await(process, port, folder / "log")
        yield Server(folder, port, process.pid, folder / "config")
    finally:
        for pid in (*children(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, 15)
        process.wait(START_SECONDS)


def keygen(path: Path) -> None:
    """Make a key without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)


def _server_config(
    folder: Path, port: int, command: str | None, environment: Mapping[str, object], password: bool
) -> str:
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'authorized'}",
        f"PidFile {folder / 'pid'}",
        "StrictModes no",  # temporary folders belong to others too
        "UsePAM no",
        "PermitRootLogin yes",
        f"PasswordAuthentication {'yes' if password else 'no'}",
        "KbdInteractiveAuthentication no",
        "PrintMotd no",
    ]
    if command:
        lines.append(f"ForceCommand {command}")
    if environment:
        # Of several SetEnv lines only the first counts.
        lines.append("SetEnv " + " ".join(f'"{name}={value}"' for name, value in environment.items()))
    return "\n".join(lines) + "\n"


def _client_config(folder: Path, port: int) -> str:
    return f"""Host {ALIAS}
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
Host *
  IdentityFile {folder / "user"}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder / "known"}
  GlobalKnownHostsFile /dev/null
"""


def _write_known(folder: Path, port: int) -> None:
    kind, key, *_ = (folder / "host.pub").read_text().split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip(f"sshd does not start here: {log.read_text().strip()[-200:]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail("sshd did not begin to listen")
