"""Latency that was not measured but follows from measurements of related models, as a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from mobilenet_edge import schema
from mobilenet_edge.records.record import ArtifactRecord

# What is read again of the machine; the rest is for people.
_READ: Final = {
    **dict.fromkeys(("name", "board", "cpu", "machine", "os", "governor", "emulated"), str | None),
    "cores": int | None,
    "isa": tuple[str, ...] | None,
}


@dataclass(frozen=True, kw_only=True)
class Prediction(ArtifactRecord):
    """Median latency that one artifact is expected to have at one thread count on one machine.

    Attributes:
        runtime: That of the profiles it rests on.
        runtime_version: Its version.
        threads: Intra-op threads.
        predicted_ms: Median steady latency.
        low_ms: Lower end of its interval.
        high_ms: Upper end; the interval is meant to hold 95 % of measured medians.
        measured: Number of profiles it rests on.
        error: Median error of these, as a share, each predicted from the others.
        host: Facts of the machine, without what moves.
        conditions: {"affinity"} of these profiles.
    """

    kind = "prediction"

    runtime: str
    runtime_version: str
    threads: int
    predicted_ms: float
    low_ms: float
    high_ms: float
    measured: int
    error: float
    host: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.low_ms <= self.predicted_ms <= self.high_ms:
            raise ValueError("predicted_ms must lie between low_ms and high_ms, all above 0")
        if self.measured < 1 or self.error < 0:
            raise ValueError("a prediction rests on at least one profile, and its error is 0 or more")
        for key, hint in _READ.items():
            value = self.host.get(key)
            if not schema.fits(tuple(value) if isinstance(value, list) else value, hint):
                raise TypeError(f"{key} of host cannot be {value!r:.60}")

    @property
    def interval_ms(self) -> tuple[float, float]:
        """Low and high together, as a profile's."""
        return self.low_ms, self.high_ms
