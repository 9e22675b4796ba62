"""How artifacts are measured: the numbers a user chose, refused where they cannot be met."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge.errors import UsageError

# Long enough for an on-demand governor to raise the clock.
WARMUP: Final[Mapping[str, Any]] = {"runs": 5, "seconds": 0.15}
# What a worker may take beside the phases that have a cap: start, opening the file, overstepping by slow runs.
SLACK_SECONDS: Final = 120.0
# A look at the machine this often; a long phase has fewer, so that its record stays small.
SAMPLE_SECONDS: Final = 1.0
MOST_SAMPLES: Final = 600
# A period in nanoseconds, and a minute's wait for the next run.
FASTEST, SLOWEST = 1e6, 1 / 60


@dataclass(frozen=True)
class Delegate:
    """A TFLite delegate.

    Attributes:
        path: Of its library, on the machine that measures.
        options: As name and value.
        of_device: Whether it belongs to the machine, which leaves out the files that have no use for it.
    """

    path: str
    options: tuple[tuple[str, str], ...] = ()
    of_device: bool = False

    @classmethod
    def parse(cls, path: str | None, options: Sequence[str]) -> Delegate | None:
        """Read what was typed: a path, and options as "key=value".

        Raises:
            UsageError: An option has no "=", is given twice, or there is no path.
        """
        pairs = [option.partition("=") for option in options]
        if bad := [option for option, (key, sign, _) in zip(options, pairs, strict=True) if not (key and sign)]:
            raise UsageError(f"--delegate-option {bad[0]!r} is not KEY=VALUE, such as device=usb")
        if len({key for key, _, _ in pairs}) < len(pairs):
            raise UsageError("a --delegate-option is given twice; give each key once")
        if path is None and pairs:
            raise UsageError("--delegate-option needs a delegate; give the path of its library with --delegate")
        return None if path is None else cls(path, tuple((key, value) for key, _, value in pairs))

    def request(self) -> dict[str, Any]:
        """Return it as the worker takes it."""
        return {"path": self.path, "options": dict(self.options)}


@dataclass(frozen=True)
class Plan:
    """How one artifact at one thread count is measured; the numbers are of all rounds together.

    Attributes:
        runs: At least so many steady runs.
        seconds: And at least so long.
        max_seconds: But no longer, even where `runs` are not reached; the profile then bears a doubt.
        rounds: In so many fresh processes, spread over the whole measurement; never more than `runs`.
        runtime: A runtime's name, or "auto" for the best installed one that opens the file.
        seed: Of the noise and of the order.
        affinity: CPUs to run on; empty for all.
        delegate: What else runs operators, None for the CPU alone.
        until: More rounds until half the interval of the median is this share of it, or `max_seconds` are used up.
        sustain_seconds: Instead of rounds, one steady phase of this length.
        rate: Steady runs a second, None for as many as can be.
        cooldown_seconds: Pause before every process but the first.
        ops: Measure every operator, too.
        limit: Measure what the machine reaches in a matrix product, too.
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
    limit: bool = True

    def __post_init__(self) -> None:
        for name, count in (("runs", self.runs), ("rounds", self.rounds)):
            if count < 1:
                raise UsageError(f"--{name} must be at least 1, got {count}")
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
        if self.rate is not None and not SLOWEST <= self.rate <= FASTEST:
            raise UsageError(f"--rate must lie between 1/min and {FASTEST:.0f}/s, got {self.rate:g}/s")
        if self.until is not None and self.sustain_seconds is not None:
            raise UsageError("--until measures in rounds and --sustain in one long phase; give one of the two")

    @property
    def turns(self) -> int:
        """Number of processes that are timed at first; `until` may add some."""
        return 1 if self.sustain_seconds is not None else min(self.rounds, self.runs)

    @property
    def budget_seconds(self) -> float:
        """How long all steady phases of one artifact may take."""
        return self.sustain_seconds if self.sustain_seconds is not None else self.max_seconds

    @property
    def cap_seconds(self) -> float:
        """How long one steady phase may take."""
        return self.budget_seconds / self.turns

    @property
    def period_ns(self) -> int | None:
        """From the start of one steady run to that of the next."""
        return None if self.rate is None else round(1e9 / self.rate)

    @property
    def limit_seconds(self) -> float:
        """How long one process may take: warm-up and steady phase up to their caps, and one late run."""
        return SLACK_SECONDS + 2 * self.cap_seconds + (1 / self.rate if self.rate else 0)

    def request(self, threads: int) -> dict[str, Any]:
        """Return what every worker is asked, whatever its mode."""
        common = {"runtime": self.runtime, "threads": threads, "seed": self.seed}
        return {**common, "affinity": list(self.affinity)} if self.affinity else common

    def timing(self, left_seconds: float = math.inf) -> dict[str, Any]:
        """Return one round's share of the phases, as the worker takes them; `left_seconds` is a cap of its own."""
        cap = min(self.cap_seconds, left_seconds)
        sustained = self.sustain_seconds is not None
        timing: dict[str, Any] = {
            "warmup": {**WARMUP, "cap_seconds": cap},
            "steady": {
                "runs": 1 if sustained else math.ceil(self.runs / self.turns),
                "seconds": cap if sustained else min(self.seconds / self.turns, cap),
                "cap_seconds": cap,
            },
        }
        if self.period_ns is not None:
            timing["period_ns"] = self.period_ns
        if self.budget_seconds > MOST_SAMPLES * SAMPLE_SECONDS:
            timing["sample_seconds"] = self.budget_seconds / MOST_SAMPLES
        return timing

    def conditions(self) -> dict[str, Any]:
        """Return what of this belongs into a record."""
        own: dict[str, Any] = {
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
        chosen = {
            "until": self.until,
            "sustain_seconds": self.sustain_seconds,
            "rate_per_s": self.rate,
            "cooldown_seconds": self.cooldown_seconds or None,
        }
        return own | {name: value for name, value in chosen.items() if value is not None}
