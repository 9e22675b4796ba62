"""Reasons not to trust a profile, read off its times and the machine's facts before and after."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from typing import Any, Final

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
    return [*_of_target(profile), *_of_times(profile), *_of_load(profile), *_of_machine(profile)]


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


def _of_times(profile: Profile) -> Iterator[str]:
    count, asked = len(profile.times_ns), profile.conditions.get("runs", 0)
    if count < asked:
        yield f"time ran out after {count} of {asked} runs: raise --max-seconds"
    if count < FEW_RUNS:
        yield f"{count} runs are few: ask for at least {FEW_RUNS} with --runs"
    if profile.spread > WIDE_SPREAD:
        yield f"times vary by ±{profile.spread:.0%}: close other programs and run again"
    apart = _rounds_apart(profile)
    if apart > ROUNDS_APART:
        yield f"the rounds' medians lie {apart:.0%} apart, so the machine changed meanwhile: run again when it is idle"


def _of_load(profile: Profile) -> Iterator[str]:
    cores = profile.host.get("cores")
    if cores and profile.threads > cores:
        yield f"{profile.threads} threads share {cores} cores: ask for at most {cores} with --threads"
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
    before, after = profile.host.get("before", {}), profile.host.get("after", {})
    reasons = _throttled(before, after)
    if reasons:
        yield f"the CPU was throttled ({', '.join(reasons)}): cool it, check its power supply and run again"
    slow, fast = sorted((max(before.get("mhz", ()), default=0), max(after.get("mhz", ()), default=0)))
    if slow and fast / slow - 1 > FREQUENCY_MOVED:
        yield f"the CPU's frequency moved between {slow} and {fast} MHz: fix it with the performance governor"
    if profile.host.get("governor") == "powersave":
        yield "the powersave governor may hold the frequency down: choose performance and run again"
    if after.get("swapped_pages", 0) > before.get("swapped_pages", 0):
        yield "the machine was swapping: free some memory and run again"


def _throttled(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    since = set(after.get("throttled_since_boot", ())) - set(before.get("throttled_since_boot", ()))
    reasons = {*before.get("throttled", ()), *after.get("throttled", ()), *since}
    if after.get("throttle_count", 0) > before.get("throttle_count", 0):
        reasons.add("temperature")
    return sorted(reasons)


def _rounds_apart(profile: Profile) -> float:
    edges = (0, *accumulate(profile.round_sizes))
    medians = [statistics.median(profile.times_ns[start:end]) for start, end in pairwise(edges)]
    return (max(medians) - min(medians)) / statistics.median(medians) if medians else 0.0
