"""Explain why an int8 file is no faster than its float32 sibling, as far as is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from mobilenet_edge.analysis.conditions import differences, unusable
from mobilenet_edge.records import Profile, interval
from mobilenet_edge.records.remark import Remark

INTEGER: Final = ("int8", "uint8")
X86: Final = ("x86_64", "AMD64")
DOT_PRODUCTS: Final = ("VNNI", "AMX INT8", "DOT", "I8MM")
# Where integers are multiplied twice as fast, int8 pays in most networks in spite of its requantising.
FAST_PRODUCTS: Final = 2.0
LARGE_SHARE: Final = 0.25
# What onnxruntime names a convolution or a product it runs in float.
FLOAT_OPS: Final = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul")


def annotate(profiles: Sequence[Profile]) -> list[Profile]:
    """Add notes to the int8 profiles that are no faster than their siblings: that they are, and why.

    Siblings are of the same variant and format, measured under the same conditions.

    Args:
        profiles: Of one measurement; `doubts` and `invalid` are settled.
    """
    return [replace(profile, notes=(*profile.notes, *_notes(profile, profiles))) for profile in profiles]


def _notes(profile: Profile, profiles: Sequence[Profile]) -> Iterator[Remark]:
    sibling = next((other for other in profiles if _is_sibling(profile, other)), None)
    if sibling is None or sibling.median_ms > profile.median_ms:
        return
    yield _comparison(profile, sibling)
    reasons = [*_of_products(profile, sibling), *_of_machine(profile), *_of_file(profile), *_of_ops(profile)]
    yield from reasons or [Remark("slow-unexplained")]


def _is_sibling(profile: Profile, other: Profile) -> bool:
    alike = (profile.variant, profile.format, "float32") == (other.variant, other.format, other.precision)
    integer = profile.precision in INTEGER
    return alike and integer and not unusable(profile) and not unusable(other) and not differences(profile, other)


def _comparison(profile: Profile, sibling: Profile) -> Remark:
    names = {"precision": profile.precision, "format": profile.format}
    ratio = profile.median_ms / sibling.median_ms
    low, _ = interval.ratio(profile.rounds, sibling.rounds) or (0, 0)
    return Remark("slower", **names, slower=ratio - 1) if low > 1 else Remark("no-faster", **names, ratio=ratio)


def _of_products(profile: Profile, sibling: Profile) -> Iterator[Remark]:
    """Compare the machine's limits, of whichever of the two has them."""
    limit = profile.limit or sibling.limit or {}
    integer, float32 = limit.get("int8_gmacs"), limit.get("float32_gmacs")
    if integer and float32 and integer / float32 < FAST_PRODUCTS:
        yield Remark("slow-products", ratio=integer / float32, int8_gmacs=integer, float32_gmacs=float32)


def _of_machine(profile: Profile) -> Iterator[Remark]:
    features = [str(feature).upper() for feature in profile.host.get("isa") or ()]
    if features and not any(word in feature for feature in features for word in DOT_PRODUCTS):
        yield Remark("slow-cpu", missing="VNNI" if profile.host.get("machine") in X86 else "SDOT")


def _of_file(profile: Profile) -> Iterator[Remark]:
    machine = profile.host.get("machine")
    if profile.format == "onnx" and profile.target == "arm64" and machine in X86:
        yield Remark("slow-arm64-file")
    if profile.format == "onnx" and profile.target in ("x86", "x86-vnni") and machine and machine not in X86:
        yield Remark("slow-x86-file", target=profile.target)
    if profile.precision == "uint8":
        yield Remark("slow-uint8")


def _of_ops(profile: Profile) -> Iterator[Remark]:
    ops = profile.ops or ()
    total = sum(op["ms"] for op in ops)
    if total <= 0:
        return
    floats = [op for op in ops if profile.format == "onnx" and op["kind"] in FLOAT_OPS]
    if floats:
        yield Remark("slow-float-ops", count=len(floats), total=len(ops), share=sum(op["ms"] for op in floats) / total)
    depthwise = sum(op["ms"] for op in ops if _is_depthwise(op)) / total
    if depthwise > LARGE_SHARE:
        yield Remark("slow-depthwise", share=depthwise)


def _is_depthwise(op: dict[str, Any]) -> bool:
    words = f"{op['kind']} {op.get('name', '')}".lower()
    return "depthwise" in words or "dw" in words
