"""The explanation of an int8 file's loss: shares, and advice where a figure stands out."""

from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.report import losses

PLAIN = LayerLoss("mid", "conv", 0.001, 0.001, 0.0, 6.0, 6 / 255, 0.0, 0.9, 0.5, 0, 8)


def advice(*found: LayerLoss) -> list[str]:
    return [line for line in losses.text(found).splitlines() if line.startswith("- ")]


def test_shares_add_up_to_the_whole() -> None:
    text = losses.text([replace(PLAIN, name="one", weights=0.003), replace(PLAIN, name="two", weights=None)])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "conv" in line]
    assert [row[2:4] for row in rows] == [["60.0%", "20.0%"], ["", "20.0%"]]
    # 0.005 of the signal's power.
    assert "23.0 dB" in text


def test_many_layers_alike_need_no_advice() -> None:
    assert advice(*[PLAIN] * 20) == []


def test_a_loss_in_early_layers_is_what_mixed_files_avoid() -> None:
    (line,) = advice(replace(PLAIN, name="early", macs_share=0.1, activations=0.01), *[PLAIN] * 20)
    assert "--precision mixed" in line
    assert "early" in line


def test_late_weights_saturation_and_dead_channels_are_spoken_of() -> None:
    late = replace(PLAIN, name="late", weights=0.02, macs_share=0.9)
    stretched = replace(PLAIN, name="wide", activations=0.02, used=0.1, macs_share=0.8)
    cut_off = replace(PLAIN, name="full", saturated=0.01)
    lines = advice(late, stretched, cut_off, replace(PLAIN, dead=2), *[PLAIN] * 20)
    assert [line.split(":")[0] for line in lines if ":" in line] == ["- late", "- wide", "- wide", "- full"]
    assert any(line.startswith("- 1 layers have channels") for line in lines)


def test_no_loss_at_all_is_no_division_by_zero() -> None:
    assert "no loss" in losses.text([replace(PLAIN, weights=0.0, activations=0.0)])
