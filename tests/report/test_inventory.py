"""The text of `mnet inspect`."""

from __future__ import annotations

import json
from dataclasses import replace

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats.metadata import Agreement, Calibration, Metadata, Weights
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Inspection
from mobilenet_edge.report import inventory

SPEC = ModelSpec(0.5, 160)
ABOUT = Metadata(
    SPEC.name, "int8", 1000, 76_500_000, 1_320_648, Preprocess((160, 160)), Weights("imagenet"), SPEC, io="int8",
    scheme="int8 weights per output channel", labels=("tench", "goldfish", "toilet tissue"),
    calibration=Calibration("images", 100, "0", "min-max ranges"), agreement=Agreement(18.25, 0.953, 100),
    tools={"numpy": "2.0", "mobilenet-edge": "0.1"},
)  # fmt: skip
IMAGE = {"name": "image", "shape": [1, 160, 160, 3], "dtype": "int8", "scale": 0.0078125, "zero_point": -1}
SCORES = {"name": "scores", "shape": [1, 1000], "dtype": "float32", "scale": None, "zero_point": None}


def inspection(about: Metadata | None = ABOUT, **changes: object) -> Inspection:
    fields = {
        "artifact": "results/m.int8.tflite",
        "sha256": "0",
        "size_bytes": 2000,
        "format": "tflite",
        "precision": "int8",
        "variant": SPEC.name,
        "metadata": json.loads(about.to_json()) if about else None,
        "ops": {"CONV_2D": 15, "SOFTMAX": 1},
        "bytes": {"weights": 1500, "quantisation": 0, "graph": 500},
        "inputs": (IMAGE,),
        "outputs": (SCORES,),
    }
    return Inspection(**{**fields, **changes})


def lines(record: Inspection) -> list[str]:
    return inventory.text(record).splitlines()


def test_the_first_line_says_what_it_is():
    assert lines(inspection())[0] == f"results/m.int8.tflite: {SPEC.name}, tflite int8"


def test_ends_have_shape_type_and_grid():
    shown = lines(inspection())
    assert "  input: image int8 [1, 160, 160, 3], scale 0.0078125, zero point -1" in shown
    assert "  output: scores float32 [1, 1000]" in shown


def test_provenance_is_told_in_words():
    shown = lines(inspection())
    assert "  weights: imagenet" in shown
    images = "centre crop 0.875 (ASSUMED: --crop), bilinear (ASSUMED: --filter), pixels -1..1 (ASSUMED: --pixels)"
    assert any(line.startswith("  images: ") and line.endswith(images) for line in shown)
    assert "  labels: 3, from 'tench' to 'toilet tissue'" in shown
    assert "  calibration: 100 images" in shown
    assert "  method: min-max ranges" in shown
    assert "  scheme: int8 weights per output channel" in shown
    assert "  agreement with the float model at export: 18.25 dB, same top-1 on 95.3%, on 100 images" in shown
    assert "  made by: mobilenet-edge 0.1, numpy 2.0" in shown


def test_seed_of_random_weights_is_told():
    assert "  weights: random seed 7" in lines(inspection(replace(ABOUT, weights=Weights("random", 7))))


def test_noise_has_its_note_and_no_top1():
    calibration = Calibration("synthetic", 32, "0", "min-max", "synthetic calibration; accuracy unknown")
    shown = lines(inspection(replace(ABOUT, calibration=calibration, agreement=Agreement(42, 1.0, 32, "noise"))))
    assert "  calibration: 32 synthetic images (synthetic calibration; accuracy unknown)" in shown
    assert "  agreement with the float model at export: 42 dB, on 32 synthetic images" in shown


def test_what_is_not_known_is_left_out():
    bare = Metadata("m", "float32", 10, 1, 1, Preprocess(), Weights("head.keras"))
    shown = "\n".join(lines(inspection(bare)))
    for word in ("labels", "calibration", "method", "beside", "made by", "None"):
        assert word not in shown


def test_a_foreign_file_says_what_it_lacks():
    shown = lines(inspection(None, lacks=("variant and preprocessing",)))
    assert "  lacks variant and preprocessing" in shown
    assert not any("weights:" in line for line in shown)


def test_bytes_add_up_and_empty_parts_are_left_out():
    shown = lines(inspection())
    rows = {line.split("|")[1].strip(): line.split("|")[2:4] for line in shown if line.startswith("| ")}
    assert [cell.strip() for cell in rows["weights"]] == ["1.50 kB", "75.0%"]
    assert [cell.strip() for cell in rows["total"]] == ["2.00 kB", ""]
    assert "quantisation" not in rows


def test_operators_are_counted():
    shown = inventory.text(inspection())
    assert "| CONV_2D  |    15 |" in shown
    assert "| layer" in inventory.text(inspection(format="keras", inputs=(), outputs=()))


def test_names_from_the_file_cannot_reach_the_terminal():
    evil = {**IMAGE, "name": "a\x1b[2J\nb"}
    about = replace(ABOUT, labels=("\x1b[31mred", "x"))
    text = inventory.text(inspection(about, inputs=(evil,), ops={"OP\x07": 1}))
    assert {each for each in text if not each.isprintable()} == {"\n"}
