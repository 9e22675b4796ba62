"""What is inside a model file, for reading."""

from __future__ import annotations

from typing import Any

from mobilenet_edge import units
from mobilenet_edge.records import Inspection
from mobilenet_edge.report import markdown


def text(record: Inspection) -> str:
    """Lay an inspection out for reading."""
    facts = [f"{record.artifact}: {record.variant}, {record.format} {record.precision}"]
    facts += [f"  {name}: {_tensor(tensor)}" for name, side in _ends(record) for tensor in side]
    facts += [f"  {line}" for line in _provenance(record.metadata)] if record.metadata else []
    facts += [f"  lacks {what}" for what in record.lacks]
    parts = [[part, units.format_bytes(size), f"{size / record.size_bytes:.1%}"] for part, size in record.bytes.items()]
    parts.append(["total", units.format_bytes(record.size_bytes), ""])
    ops = [[kind, str(count)] for kind, count in record.ops.items()]
    column = markdown.Column
    return "\n".join(
        [
            *facts,
            "",
            markdown.grid([column("bytes", True), column("size"), column("share")], parts),
            "",
            markdown.grid([column("operator", True), column("count")], ops),
        ]
    )


def _ends(record: Inspection) -> list[tuple[str, tuple[dict[str, Any], ...]]]:
    return [("input", record.inputs), ("output", record.outputs)]


def _tensor(tensor: dict[str, Any]) -> str:
    grid = f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
    return f"{tensor['name']} {tensor['dtype']} {tensor['shape']}{grid}"


def _provenance(about: dict[str, Any]) -> list[str]:
    rule, weights = about["preprocess"], about["weights"]
    lines = [
        f"weights: {weights['source']}{'' if weights['seed'] is None else ' seed ' + str(weights['seed'])}",
        f"images: centre crop {rule['crop']:g}, {rule['filter']} to {rule['resolution']}, "
        f"{rule['channels']} * {rule['scale']:.6g} {rule['offset']:+g}",
        f"target: {about['target']}",
    ]
    if (calibration := about["calibration"]) is not None:
        note = f" ({calibration['note']})" if calibration["note"] else ""
        lines.append(f"calibration: {calibration['count']} {calibration['source']}{note}; {calibration['method']}")
    if (found := about["agreement"]) is not None:
        # Without images the outputs are nearly uniform, and a top-1 is chance.
        real = calibration is None or calibration["source"] == "images"
        answers = f", same top-1 on {found['top1']:.1%}" if real else ""
        lines.append(f"against the float model at export, {found['count']} inputs: {found['snr_db']:g} dB{answers}")
    lines.append("made by " + ", ".join(f"{name} {version}" for name, version in sorted(about["tools"].items())))
    return lines
