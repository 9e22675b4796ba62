"""Settings of a measurement, with validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts.place import Delegate

# Long enough for an on-demand governor to raise the CPU frequency.
WARMUP: Final[Mapping[str, Any]] = {"runs": 5, "seconds": 0.15}
# Time limit of a worker beyond its timed phases: start, loading the model, and slow last runs.
SLACK_SECONDS: Final = 120.0
# Interval between samples of the machine state; long phases sample less often to limit the size of the record.
SAMPLE_SECONDS: Final = 1.0
MAX_SAMPLES: Final = 600
# Length of a window of idle time or of inferences whose energy is measured; a meter outside may log once a second.
ENERGY_SECONDS: Final = 2.0
METER_SECONDS: Final = 10.0
# Runs per second: the period is stored in nanoseconds, and a run starts at least once a minute.
MAX_PROCESSES: Final = 256
MAX_RATE, MIN_RATE = 1e6, 1 / 60


@dataclass(frozen=True)
class Plan:
    """Settings for one artifact at one thread count; the numbers are totals over all rounds.

    Attributes:
        runs: Minimum number of steady runs.
        seconds: Minimum duration of the steady runs.
        max_seconds: Maximum duration of the steady runs, even if `runs` is not reached; the profile then has a doubt.
        rounds: Number of fresh processes, spread over the whole measurement; at most `runs`.
        runtime: Name of a runtime, or "auto" for the best installed one that opens the file.
        seed: Seed of the noise and of the order.
        affinity: CPUs to run on; empty for all.
        delegate: Delegate for operators, or None for the CPU.
        until: Add rounds until half the interval of the median, relative to it, is this small or the time is used up.
        sustain_seconds: Duration of one steady phase that replaces the rounds.
        rate: Steady runs per second, or None for no pauses.
        cooldown_seconds: Pause before every process but the first.
        ops: Also measure the operators.
        processes: Also measure this many processes that run the file at once; None for no such measurement.
        limit: Also measure the speed of a matrix product on the machine.
        energy: Also measure the energy of an inference.
        power: Log of a meter outside the machine that measures the energy; None for the machine's own.

    Raises:
        UsageError: A number is out of range.
    """

    runs: int = 50
    seconds: float = 1.0
    max_seconds: float = 60.0
    rounds: int = 3
    runtime: str = "auto"
    seed: int = 0
    affinity: tuple[int, ...] = ()
    delegate: Delegate | None = None
    until: float | None = None
    sustain_seconds: float | None = None
    rate: float | None = None
    cooldown_seconds: float = 0.0
    ops: bool = False
    processes: int | None = None
    limit: bool = True
    energy: bool = False
    power: Path | None = None

    def __post_init__(self) -> None:
        for name, count in (("runs", self.runs), ("rounds", self.rounds)):
            if count < 1:
                raise UsageError(f"--{name} must be at least 1, got {count}")
        if self.processes is not None and not 2 <= self.processes <= MAX_PROCESSES:
            raise UsageError(f"--processes must lie between 2 and {MAX_PROCESSES}, got {self.processes}")
        for name, length in (("seconds", self.seconds), ("cooldown", self.cooldown_seconds)):
            if not (length >= 0 and math.isfinite(length)):
                raise UsageError(f"--{name} must be 0 or more, got {length:g}")
        for name, cap in (("max-seconds", self.max_seconds), ("sustain", self.sustain_seconds)):
            if cap is not None and not (cap > 0 and math.isfinite(cap)):
                raise UsageError(f"--{name} must be above 0, got {cap:g}")
        if below := [cpu for cpu in self.affinity if cpu < 0]:
            raise UsageError(f"--affinity {below[0]}: CPUs are counted from 0")
        if self.until is not None and not 0 < self.until < 1:
            raise UsageError(f"--until must lie between 0% and 100%, got {self.until:.3%}")
        if self.rate is not None and not MIN_RATE <= self.rate <= MAX_RATE:
            raise UsageError(f"--rate must lie between 1/min and {MAX_RATE:.0f}/s, got {self.rate:g}/s")
        if self.until is not None and self.sustain_seconds is not None:
            raise UsageError("--until and --sustain exclude each other; give one of them")

    @property
    def round_count(self) -> int:
        """Number of planned rounds; `until` may add more."""
        return 1 if self.sustain_seconds is not None else min(self.rounds, self.runs)

    @property
    def budget_seconds(self) -> float:
        """Maximum duration of all steady phases of one artifact."""
        return self.sustain_seconds if self.sustain_seconds is not None else self.max_seconds

    @property
    def cap_seconds(self) -> float:
        """Maximum duration of one steady phase."""
        return self.budget_seconds / self.round_count

    @property
    def period_ns(self) -> int | None:
        """Time between the starts of two steady runs in nanoseconds, or None for no pauses."""
        return None if self.rate is None else round(1e9 / self.rate)

    @property
    def energy_seconds(self) -> float:
        """Length of a window whose energy is measured."""
        return max(self.seconds, ENERGY_SECONDS if self.power is None else METER_SECONDS)

    @property
    def limit_seconds(self) -> float:
        """Maximum duration of one process: warm-up and steady phase, slack, and one late run."""
        return SLACK_SECONDS + 2 * self.cap_seconds + (1 / self.rate if self.rate else 0)

    def request(self, threads: int) -> dict[str, Any]:
        """Return the part of a request that is the same for every mode of the worker."""
        common = {"runtime": self.runtime, "threads": threads, "seed": self.seed}
        return {**common, "affinity": list(self.affinity)} if self.affinity else common

    def timing(self, max_seconds: float = math.inf) -> dict[str, Any]:
        """Return the phases of one round of at most `max_seconds`, for a request to the worker."""
        cap = min(self.cap_seconds, max_seconds)
        sustained = self.sustain_seconds is not None
        timing: dict[str, Any] = {
            "warmup": {**WARMUP, "cap_seconds": cap},
            "steady": {
                "runs": 1 if sustained else math.ceil(self.runs / self.round_count),
                "seconds": cap if sustained else min(self.seconds / self.round_count, cap),
                "cap_seconds": cap,
            },
        }
        if self.period_ns is not None:
            timing["period_ns"] = self.period_ns
        if self.budget_seconds > MAX_SAMPLES * SAMPLE_SECONDS:
            timing["sample_seconds"] = self.budget_seconds / MAX_SAMPLES
        return timing

    def conditions(self) -> dict[str, Any]:
        """Return the conditions for a record."""
        conditions: dict[str, Any] = {
            "order": "one after another, a fresh process each"
            if self.sustain_seconds is not None
            else "shuffled in each round, a fresh process each",
            "runs": 1 if self.sustain_seconds is not None else self.runs,
            "seconds": self.seconds if self.sustain_seconds is None else self.sustain_seconds,
            "max_seconds": self.budget_seconds,
            "warmup": dict(WARMUP),
            "seed": self.seed,
            "affinity": list(self.affinity) or None,
        }
        optional = {
            "until": self.until,
            "sustain_seconds": self.sustain_seconds,
            "rate_per_s": self.rate,
            "cooldown_seconds": self.cooldown_seconds or None,
        }
        return conditions | {name: value for name, value in optional.items() if value is not None}
