"""Format the contents of a model file."""

from __future__ import annotations

from typing import Any

from mobilenet_edge import units
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.data import describe
from mobilenet_edge.records import Inspection
from mobilenet_edge.report import mapping, microcontroller, npu, overflow
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable


def text(record: Inspection) -> str:
    """Format an inspection."""
    facts = [f"input: {_tensor(tensor)}" for tensor in record.inputs]
    facts += [f"output: {_tensor(tensor)}" for tensor in record.outputs]
    facts += [f"versions: {record.versions}"] if record.versions else []
    facts += _provenance(record.metadata) if record.metadata else []
    facts += overflow.facts(record.head_room)
    facts += npu.foreign(record.ops) if not record.metadata else []
    facts += [f"lacks {what}" for what in record.lacks]
    facts += [f"contradicts itself: {sentence(remark)}" for remark in record.contradictions]
    title = printable(f"{record.artifact}: {record.variant}, {record.format} {record.precision}")
    lines = [title, *(f"  {printable(fact)}" for fact in facts)]
    # The preflight already lists every operator.
    operators = _preflight(record.preflight) if record.preflight else _operators(record)
    return "\n\n".join(["\n".join(lines), _bytes(record), operators])


def _preflight(found: dict[str, Any]) -> str:
    if found["target"] == "tflm":
        return microcontroller.text(found)
    return mapping.text(found) if found["target"] == "edgetpu" else npu.text(found)


def _bytes(record: Inspection) -> str:
    parts = {part: size for part, size in record.bytes.items() if size}
    rows = [[part, units.format_bytes(size), f"{size / record.size_bytes:.1%}"] for part, size in parts.items()]
    rows.append(["total", units.format_bytes(record.size_bytes), ""])
    return grid([Column("part", True), Column("size"), Column("share")], rows)


def _operators(record: Inspection) -> str:
    rows = [[op_type, str(count)] for op_type, count in record.ops.items()]
    name = "layer" if record.format == "keras" else "operator"
    return grid([Column(name, True), Column("count")], rows)


def _tensor(tensor: dict[str, Any]) -> str:
    scaled = f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
    return f"{tensor['name']} {tensor['dtype']} {tensor['shape']}{scaled}"


def _provenance(metadata: dict[str, Any]) -> list[str]:
    rule, weights = metadata["preprocess"], metadata["weights"]
    lines = [
        f"weights: {weights['source']}{'' if weights['seed'] is None else ' seed ' + str(weights['seed'])}",
        f"images: {describe.line(describe.rule_of(rule))}",
        f"target: {metadata['target']}",
    ]
    if labels := metadata["labels"]:
        lines.append(f"labels: {len(labels)}, from {labels[0]!r} to {labels[-1]!r}")
    if (calibration := metadata["calibration"]) is not None:
        note = f" ({calibration['note']})" if calibration["note"] else ""
        lines.append(f"calibration: {_count(calibration['count'], calibration['source'] == 'images')}{note}")
        lines += [f"method: {calibration['method']}", f"scheme: {metadata['scheme']}"]
    if (agreement := metadata["agreement"]) is not None:
        real = agreement["inputs"] == "images"
        same = f", same top-1 on {agreement['top1']:.1%}" if real else ""
        lines.append(
            f"agreement with the float model at export: {agreement['snr_db']:g} dB{same}, "
            f"on {_count(agreement['count'], real)}"
            + (" held out of the calibration" if real and agreement["held_out"] else "")
        )
    if (compilation := metadata["compilation"]) is not None:
        lines += npu.facts(compilation) if compilation["estimate"] else _compilation(compilation)
    tools = ", ".join(f"{name} {version}" for name, version in sorted(metadata["tools"].items()))
    return [*lines, *([f"made by: {tools}"] if tools else [])]


def _compilation(compilation: dict[str, Any]) -> list[str]:
    total = compilation["mapped"] + compilation["on_cpu"]
    on_chip, free, off_chip = (
        "unknown" if compilation[key] is None else units.format_bytes(compilation[key])
        for key in ("on_chip_bytes", "on_chip_free_bytes", "off_chip_bytes")
    )
    return [
        f"compiled by {compilation['compiler']} for runtime {compilation['runtime']}: "
        f"{compilation['mapped']} of {total} operators on the device",
        f"parameters: {on_chip} on the chip with {free} free, {off_chip} streamed",
    ]


def _count(number: int, real: bool) -> str:
    return f"{number} images" if real else f"{number} synthetic images"
