"""Find reasons not to trust a profile, from its times and the state of the machine during the measurement."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mobilenet_edge.analysis import modes
from mobilenet_edge.records import Profile
from mobilenet_edge.records.record import CALIBRATED
from mobilenet_edge.records.remark import Remark

# With fewer runs, the 90th percentile rests on one or two of them.
MIN_RUNS: Final = 20
MAX_SPREAD: Final = 0.10
MAX_ROUND_DIFFERENCE: Final = 0.10
MAX_FREQUENCY_CHANGE: Final = 0.10
MAX_OTHER_CORES: Final = 0.2
MAX_STOLEN_CORES: Final = 0.05
# The kernel counts CPU time in ticks of 10 ms, so shorter phases cannot show other programs.
MIN_WALL_NS: Final = 200_000_000


def doubts(profile: Profile) -> list[Remark]:
    """List the reasons to measure again; empty if there are none."""
    parts = (_target_doubts, _delegate_doubts, _times_doubts, _load_doubts, _machine_doubts)
    return [doubt for part in parts for doubt in part(profile)]


def invalid(profile: Profile) -> Remark | None:
    """Return the reason not to use the latency at all, or None. A throttled CPU makes it invalid."""
    before, *later = _moments(profile)
    reasons = sorted({reason for moment in later for reason in _throttled(before, moment)})
    return Remark("throttled", reasons=reasons) if reasons else None


def _target_doubts(profile: Profile) -> Iterator[Remark]:
    """Check whether the file was made for another CPU, which makes it slow or wrong."""
    machine, features = str(profile.host.get("machine", "")), profile.host.get("isa", ())
    x86, target = machine in ("x86_64", "AMD64"), profile.target
    if target == "tflm" or profile.runtime == "tflm":
        yield Remark("microcontroller")
    if not machine or profile.precision not in CALIBRATED or profile.format != "onnx":
        return
    if target == "arm64" and x86:
        yield Remark("arm64-file-on-x86")
    if target in ("x86", "x86-vnni") and not x86:
        yield Remark("x86-file-elsewhere", target=target, machine=machine)
    if target == "x86-vnni" and x86 and not any("VNNI" in str(feature).upper() for feature in features):
        yield Remark("no-vnni")


def _delegate_doubts(profile: Profile) -> Iterator[Remark]:
    if profile.delegate is None:
        return
    nodes, total = profile.delegate["nodes"], profile.delegate["total"]
    if not nodes:
        yield Remark("delegate-idle", total=total)
    elif nodes < total:
        yield Remark("delegate-partial", nodes=nodes, total=total)


def _times_doubts(profile: Profile) -> Iterator[Remark]:
    count, requested = len(profile.times_ns), profile.conditions.get("runs", 0)
    if count < requested:
        yield Remark("time-ran-out", runs=count, asked=requested)
    if count < MIN_RUNS:
        yield Remark("few-runs", runs=count, least=MIN_RUNS)
    groups = modes.find(profile.rounds) if count >= MIN_RUNS else None
    if groups:
        yield Remark(
            "two-groups",
            low_share=1 - groups.share,
            low_ms=groups.low_ms,
            high_share=groups.share,
            high_ms=groups.high_ms,
        )
    elif profile.spread > MAX_SPREAD:
        yield Remark("times-vary", spread=profile.spread)
    difference = _round_difference(profile)
    if difference > MAX_ROUND_DIFFERENCE:
        yield Remark("rounds-differ", difference=difference)


def _load_doubts(profile: Profile) -> Iterator[Remark]:
    cores = profile.host.get("cores")
    if cores and profile.threads > cores:
        yield Remark("too-many-threads", threads=profile.threads, cores=cores)
    concurrent = profile.conditions.get("concurrent", 0)
    if concurrent:
        yield Remark("concurrent", seen=concurrent)
    usage = profile.conditions.get("usage", {})
    wall = usage.get("wall_ns", 0)
    if wall >= MIN_WALL_NS:
        others = usage.get("others_ns", 0) / wall
        if others > MAX_OTHER_CORES:
            yield Remark("other-programs", cores=others)
        stolen = usage.get("stolen_ns", 0) / wall
        if stolen > MAX_STOLEN_CORES:
            yield Remark("stolen-time", cores=stolen)


def _machine_doubts(profile: Profile) -> Iterator[Remark]:
    moments = _moments(profile)
    if emulator := profile.host.get("emulated"):
        yield Remark("emulated", emulator=emulator)
    fastest = [max(moment["mhz"]) for moment in moments if moment.get("mhz")]
    low, high = min(fastest, default=0), max(fastest, default=0)
    if low and high / low - 1 > MAX_FREQUENCY_CHANGE:
        yield Remark("frequency-moved", low_mhz=low, high_mhz=high)
    if profile.host.get("governor") == "powersave":
        yield Remark("powersave")
    swapped = [moment["swapped_pages"] for moment in moments if "swapped_pages" in moment]
    if swapped and max(swapped) > swapped[0]:
        yield Remark("swapping")


def _moments(profile: Profile) -> Sequence[Mapping[str, Any]]:
    """Return the state of the machine before, during and after the measurement."""
    host = profile.host
    return host.get("before", {}), *profile.conditions.get("samples", ()), host.get("after", {})


def _throttled(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from before.get("throttled", ())
    yield from after.get("throttled", ())
    if "throttled_since_boot" in before:
        yield from set(after.get("throttled_since_boot", ())) - set(before["throttled_since_boot"])
    if after.get("throttle_count", 0) > before.get("throttle_count", after.get("throttle_count", 0)):
        yield "temperature"


def _round_difference(profile: Profile) -> float:
    medians = [statistics.median(times) for times in profile.rounds]
    return (max(medians) - min(medians)) / statistics.median(medians)
