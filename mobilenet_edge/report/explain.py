"""Explain one variant layer by layer: what separable blocks save, and how work and bytes are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mobilenet_edge.model import layers
from mobilenet_edge.model.layers import Block, Layer
from mobilenet_edge.model.published import lookup
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.units import format_bytes, format_count

_SAVINGS_NOTE: Final = """\
Standard: D_K²·M·N·D_G². Separable: D_K²·M·D_G² + M·N·D_G². D_K is the kernel's side, 3; M and N are the input and
output channels; D_G is the output's side. Their ratio is 1/N + 1/D_K²."""
_LAYERS_NOTE: Final = """\
Kernel 3x3 /2: side 3, stride 2. Activations are the bytes of the layer's output in int8; float32 takes 4 times that."""
_SHARES: Final = tuple(Column(title) for title in ("MACs", "%", "weights", "%", "activations", "%"))


def text(spec: ModelSpec) -> str:
    """Explain one variant in Markdown."""
    table = layers.table(spec)
    parts = [
        f"{spec.name}: alpha {spec.alpha:g}, rho {spec.resolution} px ({spec.rho:.3g} of 224), {spec.classes} classes",
        "What depthwise separable convolution saves (section 3.1 of arXiv:1704.04861)",
        _savings(layers.blocks(spec)),
        _SAVINGS_NOTE,
        "Work and bytes by layer",
        _by_layer(table),
        _LAYERS_NOTE,
        "Work and bytes by layer type",
        _by_type(table),
        _totals(spec),
    ]
    return "\n\n".join(parts)


def _savings(blocks: Sequence[Block]) -> str:
    titles = ("M", "N", "output", "standard MACs", "separable MACs", "1/N + 1/D_K²")
    rows = [
        [
            f"{block.depthwise.name} + pw",
            str(block.depthwise.inputs),
            str(block.pointwise.outputs),
            _shape(block.pointwise),
            format_count(block.standard_macs),
            format_count(block.macs),
            f"{block.ratio:.4f}",
        ]
        for block in blocks
    ]
    standard = sum(block.standard_macs for block in blocks)
    separable = sum(block.macs for block in blocks)
    total = ["total", "", "", "", format_count(standard), format_count(separable), f"{separable / standard:.4f}"]
    return grid([Column("block", words=True), *map(Column, titles)], [*rows, total])


def _by_layer(table: Sequence[Layer]) -> str:
    total = _sum(table)
    rows = [
        [layer.name, f"{layer.kernel}x{layer.kernel} /{layer.stride}", _shape(layer), *_shares(_sum([layer]), total)]
        for layer in table
    ]
    columns = [Column("layer", words=True), Column("kernel", words=True), Column("output"), *_SHARES]
    return grid(columns, [*rows, ["total", "", "", *_shares(total, total)]])


def _by_type(table: Sequence[Layer]) -> str:
    total = _sum(table)
    kinds = {kind: [layer for layer in table if layer.kind == kind] for kind in layers.KINDS}
    rows = [[kind, str(len(members)), *_shares(_sum(members), total)] for kind, members in kinds.items()]
    columns = [Column("type", words=True), Column("layers"), *_SHARES]
    return grid(columns, [*rows, ["total", str(len(table)), *_shares(total, total)]])


def _totals(spec: ModelSpec) -> str:
    peak = layers.peak_activations(spec)
    published = lookup(spec)
    qat = f", {published.qat_top1} % uint8 after QAT" if published and published.qat_top1 else ""
    top1 = f"{published.top1} % float32{qat} (not measured)" if published else "none"
    lines = {
        "MACs": f"{layers.macs(spec):,}",
        "parameters": f"{layers.parameters(spec):,} ({layers.keras_parameters(spec):,} in Keras, batch norm unfolded)",
        "float32 size": f"{layers.float32_bytes(spec):,} bytes at least",
        "int8 size": f"{layers.int8_bytes(spec):,} bytes at least",
        "peak activations": f"{peak:,}: {format_bytes(peak)} in int8, {format_bytes(4 * peak)} in float32",
        "published top-1": top1,
    }
    return "\n".join(f"    {title:<18}{figure}" for title, figure in lines.items())


def _sum(members: Sequence[Layer]) -> tuple[int, int, int]:
    return (
        sum(layer.macs for layer in members),
        sum(layer.weights for layer in members),
        sum(layer.activations for layer in members),
    )


def _shares(figures: tuple[int, int, int], total: tuple[int, int, int]) -> list[str]:
    texts = format_count(figures[0]), format_count(figures[1]), format_bytes(figures[2])
    shares = (f"{100 * figure / whole:.1f}" for figure, whole in zip(figures, total, strict=True))
    return [cell for pair in zip(texts, shares, strict=True) for cell in pair]


def _shape(layer: Layer) -> str:
    return f"{layer.size}x{layer.size}x{layer.outputs}"
