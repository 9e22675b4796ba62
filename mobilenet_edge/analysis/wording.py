"""The sentences of all remarks: the one place where a code becomes words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from string import Formatter
from typing import Any, Final, TypeGuard

from mobilenet_edge.records.remark import Remark, Value
from mobilenet_edge.units import format_bytes

# Format strings over the values of a remark. Several remarks of one code share a sentence: see `sentence`.
DOUBTS: Final[Mapping[str, str]] = {
    "arm64-file-on-x86": (
        "made for arm64, and onnxruntime has slower kernels for it on x86: export it with --target x86"
    ),
    "x86-file-elsewhere": "made for {target}, and this is {machine}: export it with --target arm64",
    "no-vnni": (
        "made for x86 with VNNI, which this CPU lacks, so its sums may be cut off: export it with --target x86"
    ),
    "delegate-idle": ("0 of {total} ops on the delegate: everything ran on the CPU, so leave it out or export for it"),
    "delegate-partial": (
        "only {nodes} of {total} ops on the delegate, the others on the CPU: export the file for the delegate"
    ),
    "time-ran-out": "time ran out after {runs} of {asked} runs: raise --max-seconds",
    "few-runs": "{runs} runs are few: ask for at least {least} with --runs",
    "two-groups": (
        "the times come in two groups, {low_share:.0%} about {low_ms:.2f} ms and {high_share:.0%} about "
        "{high_ms:.2f} ms: close other programs, fix the frequency or pin a CPU with --affinity"
    ),
    "times-vary": "times vary by ±{spread:.0%}: close other programs and run again",
    "rounds-differ": (
        "the medians of the rounds differ by {difference:.0%}, so the machine changed meanwhile: "
        "run again when it is idle"
    ),
    "too-many-threads": "{threads} threads share {cores} cores: ask for at most {cores} with --threads",
    "concurrent": "other measurements ran on this machine at the same time ({seen} seen): run one after the other",
    "other-programs": "other programs kept {cores:.1f} cores busy: close them and run again",
    "stolen-time": ("the hypervisor gave {cores:.1f} cores' time to others: run again, or on a machine of your own"),
    "emulated": "run by {emulator}, an emulator, so these times are of no real machine: measure on the device",
    "frequency-moved": (
        "the CPU's frequency moved between {low_mhz} and {high_mhz} MHz: fix it with the performance governor"
    ),
    "powersave": "the powersave governor may hold the frequency down: choose performance and run again",
    "swapping": "the machine was swapping: free some memory and run again",
    "throttled": "the CPU was throttled ({reasons}): cool it, check its power supply and measure again",
    "median-unknown": "the median is not known to the ±{asked:.1%} asked for: raise --max-seconds",
    "median-wide": "the median is known to ±{reached:.1%}, not to the ±{asked:.1%} asked for: raise --max-seconds",
    "rate-missed": (
        "{rate_per_s:g} runs a second were not reached, since one takes {median_ms:.1f} ms: "
        "ask for less than {reachable_per_s:.1f} with --rate"
    ),
}
NOTES: Final[Mapping[str, str]] = {
    "no-ops": "its operators could not be measured: {reason}",
    "no-limit": "the machine's limit could not be measured: {reason}",
    "assumed": "fed with images; not in the file: {what}",
    "preprocessing": "decoding and preprocessing an image took {preprocess_ms:.1f} ms, in none of the times",
    "preprocessing-elsewhere": "the images were prepared on the workstation, so preprocessing was not timed here",
    "slower": "{precision} is {slower:.0%} slower than float32 ({format})",
    "no-faster": "{precision} is no faster than float32 ({format}): the ratio of the medians is {ratio:.2f}",
    "slow-products": (
        "why it is slow: int8 matrix products are only {ratio:.1f}x as fast as float32 here ({int8_gmacs:.0f} and "
        "{float32_gmacs:.0f} GMAC/s), and int8 scales every output as well"
    ),
    "slow-cpu": "why it is slow: this CPU has no dot products of 8-bit integers ({missing})",
    "slow-arm64-file": (
        "why it is slow: made for arm64, whose int8 activations onnxruntime multiplies slower on x86: --target x86"
    ),
    "slow-x86-file": (
        "why it is slow: made for {target}, and onnxruntime advises int8 activations on Arm: --target arm64"
    ),
    "slow-uint8": "why it is slow: TFLite's older uint8 scheme, whose kernels are slower than those of int8",
    "slow-float-ops": "why it is slow: {count} of its {total} ops were left in float32 ({share:.0%} of its time)",
    "slow-depthwise": (
        "why it is slow: depthwise convolutions, which are no matrix products, take {share:.0%} of its time"
    ),
    "slow-unexplained": "why it is slow: nothing that was measured says; measure again with --ops",
}
CONTRADICTIONS: Final[Mapping[str, str]] = {
    "tensor-size": (
        "tensor {tensor} has {size_bytes:.3g} bytes by its dimensions, and the file {stored_bytes:bytes} of it"
    ),
    "weights-type": "its metadata says {metadata}, but most of its weights are {file}",
    "activations-type": "its metadata says {metadata}, but its activations are {file}",
    "labels-count": "its metadata says {classes} classes and names {labels}",
    "input-size": "its metadata says images of {height} x {width} pixels and {channels} channels, but its input is "
    "[{shape}]",
    "output-size": "its metadata says {classes} classes, but its output is [{shape}]",
    "io-type": "its metadata says {metadata} at its ends, but its {end} is {file}",
    "io-scale": (
        "its metadata says scale {scale:.6g} and zero point {zero_point} at its {end}, "
        "but the tensor has {file_scale:.6g} and {file_zero_point}"
    ),
}
SENTENCES: Final[Mapping[str, str]] = {"text": "{text}", **DOUBTS, **NOTES, **CONTRADICTIONS}


class _Span:
    """The values of one name over several remarks: formatted alike, from the least to the greatest."""

    def __init__(self, values: Sequence[Value]) -> None:
        self.values = values

    def __format__(self, spec: str) -> str:
        # Remarks of equal `key` differ in their numbers alone.
        numbers = [value for value in self.values if _is_number(value)]
        ordered = sorted(numbers) if len(numbers) == len(self.values) else self.values
        texts = dict.fromkeys(_format(value, spec) for value in (ordered[0], ordered[-1]))
        return " to ".join(texts)


def sentence(*remarks: Remark) -> str:
    """Say a remark, or several of equal `key` at once: a number then stands as the range that it has over them.

    A remark of a newer version, whose code is not known here, is its code and its values.
    """
    first = remarks[0]
    template = SENTENCES.get(first.code)
    try:
        if template is not None:
            spans = {name: _Span([each.values[name] for each in remarks]) for name in fields(template)}
            return template.format_map(spans)
    except (KeyError, ValueError, TypeError):
        pass  # a record that was changed by hand
    return ", ".join([first.code, *(f"{name} {_format(value, '')}" for name, value in first.values.items())])


def key(remark: Remark) -> Hashable:
    """What remarks that share a sentence have in common: everything but their numbers."""
    return remark.code, tuple((name, None if _is_number(each) else each) for name, each in remark.values.items())


def fields(template: str) -> list[str]:
    """Name the values that a sentence needs, in order of appearance."""
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name))


def _format(value: Any, spec: str) -> str:
    if spec == "bytes":
        return format_bytes(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else format(value, spec)


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
