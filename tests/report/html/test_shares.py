"""The losses of int8 layers on the page."""

from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.records import Export
from mobilenet_edge.report.html import document, shares
from tests.report.html.grid import HOSTILE, LOSSES, exported

EXPORTS = [record for record in exported() if isinstance(record, Export)]


def test_bars_are_shares_of_the_longest_and_cells_of_the_whole() -> None:
    (found,) = shares.data(EXPORTS)
    first, second = found.layers
    # 5 and 1 thousandths of 6, and 4 of 6.
    assert (first.weights, first.activations) == (83.3, 16.7)
    assert (second.weights, second.activations) == (0, 66.7)
    assert first.cells == ["conv1", "conv", "50.0%", "10.0%", "0 to 6", "", "2 of 8"]
    assert second.cells == ["conv2", "depthwise", "", "40.0%", "-1 to 5", "2.00%", ""]
    assert found.summary == "20.0 dB, most of it by conv1 60%, conv2 40%"
    assert any("conv2: 2.0% of its values lie beyond the range" in line for line in found.advice)


def test_files_with_the_same_integers_are_shown_together() -> None:
    (found,) = shares.data(EXPORTS)
    assert found.label == "a0.25-r128 int8 tflite and a0.25-r128 int8 onnx"
    other = replace(EXPORTS[3], losses=LOSSES[:1])
    assert len(shares.data([EXPORTS[1], other])) == 2


def test_no_loss_is_no_division_by_zero() -> None:
    nothing = tuple(replace(loss, weights=0.0, activations=0.0) for loss in LOSSES)
    (found,) = shares.data([replace(EXPORTS[1], losses=nothing)])
    assert found.summary == "no loss"
    assert found.layers[0][1:] == (0, 0)


def test_the_section_is_collapsed_and_absent_without_losses() -> None:
    page = document.html([], [], exports=EXPORTS)
    assert "<details>\n" in page.split('id="losses-section"')[1]
    assert "losses-section" not in document.html([], [], exports=EXPORTS[:1])


def test_names_that_mean_harm_are_text() -> None:
    nasty = replace(EXPORTS[1], losses=(replace(LOSSES[0], name=HOSTILE, op=HOSTILE),))
    page = document.html([], [], exports=[nasty])
    assert "<img" not in page
    assert page.split("losses-section")[1].count("&lt;img src=x") >= 2
