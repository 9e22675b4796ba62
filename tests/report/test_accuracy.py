"""The table of `mnet evaluate`."""

from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.report import accuracy


def cells(text: str, row: int = 0) -> list[str]:
    return [cell.strip() for cell in text.splitlines()[2 + row].strip("|").split("|")]


def test_a_row_has_every_figure(evaluation):
    text = accuracy.table([evaluation(0.612, n=400, agreement=0.913, reference="float.tflite")])
    assert cells(text) == [
        "results/mobilenet_v1-a0.50-r160.float32.tflite",
        "61.2%",
        "57.2% to 65.2%",
        "81.2%",
        "400",
        "91.3%",
        "litert 2.3.0",
    ]
    assert text.splitlines()[3:] == ["", "- Scored on 400 images of images"]


def test_agreement_is_empty_without_a_reference(evaluation):
    assert cells(accuracy.table([evaluation()]))[5] == ""


def test_rows_keep_the_order_given(evaluation):
    text = accuracy.table([evaluation(0.1, precision="int8"), evaluation(0.9)])
    assert [cells(text, row)[1] for row in (0, 1)] == ["10.0%", "90.0%"]


def test_what_a_file_lacks_is_said_below(evaluation):
    text = accuracy.table([evaluation(lacks=("its preprocessing (assumed: [-1, 1])",))])
    assert text.splitlines()[-1] == (
        "- results/mobilenet_v1-a0.50-r160.float32.tflite lacks its preprocessing (assumed: [-1, 1])"
    )


def test_unreadable_images_are_counted_and_named_once_for_all_models(evaluation):
    names = tuple(f"cat/{number}.jpg" for number in range(7))
    text = accuracy.table([evaluation(unreadable=names), evaluation(precision="int8", unreadable=names)])
    assert text.count("could not be read") == 1
    assert "- 7 image files could not be read and are not counted: cat/0.jpg, cat/1.jpg" in text
    assert "cat/4.jpg, ..." in text
    assert "cat/5.jpg" not in text


def test_one_unreadable_image_is_one(evaluation):
    assert "- 1 image file could not be read and is not counted: a.jpg" in accuracy.table(
        [evaluation(unreadable=("a.jpg",))]
    )


def test_names_cannot_reach_the_terminal(evaluation):
    text = accuracy.table([evaluation(unreadable=("a\x1b[2J.jpg",), lacks=("x\ny",), artifact="m\x1b]0;t\x07.onnx")])
    assert text.isprintable() or set(text) - set(filter(str.isprintable, text)) == {"\n"}
    assert "x y" in text


def test_another_machine_is_named_and_compared_with_this_one(evaluation):
    here = {"runtime": "litert", "runtime_version": "2.3.0", "agreement": 0.995}
    delegate = {"path": "/usr/lib/libedgetpu.so.1", "options": {}, "nodes": 1, "total": 1, "kind": "edgetpu"}
    there = replace(evaluation(), host="coral", runtime_version="2.1.0", delegate=delegate, workstation=here)
    text = accuracy.table([there])
    assert cells(text)[-1] == "litert 2.1.0 with libedgetpu.so.1 on coral"
    assert "same as litert 2.3.0 on this machine, given the same tensors: 99.5% of the answers" in text
    assert "could not be compared" in accuracy.table([replace(evaluation(), host="coral")])
    assert "this machine" not in accuracy.table([evaluation()])
