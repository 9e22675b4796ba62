"""What could not be made or measured, as a record: a gap in a table has its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mobilenet_edge.errors import HostError
from mobilenet_edge.records.record import Record

STAGES: Final = ("build", "export", "profile", "evaluate")


@dataclass(frozen=True, kw_only=True)
class Failure(Record):
    """One artifact that is missing, or one measurement.

    Attributes:
        variant: Name of the model.
        format: Of the artifact; None where building the model failed, and with it all its artifacts.
        precision: Of the artifact, None likewise.
        artifact: Its path, None where there is no file.
        host: Name of the machine, None where the stage is none of measuring.
        stage: One of `STAGES`.
        reason: The message, one line.
        exit_code: What `mnet` would have ended with.
        threads: Of a profile, None where there is none.
    """

    kind = "failure"

    variant: str
    format: str | None = None
    precision: str | None = None
    artifact: str | None = None
    host: str | None = None
    stage: str
    reason: str
    exit_code: int
    threads: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stage not in STAGES:
            raise ValueError(f"there is no stage {self.stage!r:.60}; there are {', '.join(STAGES)}")
        if not self.reason:
            raise ValueError("a failure has a reason")

    @classmethod
    def of(
        cls,
        identity: Mapping[str, Any],
        *,
        stage: str,
        reason: str,
        exit_code: int,
        host: str | None = None,
        threads: int | None = None,
    ) -> Self:
        """Make the failure of an artifact that is there; `identity` is what `Artifact.identity` gives."""
        return cls(
            **{name: identity[name] for name in ("variant", "format", "precision", "artifact")},
            stage=stage,
            reason=reason,
            exit_code=exit_code,
            host=host,
            threads=threads,
        )


def exit_code(records: Iterable[Record]) -> int:
    """Return the exit code of a command with these results: that of a failing machine where anything is missing."""
    return HostError.exit_code if any(isinstance(record, Failure) for record in records) else 0
