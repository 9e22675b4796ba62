"""What a worker's end means: its document, or the one exception that says what went wrong."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge.errors import HostError, InputError, MissingExtraError, MnetError, UsageError

ADVICE: Final = {
    signal.SIGKILL: "the machine may have run out of memory",
    signal.SIGILL: "the runtime was built for a newer CPU; install another version of it",
    signal.SIGABRT: "the file may be corrupt, or made for another version of the runtime",
}
CORRUPT: Final = "the file may be corrupt"
KINDS: Final[Mapping[str, type[MnetError]]] = {
    "invalid-model": InputError,
    "request": UsageError,
    "broken-runtime": HostError,
}


@dataclass(frozen=True)
class Ended:
    """A worker that has ended.

    Attributes:
        code: Its exit code, negative for the signal that ended it.
        stdout: What it wrote there, whole.
        stderr: Likewise.
    """

    code: int
    stdout: bytes
    stderr: bytes


def parse(ended: Ended, artifact: str) -> dict[str, Any]:
    """Read a worker's document; `artifact` names the file in messages.

    Raises:
        HostError: The worker crashed, failed, or wrote something else.
        MnetError: The document tells of an expected failure; see `fault`.
    """
    if ended.code < 0:
        raise HostError(_crash(-ended.code, artifact))
    if ended.code:
        raise HostError(f"the worker failed on {artifact} (exit code {ended.code}): {_last_line(ended.stderr)}")
    try:
        document = json.loads(ended.stdout)
        error = document.get("error")
    except (ValueError, AttributeError) as broken:
        raise HostError(
            f"the worker's answer on {artifact} cannot be read ({_last_line(ended.stdout)}); "
            "check that nothing else writes to its stdout"
        ) from broken
    if error is not None:
        raise fault(error)
    return dict(document)


def fault(error: Mapping[str, Any]) -> MnetError:
    """Turn `DeviceError.to_dict()` into the exception that has the right exit code."""
    message, kind = str(error["message"]), error["kind"]
    if kind == "missing-runtime":
        extra = error.get("extra")
        return MissingExtraError(message, extra) if extra else HostError(f"{message}; use the other format")
    return KINDS.get(kind, HostError)(message)


def _crash(number: int, artifact: str) -> str:
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"the worker was ended by signal {number} on {artifact}; run it again"
    words = (signal.strsignal(known) or known.name).lower()
    return f"the runtime crashed on {artifact} (signal {number}, {words}): {ADVICE.get(known, CORRUPT)}"


def _last_line(output: bytes, limit: int = 200) -> str:
    lines = output.decode(errors="replace").split("\n")
    return next((line.strip()[:limit] for line in reversed(lines) if line.strip()), "it said nothing")
