"""Why an SSH connection was not made or did not last: a sentence for each way it fails, with the next step."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.answer import clean, last_line
from mobilenet_edge.hosts.session import Broken

SSH_FAILED: Final = 255
NOT_FOUND: Final = 127
NOT_RUNNABLE: Final = 126
ASKS: Final = "it asks for a password, which cannot be given here; install a key with: ssh-copy-id {to}"
# What OpenSSH's client writes, in the order in which one line may hide another; {to} is the destination.
SAID: Final = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key has changed; if it was installed anew, forget the old one as this explains: ssh {to}; "
        "if it was not, somebody may be in between",
    ),
    ("Host key verification failed", "its host key is not known yet; connect once by hand and accept it: ssh {to}"),
    ("Could not resolve hostname", "no machine of this name is found; check the spelling of host, or give the address"),
    ("Connection refused", "it is up, and no SSH server answers; on the device: sudo systemctl enable --now ssh"),
    ("timed out", "it does not answer; check that it is on and in the same network"),
    ("No route to host", "it cannot be reached; check that it is on and in the same network"),
    ("Network is unreachable", "it cannot be reached; check this machine's network"),
    ("UNPROTECTED PRIVATE KEY FILE", "ssh refuses a key that others may read; make it private with: chmod 600"),
    ("Too many authentication failures", "it was offered too many keys; name the right one in ~/.ssh/config"),
    ("keyboard-interactive", ASKS),
    (",password", ASKS),
    ("(password", ASKS),
    ("Permission denied", "it accepts none of this machine's keys; install one with: ssh-copy-id {to}"),
    ("kex_exchange_identification", "its SSH server hangs up at once; it is busy or blocks this machine: try later"),
)


def explain(broken: Broken, name: str, destination: str, python: str | None) -> HostError:
    """Say why a conversation over ssh broke.

    Args:
        broken: How it ended.
        name: Of the device, for messages.
        destination: As ssh was given it.
        python: As it was configured.
    """
    if broken.refused is not None:
        return HostError(_refused(broken, name))
    if broken.about is not None:
        return HostError(_lost(broken, name))
    if broken.code == NOT_FOUND:
        wanted = f"no Python at {python}; check python in" if python else "no python3; install it, or name one in"
        return HostError(f"{name} has {wanted} the devices file")
    if broken.code == NOT_RUNNABLE:
        return HostError(f"{name} cannot run {python or 'python3'}: {last_line(broken.stderr)}; check its permissions")
    if broken.code != SSH_FAILED:
        return HostError(
            f"{name} did not start the worker (exit code {broken.code}): {last_line(broken.stderr)}; "
            f"see what it does with: ssh {destination} python3 --version"
        )
    text = broken.stderr.decode(errors="replace")
    told = next((sentence for sign, sentence in SAID if sign in text), None)
    if told is None:
        return HostError(f"ssh to {name} failed: {last_line(broken.stderr)}; try by hand: ssh {destination}")
    where = name if name == destination else f"{name} ({destination})"
    return HostError(f"{where}: {told.format(to=destination)}")


def _refused(broken: Broken, name: str) -> str:
    said = broken.refused or {}
    kind, reason, python = (clean(said.get(key, "")) for key in ("refused", "reason", "executable"))
    if kind == "old":
        return (
            f"{name} has Python {reason} as {python}, and 3.9 is the oldest that will do; "
            "name a newer one as python in the devices file"
        )
    if kind == "space":
        return f"{name} has no space left for the worker ({reason}); free some"
    if kind == "folder":
        return f"{name} has no temporary folder that can be written ({reason}); check its permissions"
    return f"{name} did not get the worker as it was sent; run it again"


def _lost(broken: Broken, name: str) -> str:
    if broken.code == SSH_FAILED:
        return f"the connection to {name} was lost during {broken.about}; check its power and network, and run it again"
    return (
        f"the connection to {name} ended during {broken.about} (exit code {broken.code}): "
        f"{last_line(broken.stderr)}; run it again"
    )
