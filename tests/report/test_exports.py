"""The table of `mnet export`: files as they are, figures where they mean something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Agreement, Calibration, Metadata, Weights
from mobilenet_edge.report import exports

ABOUT = Metadata("tiny", "float32", 4, 10, 5, Preprocess((8, 8)), Weights("random", 0))
NOISE = Calibration("synthetic", 32, "0", "min-max", "synthetic calibration; accuracy unknown")


@pytest.fixture
def made() -> Callable[..., Artifact]:
    def made(name: str, agreement: Agreement | None = None, calibration: Calibration | None = None) -> Artifact:
        about = replace(ABOUT, agreement=agreement, calibration=calibration)
        return Artifact(Path("out", name), "tflite", b"x" * 1500, about, Contents({}, (), (), (), {}))

    return made


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows(text: str) -> list[list[str]]:
    return [cells(line) for line in text.splitlines() if line.startswith("| out")]


def test_a_row_has_the_figures_of_the_check(made):
    agreements = Agreement(31.54, 0.975, 40), Agreement(31.54, 0.975, 40, measure="same top-1", held_out=True)
    fitted, held_out = rows(exports.table([made("a.tflite", agreement) for agreement in agreements]))
    assert fitted == ["out/a.tflite", "1.50 kB", "31.5 dB", "97.5%", "40, the calibration images themselves"]
    assert held_out[-2:] == ["97.5%", "40 held-out images"]


def test_a_top1_on_noise_is_not_shown(made):
    noisy = Agreement(42.3, 1.0, 8, "noise")
    for calibration in (None, NOISE):
        (row,) = rows(exports.table([made("a.tflite", noisy, calibration)]))
        assert row[3:] == ["not measured", "8 synthetic images"]


def test_a_note_on_the_calibration_is_said_once(made):
    found = Agreement(42.3, 1.0, 8, "noise")
    text = exports.table([made(name, found, NOISE) for name in ("a", "b")])
    assert text.count("Calibration of int8: synthetic calibration; accuracy unknown.") == 1
    assert len(rows(text)) == 2


def test_files_of_real_images_have_no_such_note(made):
    images = Calibration("images", 100, "0", "min-max")
    text = exports.table([made("a", Agreement(20.0, 0.9, 100), images)])
    assert "Calibration of int8" not in text
    assert text.endswith(exports.NOTES)


def test_images_left_out_are_named(made):
    note = "2 of 12 image files could not be read: a.jpg, \x1b[31mb.jpg"
    text = exports.table([made("a", Agreement(20.0, 0.9, 10), Calibration("images", 10, "0", "m", note))])
    assert "2 of 12 image files could not be read: a.jpg, [31mb.jpg." in text
    assert "\x1b" not in text


def test_a_file_without_figures_has_its_size(made):
    foreign = replace(made("a.tflite"), metadata=None)
    assert rows(exports.table([foreign, made("b.tflite")])) == [
        ["out/a.tflite", "1.50 kB", "", "", ""],
        ["out/b.tflite", "1.50 kB", "", "", ""],
    ]


def test_what_the_figures_mean_fits_a_terminal():
    assert max(map(len, exports.NOTES.splitlines())) <= 120
