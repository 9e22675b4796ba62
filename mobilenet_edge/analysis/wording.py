"""Turn remarks into sentences. This is the only module that holds their text."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from string import Formatter
from typing import Any, Final, TypeGuard

from mobilenet_edge.records.remark import Remark, Value
from mobilenet_edge.units import format_bytes

# Format strings over the values of a remark: the fact, then what to do. `sentence` fills them in.
DOUBTS: Final[Mapping[str, str]] = {
    "arm64-file-on-x86": ("made for arm64, which onnxruntime runs more slowly on x86: export it with --target x86"),
    "x86-file-elsewhere": "made for {target} but run on {machine}: export it with --target arm64",
    "no-vnni": ("made for x86 with VNNI, which this CPU lacks, so sums may saturate: export it with --target x86"),
    "microcontroller": (
        "file or runtime is a microcontroller's, of which this machine's latency says nothing: measure on the board"
    ),
    "delegate-idle": "0 of {total} ops ran on the delegate or provider: export the file for it, or leave it out",
    "delegate-partial": (
        "only {nodes} of {total} ops ran on the delegate or provider, the others on the CPU: export the file for it"
    ),
    "time-ran-out": "the time limit ended the measurement after {runs} of {asked} runs: raise --max-seconds",
    "few-runs": "{runs} runs are too few: use --runs {least} or more",
    "two-groups": (
        "the times form two groups, {low_share:.0%} near {low_ms:.2f} ms and {high_share:.0%} near "
        "{high_ms:.2f} ms: close other programs, fix the CPU frequency or pin a CPU with --affinity"
    ),
    "times-vary": "times vary by ±{spread:.0%}: close other programs and run again",
    "rounds-differ": (
        "the medians of the rounds differ by {difference:.0%}, so the machine changed speed: run again when it is idle"
    ),
    "too-many-threads": "{threads} threads share {cores} cores: use --threads {cores} or fewer",
    "concurrent": "other measurements ({seen}) ran on this machine at the same time: run one at a time",
    "other-programs": "other programs used {cores:.1f} cores: close them and run again",
    "stolen-time": "the hypervisor gave {cores:.1f} cores' time to other guests: run again, or use a dedicated machine",
    "emulated": "run by the emulator {emulator}, so the times are not those of a real CPU: measure on the device",
    "frequency-moved": (
        "the CPU frequency varied between {low_mhz} and {high_mhz} MHz: fix it with the performance governor"
    ),
    "powersave": "the powersave governor may keep the frequency low: use the performance governor and run again",
    "swapping": "the machine was swapping: free memory and run again",
    "throttled": "the CPU was throttled ({reasons}): cool it, check its power supply and measure again",
    "median-unknown": "there are too few runs to reach the requested ±{asked:.1%}: raise --max-seconds",
    "median-wide": "the median is known to ±{reached:.1%} instead of the requested ±{asked:.1%}: raise --max-seconds",
    "rate-missed": (
        "{rate_per_s:g} runs per second were not reached, because a run takes {median_ms:.1f} ms: "
        "use a --rate below {reachable_per_s:.1f}/s"
    ),
}
NOTES: Final[Mapping[str, str]] = {
    "no-parallel": "several processes could not be measured: {reason}",
    "no-end-to-end": "pictures could not be measured from file to answer with {way}: {reason}",
    "no-energy": "energy could not be measured: {reason}",
    "no-ops": "operators could not be profiled: {reason}",
    "no-limit": "the limit of the machine could not be measured: {reason}",
    "assumed": "measured on images, with defaults for what the file does not state: {what}",
    "preprocessing": "decoding and preprocessing took {preprocess_ms:.1f} ms per image, which the times do not include",
    "preprocessing-elsewhere": "the images were preprocessed on the workstation, so preprocessing was not timed",
    "slower": "{precision} is {slower:.0%} slower than float32 ({format})",
    "no-faster": "{precision} is no faster than float32 ({format}): the ratio of the medians is {ratio:.2f}",
    "slow-products": (
        "why it is slow: int8 matrix products are only {ratio:.1f}x as fast as float32 here ({int8_gmacs:.0f} and "
        "{float32_gmacs:.0f} GMAC/s), and int8 scales every output as well"
    ),
    "slow-cpu": "why it is slow: this CPU has no 8-bit dot products ({missing})",
    "slow-arm64-file": (
        "why it is slow: made for arm64, and onnxruntime multiplies int8 activations more slowly on x86: "
        "export it with --target x86"
    ),
    "slow-x86-file": (
        "why it is slow: made for {target}, and onnxruntime recommends int8 activations on Arm: "
        "export it with --target arm64"
    ),
    "slow-uint8": "why it is slow: the kernels for TFLite's older uint8 scheme are slower than those for int8",
    "slow-float-ops": "why it is slow: {count} of its {total} ops run in float32 ({share:.0%} of its time)",
    "slow-depthwise": (
        "why it is slow: depthwise convolutions, which are not matrix products, take {share:.0%} of its time"
    ),
    "slow-unexplained": "why it is slow: unknown; profile its operators with --ops",
}
CONTRADICTIONS: Final[Mapping[str, str]] = {
    "tensor-size": (
        "tensor {tensor} has {size_bytes:.3g} bytes by its shape, but the file stores {stored_bytes:bytes}"
    ),
    "weights-type": "its metadata says {metadata}, but most of its weights are {file}",
    "activations-type": "its metadata says {metadata}, but its activations are {file}",
    "labels-count": "its metadata says {classes} classes but holds {labels} labels",
    "input-size": "its metadata says images of {height} x {width} pixels and {channels} channels, but its input is "
    "[{shape}]",
    "output-size": "its metadata says {classes} classes, but its output is [{shape}]",
    "io-type": "its metadata says {metadata} inputs and outputs, but its {end} is {file}",
    "io-scale": (
        "its metadata says scale {scale:.6g} and zero point {zero_point} for its {end}, "
        "but the tensor has {file_scale:.6g} and {file_zero_point}"
    ),
}
# Whether a file was made with the pictures that it is scored on.
PICTURES: Final[Mapping[str, str]] = {
    "trained-on": "trained on pictures of {folder}: only those that training left out are new to it",
    "calibration-left-out": "{count} calibration pictures were left out",
    "calibration-unknown": "whether the {count} calibration pictures are among these is unknown",
}
CALIBRATION: Final[Mapping[str, str]] = {
    "few-calibration-images": (
        "{count} images calibrated int8, which may cost accuracy: use {enough} or more, 100 where there are as many"
    ),
    "alike-calibration-images": (
        "only {distinct} of the {count} calibration images differ from each other: use images as different as those "
        "that the model will see"
    ),
    "unlike-training": (
        "the calibration images are unlike those that the model was trained on (its activations are "
        "{divergence_nats:.2g} nats from the statistics of its batch norms; {limit_nats:g} is a lot): check --pixels, "
        "and use images like those that the model will see"
    ),
}
TRAINING: Final[Mapping[str, str]] = {
    "few-pictures": "{count} classes have fewer than {least} pictures, where more would help most: {classes}",
    "one-class-dominates": "{label} is {share:.0%} of the pictures, so always naming it is right as often: add others",
    "same-picture": "{count} files hold a picture that is there already, and were left out: {pairs}",
    "teacher-labels": "the pictures have no classes, so accuracy is the share that is answered as by {teacher}",
    "state-damaged": "the state of an interrupted fine-tuning could not be read, so it began again",
    "tuning-unused": "fine-tuning was no better than the head alone on the validation pictures, and was left out",
}
SENTENCES: Final[Mapping[str, str]] = {
    "text": "{text}",
    **DOUBTS,
    **NOTES,
    **CONTRADICTIONS,
    **PICTURES,
    **CALIBRATION,
    **TRAINING,
}


class _Range:
    """Format the values of one name over several remarks as a range, from lowest to highest."""

    def __init__(self, values: Sequence[Value]) -> None:
        self.values = values

    def __format__(self, spec: str) -> str:
        # Remarks with equal `key` differ only in their numbers.
        numbers = [value for value in self.values if _is_number(value)]
        ordered = sorted(numbers) if len(numbers) == len(self.values) else self.values
        texts = dict.fromkeys(_format(value, spec) for value in (ordered[0], ordered[-1]))
        return " to ".join(texts)


def sentence(*remarks: Remark) -> str:
    """Return the sentence for one remark, or for several with equal `key`.

    Numbers that differ between the remarks are written as a range. A remark with an unknown code, from a newer version,
    is written as its code and values.
    """
    first = remarks[0]
    template = SENTENCES.get(first.code)
    try:
        if template is not None:
            ranges = {name: _Range([remark.values[name] for remark in remarks]) for name in fields(template)}
            return template.format_map(ranges)
    except (KeyError, ValueError, TypeError):
        pass  # a record that was edited by hand
    return ", ".join([first.code, *(f"{name} {_format(value, '')}" for name, value in first.values.items())])


def key(remark: Remark) -> Hashable:
    """Return a key that is equal for remarks that differ only in their numbers."""
    return remark.code, tuple((name, None if _is_number(value) else value) for name, value in remark.values.items())


def fields(template: str) -> list[str]:
    """List the names of the values in a template, in order of appearance."""
    return list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name))


def _format(value: Any, spec: str) -> str:
    if spec == "bytes":
        return format_bytes(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else format(value, spec)


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
