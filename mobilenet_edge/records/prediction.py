"""Record of a latency predicted from measurements of related models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from mobilenet_edge import schema
from mobilenet_edge.records.record import ArtifactRecord

# Types of the host facts that mnet reads back; the others are only for people.
_TYPES: Final = {
    **dict.fromkeys(("name", "board", "cpu", "machine", "os", "governor", "emulated"), str | None),
    "cores": int | None,
    "isa": tuple[str, ...] | None,
}


@dataclass(frozen=True, kw_only=True)
class Prediction(ArtifactRecord):
    """Predicted median latency of one artifact at one thread count on one machine.

    Attributes:
        runtime: Runtime of the profiles that the prediction is based on.
        runtime_version: Version of the runtime.
        threads: Number of threads within one inference.
        predicted_ms: Expected median latency.
        low_ms: Lower end of the 95 % interval for a measured median.
        high_ms: Upper end of the interval.
        measured: Number of profiles that the prediction is based on.
        error: Median relative leave-one-out error of these profiles.
        host: The machine as in a profile, without `before` and `after`.
        conditions: `affinity` of these profiles.
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
            raise ValueError("measured must be at least 1, and error at least 0")
        for key, hint in _TYPES.items():
            value = self.host.get(key)
            if not schema.fits(tuple(value) if isinstance(value, list) else value, hint):
                raise TypeError(f"{key} of host cannot be {value!r:.60}")

    @property
    def interval_ms(self) -> tuple[float, float]:
        """Lower and upper end of the interval, as in a profile."""
        return self.low_ms, self.high_ms
