"""Results as JSON: what `--json` writes and `mnet table` reads. docs/records.md documents every field.

A record is flat: the identity of the artifact that was measured, then what was measured, then the conditions.
Schema version 1; changing a field's meaning raises it, and a newer version is refused, not guessed at.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Final

from mobilenet_edge import files, typed
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.spec import ModelSpec

SCHEMA_VERSION: Final = 1

# The facts of a machine that are read again; the rest of `host` is for people.
_HOST: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("name", "board", "cpu", "machine", "os", "governor"), str | None),
    "cores": int | None,
    "isa": tuple[str, ...] | None,
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """Identity of an artifact; every kind of record begins with it.

    Attributes:
        artifact: Path, as it was given.
        sha256: Of the file, as hex; records of one artifact are joined by it.
        size_bytes: File size.
        format: "tflite", "onnx" or "keras".
        precision: "float32", "int8", "uint8", "float16", "dynamic" or "unknown".
        variant: Name of the model; the file's stem for a foreign file.
        spec: {"alpha", "resolution", "classes"} of a MobileNet of the paper, else None.
        target: What the file was made for, None for a foreign file.
        macs: Multiply-accumulates of one inference, None where unknown.
        parameters: Weights and biases, None where unknown.
        weights: "random", "imagenet" or a file name, None where unknown.
        calibration: {"source", "count", "note"...} of an int8 file, else None.
        lacks: What the file does not say of itself, in words.
    """

    kind: ClassVar[str]

    artifact: str
    sha256: str
    size_bytes: int
    format: str
    precision: str
    variant: str
    spec: dict[str, Any] | None = None
    target: str | None = None
    macs: int | None = None
    parameters: int | None = None
    weights: str | None = None
    calibration: dict[str, Any] | None = None
    lacks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        typed.check(self)
        if self.spec is not None:
            typed.check(ModelSpec(**self.spec))
            if len(self.spec) < len(fields(ModelSpec)):
                raise ValueError("spec lacks alpha, resolution or classes")
        if not typed.fits((self.calibration or {}).get("note", ""), str):
            raise TypeError("the note of calibration is not text")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object: the fields, the derived figures, and the version."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"schema_version": SCHEMA_VERSION, "kind": self.kind, **own, **self.derived()}

    def derived(self) -> dict[str, Any]:
        """Figures computed from the fields; written for readers, never read back."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Profile(Record):
    """Latency and memory of one artifact at one thread count on one machine.

    Attributes:
        runtime: "litert", "tflite-runtime" or "onnxruntime".
        runtime_version: Its version.
        threads: Intra-op threads asked for.
        load_ms: Opening the file until ready to run; median over rounds.
        first_ms: The first inference; median over rounds.
        times_ns: Every steady inference, in order, all rounds.
        round_sizes: How many of `times_ns` belong to each round.
        peak_rss_bytes: Peak resident memory of a worker that loads and runs the model, None where unknown.
        baseline_rss_bytes: The same worker's memory before the model was opened, None where unknown.
        host: Facts of the machine before and after; see docs/records.md.
        conditions: How it was measured: warm-up, runs, seconds, inputs, rounds.
        doubts: Reasons not to trust this profile, each a sentence with what to do.
    """

    kind = "profile"

    runtime: str
    runtime_version: str
    threads: int
    load_ms: float
    first_ms: float
    times_ns: tuple[int, ...]
    round_sizes: tuple[int, ...]
    peak_rss_bytes: int | None = None
    baseline_rss_bytes: int | None = None
    host: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.times_ns or min(self.times_ns) <= 0:
            raise ValueError("times_ns must hold times above 0")
        host = {**self.host, "isa": _frozen(self.host.get("isa"))}
        for key, hint in _HOST.items():
            if not typed.fits(host.get(key), hint):
                raise TypeError(f"the host's {key} cannot be {host[key]!r:.60}")

    @property
    def median_ms(self) -> float:
        """Median steady latency."""
        return statistics.median(self.times_ns) / 1e6

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

    def derived(self) -> dict[str, Any]:
        """Median, percentiles where n carries them, mean and spread."""
        return {
            "n": len(self.times_ns),
            "median_ms": self.median_ms,
            "mean_ms": statistics.fmean(self.times_ns) / 1e6,
            "min_ms": min(self.times_ns) / 1e6,
            "p90_ms": self.percentile_ms(90),
            "p99_ms": self.percentile_ms(99),
            "spread": self.spread,
        }


