"""What can go wrong on a device and is expected to: each fault has a kind that crosses the wire.

A message is one line: the fact, then the next step. Anything else is a bug, or a crash of a native runtime, and ends
the worker.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DeviceError(Exception):
    """An expected failure on the device."""

    kind: ClassVar[str] = "failed"

    def to_dict(self) -> dict[str, Any]:
        """Return the value of `error` in the worker's document."""
        return {"kind": self.kind, "message": str(self)}


class RequestError(DeviceError):
    """The request cannot be read, or asks for what there is not."""

    kind = "request"


class InvalidModel(DeviceError):
    """The file is no model that the runtime can open and run."""

    kind = "invalid-model"


class RuntimeBroken(DeviceError):
    """The runtime is installed and does not load."""

    kind = "broken-runtime"


class DelegateFailed(DeviceError):
    """The delegate is there, and does not start or does not get on with the model."""

    kind = "delegate"


class RuntimeMissing(DeviceError):
    """No runtime for this file is installed.

    Attributes:
        extra: The extra of mobilenet-edge that brings it on this machine, None where no wheel exists.
        requirement: What pip takes on a machine that does not have the package itself, None likewise.
    """

    kind = "missing-runtime"

    def __init__(self, message: str, extra: str | None = None, requirement: str | None = None) -> None:
        super().__init__(message)
        self.extra = extra
        self.requirement = requirement

    def to_dict(self) -> dict[str, Any]:
        """Add what to install."""
        return {**super().to_dict(), "extra": self.extra, "requirement": self.requirement}


def first_line(error: BaseException, limit: int = 200) -> str:
    """Say a native library's reason in one line: its first sentence or line, cut at `limit` characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")[:limit]
