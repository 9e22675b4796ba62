"""Reach a machine with the user's `ssh`, over one connection that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mobilenet_edge.errors import HostError, UsageError
from mobilenet_edge.hosts import NO_FILES, Unreachable, bootstrap
from mobilenet_edge.hosts.pipe import Pipe
from mobilenet_edge.hosts.refusal import explain
from mobilenet_edge.hosts.session import Broken, Connection

OPTIONS: Final = (
    "BatchMode=yes",  # fail instead of asking for a password
    "ConnectTimeout=10",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "LogLevel=ERROR",
    "RemoteCommand=none",  # the user's configuration may have one for interactive use
    "ClearAllForwardings=yes",
)
# Characters that newer versions of ssh refuse in the name of a host or a user.
SHELL_CHARACTERS: Final = frozenset(" '`\"$\\;&<>|(){}*?!#")


@dataclass
class Ssh:
    """A machine with an SSH server and Python.

    Attributes:
        name: Name in records and messages.
        destination: Destination for `ssh`: an alias of the user's configuration, "user@host", "ssh://user@host:port".
        python: Path of Python on the machine, which may start with `~/`; None for that of `mnet setup-host`, or else
            `python3`.
        command: Command that starts ssh.

    Raises:
        UsageError: The destination is not safe; see `require_safe`.
    """

    name: str
    destination: str
    python: str | None = None
    command: tuple[str, ...] = ("ssh",)
    _session: Connection | None = field(default=None, init=False, repr=False, compare=False)
    _entered: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_safe(self.destination)

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        """Run one request, as `Host.run`; a broken connection is opened again."""
        with self:
            if self._session is None or self._session.ended:
                self._close()
                self._session = self._open()
            return self._session.run(request, files, limit_seconds)

    @contextmanager
    def stream(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> Iterator[Pipe]:
        """Start a worker that answers a stream, as `Host.stream`."""
        connection = self._open()
        try:
            yield connection.stream(request, files, limit_seconds)
        finally:
            connection.close()

    def __enter__(self) -> Self:
        """Keep the connection that the first request opens."""
        self._entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection, upon which the machine ends its worker and removes the uploaded files."""
        self._entered -= 1
        if not self._entered:
            self._close()

    def arguments(self) -> list[str]:
        """Return the complete command with its arguments."""
        options = [word for option in OPTIONS for word in ("-o", option)]
        # After "--" the destination cannot be an option.
        return [*self.command, "-T", *options, "--", self.destination, bootstrap.command(self.python)]

    def _open(self) -> Connection:
        def explain_broken(broken: Broken) -> HostError:
            return explain(broken, self.name, self.destination, self.python)

        try:
            return Connection(self.arguments(), self.name, explain_broken)
        except FileNotFoundError as error:
            raise Unreachable(
                f"{self.command[0]} is not installed here; on Debian or Ubuntu: sudo apt install openssh-client"
            ) from error
        except HostError as error:
            raise Unreachable(str(error)) from error

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def require_safe(destination: str) -> None:
    """Refuse a destination that ssh would read as an option, or a shell as more than one word.

    Older versions of ssh pass the name to a shell if the user's configuration has a ProxyCommand (CVE-2023-51385), and
    messages suggest commands that contain it.

    Raises:
        UsageError: The destination is empty, starts with "-" (or its host does), or contains white space, control
            characters or special characters of a shell.
    """
    unsafe = not destination.isprintable() or SHELL_CHARACTERS.intersection(destination)
    host = destination.removeprefix("ssh://").rpartition("@")[2]
    if not host or destination.startswith("-") or host.startswith("-") or unsafe:
        raise UsageError(f"host cannot be {destination!r}; give it as ssh takes it, such as pi@raspberrypi.local")
