"""Findings of `mnet doctor`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Status = Literal["ok", "warn", "fail"]
OK: Final[Status] = "ok"
WARN: Final[Status] = "warn"
FAIL: Final[Status] = "fail"


@dataclass(frozen=True)
class Finding:
    """A fact about a machine, with a next step if something is wrong.

    Attributes:
        name: Subject, such as "Python".
        status: "ok", "warn" (it works, with reservations) or "fail" (it does not work).
        fact: What was observed.
        next: What to do; None if and only if the status is "ok".
    """

    name: str
    status: Status
    fact: str
    next: str | None = None

    def __post_init__(self) -> None:
        if (self.status == OK) != (self.next is None):
            raise ValueError(f"{self.name}: a finding has a next step if and only if it is not ok")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)
