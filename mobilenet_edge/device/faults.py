"""Define the expected failures on a device; each class has a `kind` that identifies it in the worker's answer.

A message is one line: the fact, then the next step. Any other exception is a bug, or a crash of a native runtime, and
ends the worker.
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
    """The request cannot be read, or asks for something that does not exist."""

    kind = "request"


class InvalidModel(DeviceError):
    """The file is not a model that the runtime can open and run."""

    kind = "invalid-model"


class RuntimeBroken(DeviceError):
    """The runtime is installed but cannot be loaded."""

    kind = "broken-runtime"


class DelegateFailed(DeviceError):
    """The delegate exists but does not start, or cannot run the model."""

    kind = "delegate"


class RuntimeMissing(DeviceError):
    """No runtime for this file is installed.

    Attributes:
        extra: The extra of mobilenet-edge that installs it on this machine, None if there is none.
        requirement: Arguments of pip that install it without mobilenet-edge, None if no wheel fits.
    """

    kind = "missing-runtime"

    def __init__(self, message: str, extra: str | None = None, requirement: str | None = None) -> None:
        super().__init__(message)
        self.extra = extra
        self.requirement = requirement

    def to_dict(self) -> dict[str, Any]:
        """Return the value of `error` with the extra and the requirement to install."""
        return {**super().to_dict(), "extra": self.extra, "requirement": self.requirement}


def first_line(error: BaseException, limit: int = 200) -> str:
    """Return the first line of an error's message, cut at `limit` characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")[:limit]
