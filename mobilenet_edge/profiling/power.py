"""Turn the energy of windows of idle time and of inferences into that of one inference."""

from __future__ import annotations

import csv
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from mobilenet_edge import files
from mobilenet_edge.errors import HostError, InputError
from mobilenet_edge.records.interval import CONFIDENCE, student_t

Samples = Sequence[tuple[float, float]]
Window = Mapping[str, Any]
# A meter's log may be written some seconds late.
LATE_SECONDS: Final = 10
# Samples that a window needs between its ends.
MIN_SAMPLES: Final = 3


def summarise(document: Mapping[str, Any], samples: Samples) -> dict[str, Any]:
    """Compute the energy of one inference.

    The power of each idle window is subtracted from the window of inferences after it; the interval of the mean is that
    of Student's t over these pairs.

    Args:
        document: Answer of the worker in the mode "energy".
        samples: Seconds of the worker's monotonic clock and watts, ascending; not used if the windows have joules.

    Returns:
        The field `energy` of a profile.

    Raises:
        HostError: The samples do not cover a window.
    """
    windows = document["windows"]
    joules = [_joules(window, samples) for window in windows]
    seconds = [window["end"] - window["start"] for window in windows]
    runs = [window["runs"] for window in windows[1::2]]
    idle, busy = (
        [energy / length for energy, length in zip(joules[at::2], seconds[at::2], strict=True)] for at in (0, 1)
    )
    above = [(power - rest) * length for power, rest, length in zip(busy, idle, seconds[1::2], strict=True)]
    energies = [1e3 * energy / count for energy, count in zip(above, runs, strict=True)]
    mean = statistics.fmean(energies)
    score = float(student_t(len(energies) - 1, CONFIDENCE, absolute=True))
    half = score * statistics.stdev(energies) / math.sqrt(len(energies))
    return {
        "source": document["source"],
        "how": document["how"],
        "mj": mean,
        "interval_mj": [mean - half, mean + half],
        "idle_w": statistics.fmean(idle),
        "busy_w": statistics.fmean(busy),
        "pairs": len(energies),
        "seconds": statistics.fmean(seconds),
        "runs": sum(runs),
    }


def read_log(path: Path) -> list[tuple[float, float]]:
    """Read a meter's log: a CSV file with the columns "time" and "watts".

    A time is in seconds since the epoch, or ISO 8601; without an offset from UTC, it is that of this machine.

    Returns:
        Seconds since the epoch and watts, ascending.

    Raises:
        InputError: The file cannot be read, lacks a column, or has a value that is no number, or times that go back.
    """
    text = files.read_bytes(path).decode("utf-8-sig", errors="replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # The meter may be writing its last line.
    reader = csv.DictReader(lines[:-1], skipinitialspace=True)
    try:
        return _read_rows(path, reader)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num + 1}: {error}; correct it") from error


def _read_rows(path: Path, reader: csv.DictReader[str]) -> list[tuple[float, float]]:
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    if missing := [name for name in ("time", "watts") if name not in names]:
        raise InputError(f"{path} has no column {missing[0]!r}; its first line must name time and watts")
    samples: list[tuple[float, float]] = []
    for row in reader:
        try:
            sample = _seconds(row[names["time"]]), float(row[names["watts"]])
        except (TypeError, ValueError) as error:
            raise InputError(f"{path}, line {reader.line_num}: time and watts must be numbers; correct it") from error
        if not all(map(math.isfinite, sample)) or (samples and sample[0] < samples[-1][0]):
            raise InputError(f"{path}, line {reader.line_num}: times must ascend, and watts be finite; correct it")
        samples.append(sample)
    return samples


def log_samples(
    path: Path, document: Mapping[str, Any], received: float, sleep: Callable[[float], object] = time.sleep
) -> list[tuple[float, float]]:
    """Read a meter's log with the times of a worker's monotonic clock, and wait some seconds for its last samples.

    Args:
        path: The log.
        document: Answer of the worker.
        received: When it was received, in seconds since the epoch on the machine that the meter's times are of. The
            clock of another machine may be wrong, so that of its worker is set by this; the way over the network is
            taken for nothing.
        sleep: Function that sleeps for a number of seconds.

    Raises:
        InputError: As `read_log`.
    """
    offset = received - document["now_s"]
    end = document["windows"][-1]["end"] + offset
    samples = read_log(path)
    for _ in range(LATE_SECONDS):
        if samples and samples[-1][0] >= end:
            break
        sleep(1.0)
        samples = read_log(path)
    return [(at - offset, power) for at, power in samples]


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text.strip()).timestamp()


def _joules(window: Window, samples: Samples) -> float:
    """Return the energy of a window: of its counters, or of the samples in it by the trapezoidal rule."""
    if window["joules"] is not None:
        return float(window["joules"])
    start, end = window["start"], window["end"]
    inside = [(at, power) for at, power in samples if start < at < end]
    if len(inside) < MIN_SAMPLES or samples[0][0] > start or samples[-1][0] < end:
        raise HostError(
            f"power was read {len(inside)} times in {end - start:.1f} s of the measurement, or not before and after "
            "it; log once a second or more often, from before mnet starts until it ends"
        )
    times, powers = np.array(samples).T
    at = np.array([start, *(at for at, _ in inside), end])
    power = np.interp(at, times, powers)
    return float(((power[1:] + power[:-1]) / 2 * np.diff(at)).sum())
