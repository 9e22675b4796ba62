"""A machine that is reached by the user's own `ssh`: one connection carries everything, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mobilenet_edge.errors import HostError, UsageError
from mobilenet_edge.hosts import NO_FILES, Unreachable, bootstrap
from mobilenet_edge.hosts.refusal import explain
from mobilenet_edge.hosts.session import Broken, Connection

OPTIONS: Final = (
    "BatchMode=yes",  # never ask: nobody may be there to answer
    "ConnectTimeout=10",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "LogLevel=ERROR",
    "RemoteCommand=none",  # the user's configuration may have one for interactive use
    "ClearAllForwardings=yes",
)
# As newer versions of ssh refuse it in the name of a host or a user.
SHELL: Final = frozenset(" '`\"$\\;&<>|(){}*?!#")


@dataclass
class Ssh:
    """A machine with an SSH server and Python.

    Attributes:
        name: In records and messages.
        destination: As `ssh` takes it: an alias of the user's configuration, "user@host", "ssh://user@host:port".
        python: Path of the Python there, `~/` standing for the home; None for that of `mnet setup-host`, or else
            `python3`.
        command: Starts ssh.

    Raises:
        UsageError: The destination could be taken for something else.
    """

    name: str
    destination: str
    python: str | None = None
    command: tuple[str, ...] = ("ssh",)
    _session: Connection | None = field(default=None, init=False, repr=False, compare=False)
    _entered: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self.destination)

    def run(
        self, request: Mapping[str, Any], files: Mapping[str, Path] = NO_FILES, *, limit_seconds: float
    ) -> dict[str, Any]:
        """Answer one request, as `Host.run`. A connection that broke is made anew by the next call."""
        with self:
            if self._session is None or self._session.ended:
                self._close()
                self._session = self._open()
            return self._session.run(request, files, limit_seconds)

    def __enter__(self) -> Self:
        """Keep the connection that the first request makes."""
        self._entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        """End it: the other machine removes what was sent, and ends what still runs."""
        self._entered -= 1
        if not self._entered:
            self._close()

    def arguments(self) -> list[str]:
        """Return the whole command."""
        options = [word for option in OPTIONS for word in ("-o", option)]
        # After "--" nothing of the destination can become an option.
        return [*self.command, "-T", *options, "--", self.destination, bootstrap.command(self.python)]

    def _open(self) -> Connection:
        def told(broken: Broken) -> HostError:
            return explain(broken, self.name, self.destination, self.python)

        try:
            return Connection(self.arguments(), self.name, told)
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


def check(destination: str) -> None:
    """Refuse a destination that ssh could take for an option, or a shell for more than a word.

    Older versions of ssh put the name into a shell's line where the user's configuration has a ProxyCommand
    (CVE-2023-51385), and messages put it into lines to be copied.

    Raises:
        UsageError: It or its host begins with "-", it is empty, or holds white space, control characters, or what means
            something to a shell.
    """
    unfit = not destination.isprintable() or SHELL.intersection(destination)
    host = destination.removeprefix("ssh://").rpartition("@")[2]
    if not host or destination.startswith("-") or host.startswith("-") or unfit:
        raise UsageError(f"host cannot be {destination!r}; give it as ssh takes it, such as pi@raspberrypi.local")
