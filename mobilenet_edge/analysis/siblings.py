"""Explain why an int8 file is no faster than its float32 sibling."""

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
# At twice the speed of float32 products, int8 is faster in most networks despite the cost of requantising.
MIN_SPEED_RATIO: Final = 2.0
MIN_DEPTHWISE_SHARE: Final = 0.25
# Names of the convolutions and products that onnxruntime runs in float32.
FLOAT_OPS: Final = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul")


def annotate(profiles: Sequence[Profile]) -> list[Profile]:
    """Add notes with the reasons to the int8 profiles that are no faster than their float32 siblings.

    Siblings have the same variant and format, and were measured under the same conditions.

    Args:
        profiles: Profiles of one measurement, with `doubts` and `invalid` already set.

    Returns:
        The profiles in the same order, with their notes.
    """
    return [replace(profile, notes=(*profile.notes, *_notes(profile, profiles))) for profile in profiles]


def _notes(profile: Profile, profiles: Sequence[Profile]) -> Iterator[Remark]:
    sibling = next((other for other in profiles if _is_sibling(profile, other)), None)
    if sibling is None or sibling.median_ms > profile.median_ms:
        return
    yield _comparison(profile, sibling)
    reasons = [
        *_limit_reasons(profile, sibling),
        *_cpu_reasons(profile),
        *_file_reasons(profile),
        *_op_reasons(profile),
    ]
    yield from reasons or [Remark("slow-unexplained")]


def _is_sibling(profile: Profile, other: Profile) -> bool:
    same_model = (profile.variant, profile.format, "float32") == (other.variant, other.format, other.precision)
    integer = profile.precision in INTEGER
    return same_model and integer and not unusable(profile) and not unusable(other) and not differences(profile, other)


def _comparison(profile: Profile, sibling: Profile) -> Remark:
    names = {"precision": profile.precision, "format": profile.format}
    ratio = profile.median_ms / sibling.median_ms
    low, _ = interval.ratio(profile.rounds, sibling.rounds) or (0, 0)
    return Remark("slower", **names, slower=ratio - 1) if low > 1 else Remark("no-faster", **names, ratio=ratio)


def _limit_reasons(profile: Profile, sibling: Profile) -> Iterator[Remark]:
    """Compare the machine's int8 and float32 limits, from whichever profile has them."""
    limit = profile.limit or sibling.limit or {}
    integer, float32 = limit.get("int8_gmacs"), limit.get("float32_gmacs")
    if integer and float32 and integer / float32 < MIN_SPEED_RATIO:
        yield Remark("slow-products", ratio=integer / float32, int8_gmacs=integer, float32_gmacs=float32)


def _cpu_reasons(profile: Profile) -> Iterator[Remark]:
    features = [str(feature).upper() for feature in profile.host.get("isa") or ()]
    if features and not any(word in feature for feature in features for word in DOT_PRODUCTS):
        yield Remark("slow-cpu", missing="VNNI" if profile.host.get("machine") in X86 else "SDOT")


def _file_reasons(profile: Profile) -> Iterator[Remark]:
    machine = profile.host.get("machine")
    if profile.format == "onnx" and profile.target == "arm64" and machine in X86:
        yield Remark("slow-arm64-file")
    if profile.format == "onnx" and profile.target in ("x86", "x86-vnni") and machine and machine not in X86:
        yield Remark("slow-x86-file", target=profile.target)
    if profile.precision == "uint8":
        yield Remark("slow-uint8")


def _op_reasons(profile: Profile) -> Iterator[Remark]:
    ops = profile.ops or ()
    total = sum(op["ms"] for op in ops)
    if total <= 0:
        return
    floats = [op for op in ops if profile.format == "onnx" and op["kind"] in FLOAT_OPS]
    if floats:
        yield Remark("slow-float-ops", count=len(floats), total=len(ops), share=sum(op["ms"] for op in floats) / total)
    depthwise = sum(op["ms"] for op in ops if _is_depthwise(op)) / total
    if depthwise > MIN_DEPTHWISE_SHARE:
        yield Remark("slow-depthwise", share=depthwise)


def _is_depthwise(op: dict[str, Any]) -> bool:
    words = f"{op['kind']} {op.get('name', '')}".lower()
    return "depthwise" in words or "dw" in words
