"""Reasons not to trust a profile, read off its times and the machine's facts before, during and after."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mobilenet_edge.analysis import modes
from mobilenet_edge.records import Profile
from mobilenet_edge.records.remark import Remark

MIN_RUNS: Final = 20  # below it even the 90th percentile rests on a single run or two
MAX_SPREAD: Final = 0.10
MAX_ROUND_DIFFERENCE: Final = 0.10
MAX_FREQUENCY_CHANGE: Final = 0.10
MAX_OTHER_CORES: Final = 0.2
MAX_STOLEN_CORES: Final = 0.05
# The kernel counts CPU time in ticks of 10 ms; a shorter phase says nothing about other programs.
MIN_WALL_NS: Final = 200_000_000


def doubts(profile: Profile) -> list[Remark]:
    """List the reasons to measure again; empty where there is none."""
    parts = (_of_target, _of_delegate, _of_times, _of_load, _of_machine)
    return [doubt for part in parts for doubt in part(profile)]


def invalid(profile: Profile) -> Remark | None:
    """Say why the latency must not be used at all, None where it may: a throttled CPU is slower than it is."""
    before, *later = _moments(profile)
    reasons = sorted({reason for moment in later for reason in _throttled(before, moment)})
    return Remark("throttled", reasons=reasons) if reasons else None


def _of_target(profile: Profile) -> Iterator[Remark]:
    """Doubt files made for another type of machine: slower than need be, or wrong."""
    machine, features = str(profile.host.get("machine", "")), profile.host.get("isa", ())
    x86, target = machine in ("x86_64", "AMD64"), profile.target
    if not machine or profile.precision != "int8" or profile.format != "onnx":
        return
    if target == "arm64" and x86:
        yield Remark("arm64-file-on-x86")
    if target in ("x86", "x86-vnni") and not x86:
        yield Remark("x86-file-elsewhere", target=target, machine=machine)
    if target == "x86-vnni" and x86 and not any("VNNI" in str(feature).upper() for feature in features):
        yield Remark("no-vnni")


def _of_delegate(profile: Profile) -> Iterator[Remark]:
    if profile.delegate is None:
        return
    nodes, total = profile.delegate["nodes"], profile.delegate["total"]
    if not nodes:
        yield Remark("delegate-idle", total=total)
    elif nodes < total:
        yield Remark("delegate-partial", nodes=nodes, total=total)


def _of_times(profile: Profile) -> Iterator[Remark]:
    count, asked = len(profile.times_ns), profile.conditions.get("runs", 0)
    if count < asked:
        yield Remark("time-ran-out", runs=count, asked=asked)
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


def _of_load(profile: Profile) -> Iterator[Remark]:
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


def _of_machine(profile: Profile) -> Iterator[Remark]:
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
    """Return what changes on a machine, as it was before, during and after the measurement."""
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
