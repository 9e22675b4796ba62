"""Record of an artifact or a measurement that failed, so that a table can give the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mobilenet_edge.errors import HostError
from mobilenet_edge.records.record import Record

STAGES: Final = ("build", "train", "export", "profile", "evaluate")


@dataclass(frozen=True, kw_only=True)
class Failure(Record):
    """Failure to make or to measure one artifact.

    Attributes:
        variant: Name of the model.
        format: Format of the artifact; None if the model could not be built.
        precision: Precision of the artifact; None if the model could not be built.
        artifact: Path of the artifact; None if there is no file.
        host: Name of the machine; None for stages without one.
        stage: "build", "train", "export", "profile" or "evaluate".
        reason: Message in one line.
        exit_code: Exit code of `mnet` for this failure; 0 for a variant that was stopped on purpose.
        threads: Number of threads of a profile, else None.
        runtime: Runtime that a profile was asked for, or None for the best installed one.
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
    runtime: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stage not in STAGES:
            raise ValueError(f"unknown stage {self.stage!r:.60}; known: {', '.join(STAGES)}")
        if not self.reason:
            raise ValueError("a failure needs a reason")

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
        runtime: str | None = None,
    ) -> Self:
        """Create the failure of an existing artifact from its `Artifact.identity`."""
        return cls(
            **{name: identity[name] for name in ("variant", "format", "precision", "artifact")},
            stage=stage,
            reason=reason,
            exit_code=exit_code,
            host=host,
            threads=threads,
            runtime=runtime,
        )


def exit_code(records: Iterable[Record]) -> int:
    """Return the exit code of a command with these results: 6 if any of them is a failure, else 0."""
    return HostError.exit_code if any(isinstance(record, Failure) for record in records) else 0
