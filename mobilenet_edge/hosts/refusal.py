"""Explain why an SSH connection failed or broke, with the next step for each cause."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.answer import clean, last_line
from mobilenet_edge.hosts.session import SSH_FAILED, Broken

NOT_FOUND: Final = 127
NOT_RUNNABLE: Final = 126
NO_KEY: Final = "it asks for a password, which mnet cannot give; install a key with: ssh-copy-id {to}"
# Part of a message of OpenSSH's client, and its explanation; the first that matches counts. {to} is the destination.
SSH_ERRORS: Final = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key has changed; if it was reinstalled, remove the old key as this explains: ssh {to}; "
        "otherwise another machine may be intercepting the connection",
    ),
    ("Host key verification failed", "its host key is not known yet; connect once by hand and accept it: ssh {to}"),
    ("Could not resolve hostname", "no machine has this name; check the spelling of host, or give the IP address"),
    ("Connection refused", "it is on, but no SSH server answers; on the device: sudo systemctl enable --now ssh"),
    ("timed out", "it does not answer; check that it is on and in the same network"),
    ("No route to host", "it cannot be reached; check that it is on and in the same network"),
    ("Network is unreachable", "it cannot be reached; check this machine's network"),
    ("UNPROTECTED PRIVATE KEY FILE", "ssh refuses a key that other users can read; protect it with: chmod 600 KEY"),
    ("Too many authentication failures", "ssh offered it too many keys; set IdentityFile for it in ~/.ssh/config"),
    ("keyboard-interactive", NO_KEY),
    (",password", NO_KEY),
    ("(password", NO_KEY),
    ("Permission denied", "it accepts none of this machine's keys; install one with: ssh-copy-id {to}"),
    (
        "kex_exchange_identification",
        "its SSH server closed the connection; it is busy or blocks this machine: try later",
    ),
)


def explain(broken: Broken, name: str, destination: str, python: str | None) -> HostError:
    """Explain why a connection over ssh broke.

    Args:
        broken: The end of the connection.
        name: Name of the device, for messages.
        destination: The destination given to ssh.
        python: The configured path of Python, None for the default.
    """
    if broken.refusal is not None:
        return HostError(_explain_refusal(broken, name))
    if broken.subject is not None:
        return HostError(_explain_loss(broken, name))
    if broken.code == NOT_FOUND:
        problem = f"no Python at {python}; check python in" if python else "no python3; install it, or set python in"
        return HostError(f"{name} has {problem} the devices file")
    if broken.code == NOT_RUNNABLE:
        return HostError(f"{name} cannot run {python or 'python3'}: {last_line(broken.stderr)}; check its permissions")
    if broken.code != SSH_FAILED:
        return HostError(
            f"{name} did not start the worker (exit code {broken.code}): {last_line(broken.stderr)}; "
            f"see what it does with: ssh {destination} python3 --version"
        )
    text = broken.stderr.decode(errors="replace")
    advice = next((explanation for part, explanation in SSH_ERRORS if part in text), None)
    if advice is None:
        return HostError(f"ssh to {name} failed: {last_line(broken.stderr)}; try by hand: ssh {destination}")
    where = name if name == destination else f"{name} ({destination})"
    return HostError(f"{where}: {advice.format(to=destination)}")


def _explain_refusal(broken: Broken, name: str) -> str:
    refusal = broken.refusal or {}
    kind, reason, python = (clean(refusal.get(key, "")) for key in ("refused", "reason", "executable"))
    if kind == "old":
        return (
            f"{name} has Python {reason} at {python}, but at least 3.9 is needed; "
            "set python to a newer one in the devices file"
        )
    if kind == "space":
        return f"{name} has no space left for the worker ({reason}); free some"
    if kind == "folder":
        return f"{name} has no writable temporary folder ({reason}); check its permissions"
    return f"the worker was damaged on the way to {name}; run it again"


def _explain_loss(broken: Broken, name: str) -> str:
    if broken.code == SSH_FAILED:
        return (
            f"the connection to {name} was lost during {broken.subject}; check its power and network, and run it again"
        )
    return (
        f"the connection to {name} ended during {broken.subject} (exit code {broken.code}): "
        f"{last_line(broken.stderr)}; run it again"
    )