@dataclass(frozen=True, kw_only=True)
class Evaluation(Record):
    """Accuracy of one artifact on a folder of images.

    Attributes:
        top1: Share of images whose first answer is right.
        top5: Share of images whose first five answers hold the right one.
        n: Number of images scored.
        interval: 95 % Wilson interval of `top1`.
        agreement: Share of images with the same top-1 as the reference, None without one.
        reference: Path of the reference model.
        data: The image folder.
        unreadable: Names of image files that could not be read and are not counted.
        runtime: What ran the model.
        runtime_version: Its version.
        conditions: How it was measured: threads, images found, where the labels come from, preprocessing.
    """

    kind = "evaluation"

    top1: float
    top5: float
    n: int
    interval: tuple[float, float]
    agreement: float | None = None
    reference: str | None = None
    data: str = ""
    unreadable: tuple[str, ...] = ()
    runtime: str = ""
    runtime_version: str = ""
    conditions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if not 0 <= self.top1 <= self.top5 <= 1 or not 0 <= (self.agreement or 0) <= 1:
            raise ValueError("top1, top5 and agreement are shares: from 0 to 1, and top5 no less than top1")


@dataclass(frozen=True, kw_only=True)
class Inspection(Record):
    """What is inside a file.

    Attributes:
        metadata: The artifact's own, None for a foreign file.
        ops: Name and count of each kind of operator.
        bytes: Where the file's bytes go, by part; sums to `size_bytes`.
        inputs: Name, shape and element type.
        outputs: Name, shape and element type.
        head_room: Of each .onnx layer whose 16-bit sums may overflow on x86 without VNNI: `layer`, its `pairs` of
            weights, the `largest` and how many are `over` the limit, null where the file does not hold the weights.
            None for a file that multiplies no integers, or not with onnxruntime.
        preflight: What a target would take of the file, None where none was asked; see docs/records.md.
    """

    kind = "inspection"

    metadata: dict[str, Any] | None
    ops: dict[str, int]
    bytes: dict[str, int]
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    head_room: tuple[dict[str, Any], ...] | None = None
    preflight: dict[str, Any] | None = None


KINDS: Final[Mapping[str, type[Record]]] = {each.kind: each for each in (Profile, Evaluation, Inspection)}


def dumps(records: Iterable[Record]) -> str:
    """Serialise records as the JSON array of `--json`."""
    return json.dumps([record.to_dict() for record in records], indent=1) + "\n"


def write(path: Path, records: Iterable[Record]) -> None:
    """Write records to a file, whole or not at all."""
    files.write_text(path, dumps(records))


def read(path: Path) -> list[Record]:
    """Read the records of a file that `write` wrote.

    Raises:
        InputError: Missing, not JSON, not records, or written by a newer version.
    """
    try:
        data = json.loads(files.read_bytes(path), parse_constant=_refuse)
        if not isinstance(data, list):
            raise TypeError("not a JSON array")
        return [_parse(entry) for entry in data]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise InputError(
            f"{path} does not hold records of mnet ({_line(error)}); give it a file written by --json"
        ) from error
    except InputError as error:
        raise InputError(f"{path}: {error}") if str(path) not in str(error) else error from None


def _parse(entry: dict[str, Any]) -> Record:
    if entry["schema_version"] != SCHEMA_VERSION:
        raise InputError(f"record schema {entry['schema_version']!r}, this is {SCHEMA_VERSION}; upgrade mobilenet-edge")
    cls = KINDS.get(entry["kind"])
    if cls is None:
        raise ValueError(f"unknown kind {entry['kind']!r}")
    known = {each.name for each in fields(cls)}
    values = {name: _frozen(value) for name, value in entry.items() if name in known}
    return cls(**values)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number of JSON")


def _line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return " ".join(str(error).split())


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
