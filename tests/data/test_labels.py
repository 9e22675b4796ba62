from __future__ import annotations

import pytest

from mobilenet_edge.data import labels
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError


def lines(*names: str, assumed: bool = False) -> Labels:
    return Labels(names, "L", assumed)


THOUSAND = lines(*(f"name {index}" for index in range(1000)))


def test_a_file_is_read_in_any_of_its_forms(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("n01440764 tench\nn01443537 goldfish\n\n", encoding="utf-8-sig")
    assert labels.read(path) == Labels(("n01440764 tench", "n01443537 goldfish"), str(path))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*labels\.txt: no such file"):
        labels.read(tmp_path / "labels.txt")


@pytest.mark.data
def test_labels_of_a_background_lose_it_for_a_model_without(data):
    known = labels.read(data / "models" / "coral_imagenet_labels.txt")
    assert len(known.lines) == 1001
    assert labels.fit(1000, known, "m").lines[0] == "tench, Tinca tinca"
    assert labels.fit(1001, known, "m") == known


@pytest.mark.parametrize(
    ("outputs", "names", "expected"),
    [
        (2, lines("a", "b"), 0),
        (1, lines("a", "b"), 0),
        (1001, THOUSAND, 1),
        (2, lines("Background", "a", "b"), -1),
        (3, lines("background", "a", "b"), 0),
        (2, lines("a", "b", assumed=True), 0),
    ],
)
def test_background_class_shifts_the_outputs(outputs, names, expected):
    assert labels.shift(outputs, names, "m.tflite") == expected
    fitted = labels.fit(outputs, names, "m.tflite")
    assert len(fitted.lines) == labels.count(outputs)


def test_a_background_is_added_for_a_model_that_has_one():
    assert labels.fit(1001, THOUSAND, "m").lines[:2] == ("background", "name 0")


@pytest.mark.parametrize(
    ("outputs", "names", "message"),
    [
        (5, lines("a", "b"), "m.tflite has 5 classes, but L names 2; give its own with --labels$"),
        (1, lines("a"), r"m.tflite has 2 classes \(one score, below or above its threshold\), but L names 1"),
        (3, lines("a", "b"), "begin them with a line 'background' if its first output is that"),
        # One folder too few is more likely a class without images than a background class.
        (3, lines("a", "b", assumed=True), "there are 2 L; say which is which with --labels"),
    ],
)
def test_other_numbers_of_classes_are_refused(outputs, names, message):
    with pytest.raises(InputError, match=message):
        labels.shift(outputs, names, "m.tflite")


def test_the_advice_on_a_background_works():
    assert labels.shift(3, lines("background", "a", "b"), "m.tflite") == 0
