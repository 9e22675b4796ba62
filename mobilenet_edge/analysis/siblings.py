"""An int8 file that is no faster than its float32 sibling: that it is so, by how much, and why, as far as is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from mobilenet_edge.analysis.conditions import differences, unusable
from mobilenet_edge.records import Profile, interval

INTEGER: Final = ("int8", "uint8")
X86: Final = ("x86_64", "AMD64")
DOT_PRODUCTS: Final = ("VNNI", "AMX INT8", "DOT", "I8MM")
# Where integers are multiplied twice as fast, int8 pays in most networks in spite of its requantising.
FAST_PRODUCTS: Final = 2.0
MUCH: Final = 0.25
# What onnxruntime names a convolution or a product it runs in float.
FLOAT_OPS: Final = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul")


def noted(profiles: Sequence[Profile]) -> list[Profile]:
    """Add to each int8 profile that is no faster than its sibling's a note that says so and why.

    Siblings are of the same variant and format, measured under the same conditions.

    Args:
        profiles: Of one measurement; `doubts` and `invalid` are settled.
    """
    return [replace(each, notes=(*each.notes, *_notes(each, profiles))) for each in profiles]


def _notes(own: Profile, profiles: Sequence[Profile]) -> Iterator[str]:
    if own.precision not in INTEGER or unusable(own):
        return
    for other in profiles:
        alike = (own.variant, own.format, "float32") == (other.variant, other.format, other.precision)
        if alike and not unusable(other) and not differences(own, other) and other.median_ms <= own.median_ms:
            yield _note(own, other)


def _note(own: Profile, sibling: Profile) -> str:
    reasons = [*_of_products(own, sibling), *_of_machine(own), *_of_file(own), *_of_ops(own)]
    why = "; ".join(reasons) or "nothing that was measured says why: measure again with --ops"
    return f"{own.precision} is {_by(own, sibling)} than float32 ({own.format}): {why}"


def _by(own: Profile, sibling: Profile) -> str:
    ratio = own.median_ms / sibling.median_ms
    low, _ = interval.ratio(own.rounds, sibling.rounds) or (0, 0)
    return f"{ratio - 1:.0%} slower" if low > 1 else f"no faster (ratio of the medians {ratio:.2f})"


def _of_products(own: Profile, sibling: Profile) -> Iterator[str]:
    """The machine's limits, of whichever of the two has them."""
    limit = own.limit or sibling.limit or {}
    integer, float32 = limit.get("int8_gmacs"), limit.get("float32_gmacs")
    if integer and float32 and integer / float32 < FAST_PRODUCTS:
        yield (
            f"its int8 matrix products are only {integer / float32:.1f}x as fast as float32 here "
            f"({integer:.0f} and {float32:.0f} GMAC/s), and int8 scales every output beside"
        )


def _of_machine(profile: Profile) -> Iterator[str]:
    isa = [str(each).upper() for each in profile.host.get("isa") or ()]
    if isa and not any(word in each for each in isa for word in DOT_PRODUCTS):
        name = "VNNI" if profile.host.get("machine") in X86 else "SDOT"
        yield f"this CPU has no dot products of 8-bit integers ({name})"


def _of_file(profile: Profile) -> Iterator[str]:
    x86 = profile.host.get("machine") in X86
    if profile.format == "onnx" and profile.target == "arm64" and x86:
        yield "it was made for arm64, whose int8 activations onnxruntime multiplies slower on x86: --target x86"
    if profile.format == "onnx" and profile.target in ("x86", "x86-vnni") and profile.host.get("machine") and not x86:
        yield f"it was made for {profile.target}, and onnxruntime advises int8 activations on Arm: --target arm64"
    if profile.precision == "uint8":
        yield "it is in TFLite's older uint8 scheme, whose kernels are slower than those of int8"


def _of_ops(profile: Profile) -> Iterator[str]:
    ops = profile.ops or ()
    total = sum(each["ms"] for each in ops)
    if total <= 0:
        return
    left = [each for each in ops if profile.format == "onnx" and each["kind"] in FLOAT_OPS]
    if left:
        share = sum(each["ms"] for each in left) / total
        yield f"{len(left)} of its {len(ops)} ops were left in float32 ({share:.0%} of its time)"
    depthwise = sum(each["ms"] for each in ops if _depthwise(each)) / total
    if depthwise > MUCH:
        yield f"depthwise convolutions, which are no matrix products, take {depthwise:.0%} of its time"


def _depthwise(op: dict[str, Any]) -> bool:
    words = f"{op['kind']} {op.get('name', '')}".lower()
    return "depthwise" in words or "dw" in words
