"""One thing that was looked at on a machine, and what is to be done about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Status = Literal["ok", "warn", "fail"]
OK: Final[Status] = "ok"
WARN: Final[Status] = "warn"
FAIL: Final[Status] = "fail"


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        name: What was looked at.
        status: "ok", "warn" (it works, or figures from there need care) or "fail" (it does not work).
        fact: What is so.
        next: What to do; None where the status is "ok", and nowhere else.
    """

    name: str
    status: Status
    fact: str
    next: str | None = None

    def __post_init__(self) -> None:
        if (self.status == OK) != (self.next is None):
            raise ValueError(f"{self.name}: a finding has a next step exactly where it is not ok")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)
