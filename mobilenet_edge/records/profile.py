"""Latency and memory as a record; every figure in it is derived from the raw times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Final

from mobilenet_edge import schema
from mobilenet_edge.records import interval
from mobilenet_edge.records.outliers import outliers
from mobilenet_edge.records.record import ArtifactRecord
from mobilenet_edge.records.remark import Remark

# What is read again of fields that hold anything; the rest of them is for people.
_READ: Final[Mapping[str, Mapping[str, Any]]] = {
    "host": {
        **dict.fromkeys(("name", "board", "cpu", "machine", "os", "governor", "emulated"), str | None),
        "cores": int | None,
        "isa": tuple[str, ...] | None,
    },
    "conditions": {"affinity": tuple[int, ...] | None},
    "delegate": {"path": str, "options": dict[str, Any] | None, "nodes": int, "total": int, "kind": str | None},
    "limit": dict.fromkeys(("float32_gmacs", "int8_gmacs"), float | None),
    "ops": {"kind": str, "ms": float, "macs": int | None},
    "trace": {"minute": float, "runs": int, "median_ms": float},
}
# Which of the machine's limits bounds a file: the element type its products are computed in. Dynamic ranges are left
# out: some runtimes multiply them as floats, others as integers.
_LIMITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("float32", "float16"), "float32_gmacs"),
    **dict.fromkeys(("int8", "uint8"), "int8_gmacs"),
}


@dataclass(frozen=True, kw_only=True)
class Profile(ArtifactRecord):
    """Latency and memory of one artifact at one thread count on one machine.

    Attributes:
        runtime: "litert", "tflite-runtime" or "onnxruntime".
        runtime_version: Its version.
        threads: Intra-op threads asked for.
        load_ms: Opening the file until ready to run; median over rounds.
        first_ms: The first inference; median over rounds.
        times_ns: Every steady inference, in order, all rounds.
        round_sizes: How many of `times_ns` belong to each round.
        preprocess_ms: Making one input of an image, None where that was not measured; in none of the other times.
        peak_rss_bytes: Peak resident memory of a worker that loads and runs the model, None where unknown.
        baseline_rss_bytes: The same worker's memory before the model was opened, None where unknown.
        host: Facts of the machine before and after; see docs/records.md.
        delegate: {"path", "options", "nodes", "total", "kind"} of what ran `nodes` of `total` ops, None without one.
        conditions: How it was measured: warm-up, runs, seconds, inputs, rounds.
        ops: Of each operator {"index", "name", "kind", "ms", "macs", "bytes", "gmacs_per_s"}, None where not asked.
        limit: {"float32_gmacs", "int8_gmacs", "shape", "how"}, what the machine reaches in a matrix product.
        trace: Of each minute of a sustained run {"minute", "runs", "median_ms", "p90_ms", …}.
        doubts: Reasons not to trust this profile.
        invalid: Why its latency must not be used, None where it may.
        notes: Remarks that are no doubts.
    """

    kind = "profile"

    runtime: str
    runtime_version: str
    threads: int
    load_ms: float
    first_ms: float
    times_ns: tuple[int, ...]
    round_sizes: tuple[int, ...]
    preprocess_ms: float | None = None
    peak_rss_bytes: int | None = None
    baseline_rss_bytes: int | None = None
    host: dict[str, Any] = field(default_factory=dict)
    delegate: dict[str, Any] | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    ops: tuple[dict[str, Any], ...] | None = None
    limit: dict[str, Any] | None = None
    trace: tuple[dict[str, Any], ...] = ()
    doubts: tuple[Remark, ...] = ()
    invalid: Remark | None = None
    notes: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.times_ns or min(self.times_ns) <= 0:
            raise ValueError("times_ns must hold times above 0")
        if min(self.round_sizes, default=0) < 0:
            raise ValueError("round_sizes cannot be below 0")
        if any((self.limit or {}).get(each) == 0 for each in _READ["limit"]):
            raise ValueError("a limit is above 0 or null")
        for name, keys in _READ.items():
            held = getattr(self, name)
            for each in held if isinstance(held, tuple) else (held,):
                if each is not None:
                    _check(name, each, keys)

    @property
    def rounds(self) -> tuple[tuple[int, ...], ...]:
        """`times_ns` by round; what `round_sizes` do not account for is one round more."""
        edges = dict.fromkeys((0, *accumulate(self.round_sizes), len(self.times_ns)))
        return tuple(self.times_ns[start:end] for start, end in pairwise(edges) if self.times_ns[start:end])

    @property
    def median_ms(self) -> float:
        """Median steady latency."""
        return statistics.median(self.times_ns) / 1e6

    @cached_property  # a bootstrap, which every table, picture and note asks for
    def interval_ms(self) -> tuple[float, float] | None:
        """95 % interval of the median; None where the runs are too few to carry one."""
        found = interval.median(self.rounds)
        return found and (found[0] / 1e6, found[1] / 1e6)

    def percentile_ms(self, percent: float) -> float | None:
        """Nearest-rank percentile; None where fewer than one run lies beyond it."""
        if len(self.times_ns) * (100 - percent) < 100:
            return None
        rank = math.ceil(len(self.times_ns) * percent / 100)
        return sorted(self.times_ns)[rank - 1] / 1e6

    @property
    def spread(self) -> float:
        """Half the distance between the 10th and 90th percentile, as a share of the median (0.02: 2 %)."""
        ordered = sorted(self.times_ns)
        tenth = len(ordered) // 10
        return (ordered[-1 - tenth] - ordered[tenth]) / 2 / statistics.median(ordered)

    @property
    def of_limit(self) -> float | None:
        """Share that the whole inference reaches of the machine's matrix product; None where either is unknown."""
        limit = (self.limit or {}).get(_LIMITS.get(self.precision, ""))
        return self.macs / (self.median_ms * 1e6) / limit if self.macs and limit else None

    def derived(self) -> dict[str, Any]:
        """Median with its interval, percentiles where n carries them, mean, spread, outliers, share of the limit."""
        return {
            "n": len(self.times_ns),
            "median_ms": self.median_ms,
            "interval_ms": self.interval_ms,
            "mean_ms": statistics.fmean(self.times_ns) / 1e6,
            "min_ms": min(self.times_ns) / 1e6,
            "p90_ms": self.percentile_ms(90),
            "p95_ms": self.percentile_ms(95),
            "p99_ms": self.percentile_ms(99),
            "spread": self.spread,
            "outliers": outliers(self.times_ns),
            "of_limit": self.of_limit,
        }


def _check(name: str, held: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
    for key, hint in keys.items():
        value = held.get(key)
        if not schema.fits(tuple(value) if isinstance(value, list) else value, hint):
            raise TypeError(f"{key} of {name} cannot be {value!r:.60}")
