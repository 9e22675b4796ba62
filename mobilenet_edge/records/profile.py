"""Record of latency and memory; all statistics are derived from the raw times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Final

from mobilenet_edge.records import interval
from mobilenet_edge.records.outliers import outliers
from mobilenet_edge.records.record import ArtifactRecord, check_keys
from mobilenet_edge.records.remark import Remark

# Times of a picture from its file to its answer.
STAGES: Final = ("decode_ms", "prepare_ms", "infer_ms", "top_k_ms", "total_ms")
# Types of the keys that mnet reads back from fields with arbitrary contents; the others are only for people.
_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "host": {
        **dict.fromkeys(("name", "board", "cpu", "machine", "os", "governor", "emulated"), str | None),
        "cores": int | None,
        "isa": tuple[str, ...] | None,
    },
    "conditions": {"affinity": tuple[int, ...] | None},
    "delegate": {"path": str, "options": dict[str, Any] | None, "nodes": int, "total": int, "kind": str | None},
    "limit": dict.fromkeys(("float32_gmacs", "int8_gmacs"), float | None),
    "parallel": {"processes": int, "images_per_s": float, "median_ms": float | None, "p90_ms": float | None},
    "end_to_end": {
        **dict.fromkeys(("way", "library", "version", "resize"), str),
        **dict.fromkeys(("pictures", "runs", "max_difference", "equal"), int),
        **dict.fromkeys((*(f"{case}{part}" for case in ("", "first_") for part in STAGES), "mean_difference"), float),
        **dict.fromkeys(("import_ms", "load_ms"), float),
        "changed": int | None,
    },
    "energy": {
        **dict.fromkeys(("source", "how"), str),
        **dict.fromkeys(("mj", "idle_w", "busy_w", "seconds"), float),
        "interval_mj": tuple[float, float],
        **dict.fromkeys(("pairs", "runs"), int),
    },
    "ops": {"kind": str, "ms": float, "macs": int | None},
    "trace": {"minute": float, "runs": int, "median_ms": float},
}
# Limit of the machine that applies to a precision. "dynamic" and "mixed" have none, because their products may be of
# floats or of integers.
_LIMITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("float32", "float16"), "float32_gmacs"),
    **dict.fromkeys(("int8", "uint8"), "int8_gmacs"),
}


@dataclass(frozen=True, kw_only=True)
class Profile(ArtifactRecord):
    """Latency and memory of one artifact at one thread count on one machine.

    Attributes:
        runtime: Name of the runtime, as `--runtime` takes it.
        runtime_version: Version of the runtime.
        threads: Requested number of threads within one inference.
        load_ms: Time to load the model until it is ready to run, without the import of the runtime; median over rounds.
        first_ms: Time of the first inference; median over rounds.
        times_ns: Time of every steady inference of all rounds, in order.
        round_sizes: Number of `times_ns` in each round; each round is a new process.
        preprocess_ms: Time to turn an image into an input, in none of the other times; None if not measured.
        peak_rss_bytes: Peak resident memory of a process that loads and runs the model, measured apart from the times;
            None if unknown.
        baseline_rss_bytes: Resident memory of this process before it loads the model, the runtime already imported;
            None if unknown.
        host: Facts of the machine, before and after the measurement.
        delegate: `path`, `options` and `kind` ("edgetpu", "provider" or "other") of the TFLite delegate or of
            onnxruntime's execution provider, whose path is its name, which ran `nodes` of `total` ops; None without
            one.
        conditions: How it was measured.
        ops: `index`, `name`, `kind`, `ms` and, where known, `macs`, `bytes` and `gmacs_per_s` of each operator; None
            without `--ops`.
        parallel: With `--processes`: their number, the `seconds` they ran, the `runs` of each in that time,
            `images_per_s` of all, `median_ms` and `p90_ms` of all runs, and `late_ms`, the delay of the last start.
        end_to_end: With `--end-to-end`, for each library that decodes and prepares pictures there: the times of the
            parts from the file of a picture to its answer, and how its pixels differ from those of mnet.
        energy: With `--energy` or `--power`: `source` ("package", "board rails" or "meter") and `how`; `mj` of one
            inference above idle time and its 95 % interval `interval_mj`; `idle_w` and `busy_w`, the mean power;
            `pairs` of windows, their mean `seconds`, and the `runs` in all of them; None if not measured.
        limit: What one large matrix product reaches on this machine with this runtime and number of threads:
            `float32_gmacs` and `int8_gmacs` (10⁹ multiply-accumulates per second), `shape` and `how`.
        trace: With `--sustain`: `minute`, `runs`, `median_ms`, `p90_ms` and, where known, `temperature_c`, `mhz` and
            `throttled` of each minute.
        doubts: Reasons not to trust this profile.
        invalid: Reason not to use the latency at all; tables and comparisons leave it out.
        notes: Other remarks, such as why an int8 file is slower than its float32 sibling.
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
    parallel: dict[str, Any] | None = None
    end_to_end: tuple[dict[str, Any], ...] = ()
    energy: dict[str, Any] | None = None
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
        if any((self.limit or {}).get(key) == 0 for key in _TYPES["limit"]):
            raise ValueError("a limit must be above 0 or null")
        for name, types in _TYPES.items():
            value = getattr(self, name)
            for entry in value if isinstance(value, tuple) else (value,):
                if entry is not None:
                    check_keys(name, entry, types)

    @property
    def rounds(self) -> tuple[tuple[int, ...], ...]:
        """`times_ns` by round; times beyond the sum of `round_sizes` form one more round."""
        edges = dict.fromkeys((0, *accumulate(self.round_sizes), len(self.times_ns)))
        return tuple(self.times_ns[start:end] for start, end in pairwise(edges) if self.times_ns[start:end])

    @property
    def median_ms(self) -> float:
        """Median steady latency."""
        return statistics.median(self.times_ns) / 1e6

    @cached_property  # the bootstrap is slow, and tables, charts and notes use its result
    def interval_ms(self) -> tuple[float, float] | None:
        """95 % interval of the median, or None if there are too few runs."""
        ends = interval.median(self.rounds)
        return ends and (ends[0] / 1e6, ends[1] / 1e6)

    def percentile_ms(self, percent: float) -> float | None:
        """Return the nearest-rank percentile, or None if fewer than one run lies beyond it."""
        if len(self.times_ns) * (100 - percent) < 100:
            return None
        rank = math.ceil(len(self.times_ns) * percent / 100)
        return sorted(self.times_ns)[rank - 1] / 1e6

    @property
    def spread(self) -> float:
        """Half the distance between the 10th and 90th percentile, relative to the median."""
        ordered = sorted(self.times_ns)
        tenth = len(ordered) // 10
        return (ordered[-1 - tenth] - ordered[tenth]) / 2 / statistics.median(ordered)

    @property
    def of_limit(self) -> float | None:
        """Speed of the whole inference relative to the machine's matrix product, or None if either is unknown."""
        limit = (self.limit or {}).get(_LIMITS.get(self.precision, ""))
        return self.macs / (self.median_ms * 1e6) / limit if self.macs and limit else None

    def derived(self) -> dict[str, Any]:
        """Return the statistics of the times, and the speed relative to the limit.

        Returns:
            n: Number of steady inferences.
            median_ms: Median latency.
            interval_ms: 95 % interval of the median; None below 6 runs.
            mean_ms: Mean latency.
            min_ms: Fastest inference.
            p90_ms: 90th percentile, nearest rank; None below 10 runs.
            p95_ms: 95th percentile; None below 20 runs.
            p99_ms: 99th percentile; None below 100 runs.
            spread: Half the distance between the 10th and the 90th percentile, relative to the median.
            outliers: Indexes into `times_ns` of runs more than 3.5 robust standard deviations (1.4826 times the median
                absolute deviation, at least 1 % of the median) from the median. They stay in every figure.
            of_limit: `macs` per second relative to the `limit` of the file's element type; None for dynamic and mixed
                files.
        """
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
