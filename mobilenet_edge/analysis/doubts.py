"""Reasons not to trust a profile, read off its times and the machine's facts before, during and after."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mobilenet_edge.analysis import modes
from mobilenet_edge.records import Profile

FEW_RUNS: Final = 20  # below it even the 90th percentile rests on a single run or two
WIDE_SPREAD: Final = 0.10
ROUNDS_APART: Final = 0.10
FREQUENCY_MOVED: Final = 0.10
OTHERS_CORES: Final = 0.2
STOLEN_SHARE: Final = 0.05
# The kernel counts CPU time in ticks of 10 ms; a shorter phase says nothing about others.
ENOUGH_NS: Final = 200_000_000


def doubts(profile: Profile) -> list[str]:
    """List reasons to measure again, each a sentence with what to do; empty where there is none."""
    parts = (_of_target, _of_delegate, _of_times, _of_load, _of_machine)
    return [doubt for part in parts for doubt in part(profile)]


def invalid(profile: Profile) -> str | None:
    """Say why the latency must not be used at all, None where it may: a throttled CPU is slower than it is."""
    before, *later = _moments(profile)
    reasons = sorted({reason for each in later for reason in _throttled(before, each)})
    if not reasons:
        return None
    return f"the CPU was throttled ({', '.join(reasons)}): cool it, check its power supply and measure again"


def _of_target(profile: Profile) -> Iterator[str]:
    """Files made for another kind of machine: slower than need be, or wrong."""
    machine, features = str(profile.host.get("machine", "")), profile.host.get("isa", ())
    x86, target = machine in ("x86_64", "AMD64"), profile.target
    if not machine or profile.precision != "int8" or profile.format != "onnx":
        return
    if target == "arm64" and x86:
        yield "made for arm64, and onnxruntime has slower kernels for it on x86: export it with --target x86"
    if target in ("x86", "x86-vnni") and not x86:
        yield f"made for {target}, and this is {machine}: export it with --target arm64"
    if target == "x86-vnni" and x86 and not any("VNNI" in str(each).upper() for each in features):
        yield "made for x86 with VNNI, which this CPU lacks, so its sums may be cut off: export it with --target x86"


def _of_delegate(profile: Profile) -> Iterator[str]:
    if profile.delegate is None:
        return
    nodes, total = profile.delegate["nodes"], profile.delegate["total"]
    if not nodes:
        yield f"0 of {total} ops on the delegate: everything ran on the CPU, so leave it out or export for it"
    elif nodes < total:
        yield f"only {nodes} of {total} ops on the delegate, the others on the CPU: export the file for the delegate"


def _of_times(profile: Profile) -> Iterator[str]:
    count, asked = len(profile.times_ns), profile.conditions.get("runs", 0)
    if count < asked:
        yield f"time ran out after {count} of {asked} runs: raise --max-seconds"
    if count < FEW_RUNS:
        yield f"{count} runs are few: ask for at least {FEW_RUNS} with --runs"
    found = modes.find(profile.rounds) if count >= FEW_RUNS else None
    if found:
        yield (
            f"the times come in two groups, {1 - found.share:.0%} about {found.low_ms:.2f} ms and {found.share:.0%} "
            f"about {found.high_ms:.2f} ms: close other programs, fix the frequency or pin a CPU with --affinity"
        )
    elif profile.spread > WIDE_SPREAD:
        yield f"times vary by ±{profile.spread:.0%}: close other programs and run again"
    apart = _rounds_apart(profile)
    if apart > ROUNDS_APART:
        yield f"the rounds' medians lie {apart:.0%} apart, so the machine changed meanwhile: run again when it is idle"


def _of_load(profile: Profile) -> Iterator[str]:
    cores = profile.host.get("cores")
    if cores and profile.threads > cores:
        yield f"{profile.threads} threads share {cores} cores: ask for at most {cores} with --threads"
    concurrent = profile.conditions.get("concurrent", 0)
    if concurrent:
        yield f"other measurements ran on this machine at the same time ({concurrent} seen): run one after the other"
    usage = profile.conditions.get("usage", {})
    wall = usage.get("wall_ns", 0)
    if wall >= ENOUGH_NS:
        others = usage.get("others_ns", 0) / wall
        if others > OTHERS_CORES:
            yield f"other programs kept {others:.1f} cores busy: close them and run again"
        stolen = usage.get("stolen_ns", 0) / wall
        if stolen > STOLEN_SHARE:
            yield f"the hypervisor gave {stolen:.1f} cores' time to others: run again, or on a machine of your own"


def _of_machine(profile: Profile) -> Iterator[str]:
    moments = _moments(profile)
    if emulated := profile.host.get("emulated"):
        yield f"run by {emulated}, an emulator, so these times are of no machine: measure on the device"
    fastest = [max(each["mhz"]) for each in moments if each.get("mhz")]
    slow, fast = min(fastest, default=0), max(fastest, default=0)
    if slow and fast / slow - 1 > FREQUENCY_MOVED:
        yield f"the CPU's frequency moved between {slow} and {fast} MHz: fix it with the performance governor"
    if profile.host.get("governor") == "powersave":
        yield "the powersave governor may hold the frequency down: choose performance and run again"
    swapped = [each["swapped_pages"] for each in moments if "swapped_pages" in each]
    if swapped and max(swapped) > swapped[0]:
        yield "the machine was swapping: free some memory and run again"


def _moments(profile: Profile) -> Sequence[Mapping[str, Any]]:
    """What moves, as it was before, during and after the measurement."""
    host = profile.host
    return host.get("before", {}), *profile.conditions.get("samples", ()), host.get("after", {})


def _throttled(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from before.get("throttled", ())
    yield from after.get("throttled", ())
    if "throttled_since_boot" in before:
        yield from set(after.get("throttled_since_boot", ())) - set(before["throttled_since_boot"])
    if after.get("throttle_count", 0) > before.get("throttle_count", after.get("throttle_count", 0)):
        yield "temperature"


def _rounds_apart(profile: Profile) -> float:
    medians = [statistics.median(each) for each in profile.rounds]
    return (max(medians) - min(medians)) / statistics.median(medians)
