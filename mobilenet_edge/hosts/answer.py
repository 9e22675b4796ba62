"""Turn the output of a finished worker into its document, or into the exception that describes the failure."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.errors import HostError, InputError, MissingExtraError, MnetError, UsageError
from mobilenet_edge.records import strict
from mobilenet_edge.text import plain

ADVICE: Final = {
    signal.SIGKILL: "the machine may have run out of memory",
    signal.SIGILL: "the runtime was built for a newer CPU; install another version of it",
    signal.SIGABRT: "the file may be corrupt, or made for another version of the runtime",
}
CORRUPT: Final = "the file may be corrupt"
# With a delegate, the delegate is a more likely cause of a crash than the file.
INCOMPATIBLE: Final = "the two may be incompatible; use a build of the delegate for this version of the runtime"
# Extras of the runtimes that `mnet setup-host` installs unasked; others must be named.
DEFAULT_EXTRAS: Final = ("tflite", "onnx")
WITH_DELEGATE: Final = " with the delegate "
ERRORS: Final[Mapping[str, type[MnetError]]] = {
    "invalid-model": InputError,
    "request": UsageError,
    "broken-runtime": HostError,
}
MAX_CHARACTERS: Final = 400


@dataclass(frozen=True)
class Ended:
    """The result of a finished worker.

    Attributes:
        code: Exit code, negative for the signal that ended it.
        stdout: Complete output to stdout.
        stderr: Output to stderr, or the end of it.
    """

    code: int
    stdout: bytes
    stderr: bytes


def name_subject(request: Mapping[str, Any], files: Mapping[str, Path]) -> str:
    """Name the subject of a request for messages: its model file and delegate, or else its mode."""
    if "artifact" not in files:
        return f"the request {str(request.get('mode'))!r}"
    delegate = request.get("delegate")
    if not delegate:
        return files["artifact"].name
    name = delegate["provider"] if "provider" in delegate else Path(delegate["path"]).name
    return f"{files['artifact'].name}{WITH_DELEGATE}{name}"


def parse(ended: Ended, subject: str, device: str | None = None) -> dict[str, Any]:
    """Parse a worker's document.

    Args:
        ended: The finished worker.
        subject: The subject of its request, for messages.
        device: Name of its device, None for this machine.

    Returns:
        The document.

    Raises:
        HostError: The worker crashed or failed, or its output is not a document.
        MnetError: The document reports an expected failure; see `fault`.
    """
    where = f" on {device}" if device else ""
    if ended.code < 0:
        raise HostError(_crash(-ended.code, subject, where))
    if ended.code:
        raise HostError(f"the worker failed on {subject}{where} (exit code {ended.code}): {last_line(ended.stderr)}")
    try:
        document = strict.loads(ended.stdout)
        error = document.get("error")
        if error is not None:
            error = dict(error)
    except (ValueError, TypeError, AttributeError, RecursionError) as broken:
        raise HostError(
            f"the worker's answer on {subject}{where} cannot be read ({last_line(ended.stdout)}); "
            "check that nothing else writes to its stdout"
        ) from broken
    if error is not None:
        raise fault(error, device)
    return dict(printable(document) if device else document)


def fault(error: Mapping[str, Any], device: str | None = None) -> MnetError:
    """Convert `DeviceError.to_dict()` into the exception with the right exit code.

    Args:
        error: The value of "error" in the worker's document.
        device: Name of the device, None for this machine.
    """
    message, kind = clean(error.get("message")), error.get("kind", "")
    if kind == "missing-runtime":
        extra, requirement = error.get("extra"), error.get("requirement")
        if device and requirement:
            packages = clean(requirement)
            manual = f"or on the device with: python3 -m pip install {packages}"
            named = "" if extra in DEFAULT_EXTRAS else f" {packages}"
            return HostError(f"{message} on {device}; install it with: mnet setup-host {device}{named}, {manual}")
        if extra:
            return MissingExtraError(message, extra)
        # No extra installs the version that an old system needs.
        remedy = f"install it with: pip install {clean(requirement)}" if requirement else "use the other format"
        return HostError(f"{message}; {remedy}")
    return ERRORS.get(kind, HostError)(f"{device}: {message}" if device else message)


def late(subject: str, limit_seconds: float, device: str | None = None) -> HostError:
    """Return the exception for a worker that took too long."""
    where = f" on {device}" if device else ""
    return HostError(
        f"the worker did not answer on {subject}{where} within {limit_seconds:.0f} s; "
        "try fewer --runs, or a smaller model"
    )


def clean(text: object) -> str:
    """Return text of another machine as one printable line; it may contain escape sequences of a terminal."""
    return " ".join(printable(str(text)).split())[:MAX_CHARACTERS]


def printable(value: Any) -> Any:
    """Replace control characters in all texts of a document from another machine, since they are shown in tables."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [printable(item) if isinstance(item, str | list | dict) else item for item in value]
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    return value


def last_line(output: bytes, limit: int = 200) -> str:
    """Return the last line that is not empty, cut at `limit` characters."""
    lines = output.decode(errors="replace").split("\n")
    return next((text[:limit] for line in reversed(lines) if (text := clean(line))), "it printed nothing")


def _crash(number: int, subject: str, where: str) -> str:
    try:
        signal_number = signal.Signals(number)
    except ValueError:
        return f"the worker was ended by signal {number} on {subject}{where}; run it again"
    description = (signal.strsignal(signal_number) or signal_number.name).lower()
    incompatible = WITH_DELEGATE in subject and signal_number not in (signal.SIGKILL, signal.SIGILL)
    advice = INCOMPATIBLE if incompatible else ADVICE.get(signal_number, CORRUPT)
    return f"the runtime crashed on {subject}{where} (signal {number}, {description}): {advice}"
