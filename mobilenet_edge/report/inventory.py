"""What is inside a model file, for reading."""

from __future__ import annotations

from typing import Any

from mobilenet_edge import units
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.data import describe
from mobilenet_edge.records import Inspection
from mobilenet_edge.report import mapping, overflow
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable


def text(record: Inspection) -> str:
    """Lay an inspection out for reading."""
    facts = [f"input: {_tensor(tensor)}" for tensor in record.inputs]
    facts += [f"output: {_tensor(tensor)}" for tensor in record.outputs]
    facts += [f"versions: {record.versions}"] if record.versions else []
    facts += _provenance(record.metadata) if record.metadata else []
    facts += overflow.facts(record.head_room)
    facts += [f"lacks {what}" for what in record.lacks]
    facts += [f"contradicts itself: {sentence(remark)}" for remark in record.contradictions]
    title = printable(f"{record.artifact}: {record.variant}, {record.format} {record.precision}")
    lines = [title, *(f"  {printable(fact)}" for fact in facts)]
    # Every operator is in the preflight, so that the count of each would say it twice.
    operators = mapping.text(record.preflight) if record.preflight else _operators(record)
    return "\n\n".join(["\n".join(lines), _bytes(record), operators])


def _bytes(record: Inspection) -> str:
    parts = {part: size for part, size in record.bytes.items() if size}
    rows = [[part, units.format_bytes(size), f"{size / record.size_bytes:.1%}"] for part, size in parts.items()]
    rows.append(["total", units.format_bytes(record.size_bytes), ""])
    return grid([Column("part", True), Column("size"), Column("share")], rows)


def _operators(record: Inspection) -> str:
    rows = [[kind, str(count)] for kind, count in record.ops.items()]
    name = "layer" if record.format == "keras" else "operator"
    return grid([Column(name, True), Column("count")], rows)


def _tensor(tensor: dict[str, Any]) -> str:
    scaled = f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
    return f"{tensor['name']} {tensor['dtype']} {tensor['shape']}{scaled}"


def _provenance(about: dict[str, Any]) -> list[str]:
    rule, weights = about["preprocess"], about["weights"]
    lines = [
        f"weights: {weights['source']}{'' if weights['seed'] is None else ' seed ' + str(weights['seed'])}",
        f"images: {describe.line(describe.rule_of(rule))}",
        f"target: {about['target']}",
    ]
    if labels := about["labels"]:
        lines.append(f"labels: {len(labels)}, from {labels[0]!r} to {labels[-1]!r}")
    if (calibration := about["calibration"]) is not None:
        note = f" ({calibration['note']})" if calibration["note"] else ""
        lines.append(f"calibration: {_count(calibration['count'], calibration['source'] == 'images')}{note}")
        lines += [f"method: {calibration['method']}", f"scheme: {about['scheme']}"]
    if (found := about["agreement"]) is not None:
        real = found["inputs"] == "images"
        answers = f", same top-1 on {found['top1']:.1%}" if real else ""
        lines.append(
            f"beside the float model at export: {found['snr_db']:g} dB{answers}, on {_count(found['count'], real)}"
            + (" held out of the calibration" if real and found["held_out"] else "")
        )
    if (compiled := about["compilation"]) is not None:
        lines += _compilation(compiled)
    tools = ", ".join(f"{name} {version}" for name, version in sorted(about["tools"].items()))
    return [*lines, *([f"made by: {tools}"] if tools else [])]


def _compilation(compiled: dict[str, Any]) -> list[str]:
    total = compiled["mapped"] + compiled["on_cpu"]
    on_chip, free, off_chip = (
        "unknown" if compiled[key] is None else units.format_bytes(compiled[key])
        for key in ("on_chip_bytes", "on_chip_free_bytes", "off_chip_bytes")
    )
    return [
        f"compiled by {compiled['compiler']} for runtime {compiled['runtime']}: "
        f"{compiled['mapped']} of {total} operators on the device",
        f"parameters: {on_chip} on the chip with {free} to spare, {off_chip} streamed",
    ]


def _count(number: int, real: bool) -> str:
    return f"{number} images" if real else f"{number} images of noise"
