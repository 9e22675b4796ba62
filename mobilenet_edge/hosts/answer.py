"""What a worker's end means: its document, or the one exception that says what went wrong."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.errors import HostError, InputError, MissingExtraError, MnetError, UsageError
from mobilenet_edge.records import strict

ADVICE: Final = {
    signal.SIGKILL: "the machine may have run out of memory",
    signal.SIGILL: "the runtime was built for a newer CPU; install another version of it",
    signal.SIGABRT: "the file may be corrupt, or made for another version of the runtime",
}
CORRUPT: Final = "the file may be corrupt"
# A library from outside comes before the file, which opened without it.
UNFIT: Final = "the two may not fit each other; take a build of the delegate for this version of the runtime"
WITH_DELEGATE: Final = " with the delegate "
KINDS: Final[Mapping[str, type[MnetError]]] = {
    "invalid-model": InputError,
    "request": UsageError,
    "broken-runtime": HostError,
}
LONGEST: Final = 400


@dataclass(frozen=True)
class Ended:
    """A worker that has ended.

    Attributes:
        code: Its exit code, negative for the signal that ended it.
        stdout: What it wrote there, whole.
        stderr: Likewise, or its end.
    """

    code: int
    stdout: bytes
    stderr: bytes


def subject(request: Mapping[str, Any], files: Mapping[str, Path]) -> str:
    """Name what a request is about, for messages: its model file and delegate, or else its mode."""
    if "artifact" not in files:
        return f"the request {str(request.get('mode'))!r}"
    delegate = request.get("delegate")
    return files["artifact"].name + (f"{WITH_DELEGATE}{Path(delegate['path']).name}" if delegate else "")


def parse(ended: Ended, about: str, away: str | None = None) -> dict[str, Any]:
    """Read a worker's document.

    Args:
        ended: The worker.
        about: What it worked on, for messages.
        away: Name of the device it ran on, None for this machine.

    Raises:
        HostError: The worker crashed, failed, or wrote something else.
        MnetError: The document tells of an expected failure; see `fault`.
    """
    where = f" on {away}" if away else ""
    if ended.code < 0:
        raise HostError(_crash(-ended.code, about, where))
    if ended.code:
        raise HostError(f"the worker failed on {about}{where} (exit code {ended.code}): {last_line(ended.stderr)}")
    try:
        document = strict.loads(ended.stdout)
        error = document.get("error")
        if error is not None:
            error = dict(error)
    except (ValueError, TypeError, AttributeError, RecursionError) as broken:
        raise HostError(
            f"the worker's answer on {about}{where} cannot be read ({last_line(ended.stdout)}); "
            "check that nothing else writes to its stdout"
        ) from broken
    if error is not None:
        raise fault(error, away)
    return dict(printable(document) if away else document)


def fault(error: Mapping[str, Any], away: str | None = None) -> MnetError:
    """Turn `DeviceError.to_dict()` into the exception that has the right exit code."""
    message, kind = clean(error.get("message")), error.get("kind", "")
    if kind == "missing-runtime":
        extra, requirement = error.get("extra"), error.get("requirement")
        if away and requirement:
            there = f"or there with: python3 -m pip install {clean(requirement)}"
            return HostError(f"{message} on {away}; install it with: mnet setup-host {away}, {there}")
        if extra:
            return MissingExtraError(message, extra)
        # An extra brings the newest; an old system may need another version.
        cure = f"install it with: pip install {clean(requirement)}" if requirement else "use the other format"
        return HostError(f"{message}; {cure}")
    return KINDS.get(kind, HostError)(f"{away}: {message}" if away else message)


def late(about: str, limit_seconds: float, away: str | None = None) -> HostError:
    """Build the exception of a worker that took too long."""
    where = f" on {away}" if away else ""
    return HostError(
        f"the worker did not answer on {about}{where} within {limit_seconds:.0f} s; "
        "try fewer --runs, or a smaller model"
    )


def clean(text: object) -> str:
    """Make one printable line of what another machine said: its text is not to be trusted with a terminal."""
    return " ".join(printable(str(text)).split())[:LONGEST]


def printable(value: Any) -> Any:
    """Take control characters out of every text of a document from another machine: it ends up in tables."""
    if isinstance(value, str):
        return "".join(each if each.isprintable() else " " for each in value)
    if isinstance(value, list):
        return [printable(each) if isinstance(each, str | list | dict) else each for each in value]
    if isinstance(value, dict):
        return {printable(key): printable(each) for key, each in value.items()}
    return value


def last_line(output: bytes, limit: int = 200) -> str:
    """Return the last line that says something."""
    lines = output.decode(errors="replace").split("\n")
    return next((said[:limit] for line in reversed(lines) if (said := clean(line))), "it said nothing")


def _crash(number: int, about: str, where: str) -> str:
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"the worker was ended by signal {number} on {about}{where}; run it again"
    words = (signal.strsignal(known) or known.name).lower()
    unfit = WITH_DELEGATE in about and known not in (signal.SIGKILL, signal.SIGILL)
    advice = UNFIT if unfit else ADVICE.get(known, CORRUPT)
    return f"the runtime crashed on {about}{where} (signal {number}, {words}): {advice}"
