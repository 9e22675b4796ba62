from __future__ import annotations

import re
from pathlib import Path

import pytest

from mobilenet_edge.data import labels
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError

BIRDS = Labels(("n01514859 hen", "n02012849 crane", "n03126707 crane", "n02037110 oystercatcher, oyster catcher"), "L")
FOLDER = Path("photos")


def match(*folders: str, names: Labels = BIRDS) -> list[int]:
    return labels.match(FOLDER, [f"{folder}/1.jpg" for folder in folders], names)


def lines(*names: str, assumed: bool = False) -> Labels:
    return Labels(names, "L", assumed)


def test_read_keeps_the_order_of_lines(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("n01440764 tench\nn01443537 goldfish\n\n", encoding="utf-8-sig")
    assert labels.read(path) == Labels(("n01440764 tench", "n01443537 goldfish"), str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"tench\n\ngoldfish\n", "line 2 is empty"),
        (b"\xff\xfe\x00", "is not a text file"),
    ],
)
def test_read_refuses_what_would_shift_classes(tmp_path, content, message):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        labels.read(tmp_path / "labels.txt")


def test_read_refuses_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*labels\.txt: no such file"):
        labels.read(tmp_path / "labels.txt")


def test_locate_prefers_the_images_folder_and_labels_with_the_images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    assert labels.locate(tmp_path) == (folder, None)
    beside = tmp_path / "labels.txt"
    beside.write_text("a")
    assert labels.locate(tmp_path) == labels.locate(folder) == (folder, beside)
    inside = folder / "labels.txt"
    inside.write_text("a")
    assert labels.locate(tmp_path) == (folder, inside)


def test_locate_finds_labels_beside_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.txt").write_text("a")
    monkeypatch.chdir(tmp_path / "photos")
    assert labels.locate(Path()) == (Path(), tmp_path / "labels.txt")


def test_synset_or_name_gives_the_line_number():
    assert match("n01514859", "hen", "n03126707", "n02012849") == [0, 0, 2, 1]


@pytest.mark.parametrize("name", ["oystercatcher", "Oyster_Catcher", "oyster-catcher", "oystercatcher, oyster catcher"])
def test_case_separators_and_synonyms_do_not_matter(name):
    assert match(name) == [3]


def test_class_is_the_folder_below_data_however_deep_the_image_lies():
    assert labels.match(FOLDER, ["hen/images/crane/1.jpg"], BIRDS) == [0]


def test_name_of_two_classes_is_refused_with_the_way_out():
    # ImageNet has a crane that flies and one that lifts.
    with pytest.raises(InputError, match="crane may be class 1 and 2 of L; name it by synset"):
        match("crane")


def test_unknown_folder_and_loose_image_are_refused():
    with pytest.raises(InputError, match=re.escape("photos/penguin is no class of L")):
        match("hen", "penguin")
    with pytest.raises(InputError, match=re.escape("photos/1.jpg lies in no class folder")):
        labels.match(FOLDER, ["1.jpg"], BIRDS)


def test_plain_names_and_plain_synsets_are_labels_too():
    assert match("dog", "cat", names=lines("cat", "dog")) == [1, 0]
    assert match("n01443537", names=lines("n01440764", "n01443537")) == [1]
    # Seven digits are no synset but somebody's own name.
    assert match("n0144353", names=lines("a", "n0144353")) == [1]


def test_sorted_folders_stand_in_for_labels():
    paths = [f"{name}/1.jpg" for name in ("b", "a", "10", "9", "b")]
    own = labels.of_folders(FOLDER, paths)
    # As strings, which is how Keras numbers the classes of a folder.
    assert (own.lines, own.assumed) == (("10", "9", "a", "b"), True)
    assert labels.match(FOLDER, paths, own) == [3, 2, 0, 1, 3]


@pytest.mark.parametrize(
    ("outputs", "names", "expected"),
    [
        (2, lines("a", "b"), 0),
        (3, lines("a", "b"), 1),
        (2, lines("Background", "a", "b"), -1),
        (3, lines("background", "a", "b"), 0),
        (2, lines("a", "b", assumed=True), 0),
    ],
)
def test_background_class_shifts_the_outputs(outputs, names, expected):
    assert labels.shift(outputs, names, "m.tflite") == expected


@pytest.mark.parametrize(
    ("outputs", "names", "message"),
    [
        (5, lines("a", "b"), "m.tflite has 5 classes, but L names 2"),
        (1, lines("a", "b"), "m.tflite has 1 classes, but L names 2"),
        # One folder too few is more likely a class without images than a background class.
        (3, lines("a", "b", assumed=True), "there are 2 L; say which is which with --labels"),
    ],
)
def test_other_numbers_of_classes_are_refused(outputs, names, message):
    with pytest.raises(InputError, match=message):
        labels.shift(outputs, names, "m.tflite")


@pytest.mark.data
def test_real_folder_matches_its_labels_by_synset(data):
    folder, beside = labels.locate(data)
    assert beside is not None
    names = labels.read(beside)
    paths = [f"{each.name}/1.jpg" for each in sorted(folder.iterdir())]
    indexes = labels.match(folder, paths, names)
    assert len(names.lines) == 1000
    # Keras sorts ImageNet by synset, so sorted folders have rising indexes, each on the line that begins with its name.
    assert indexes == sorted(set(indexes))
    assert all(
        names.lines[index].startswith(path.partition("/")[0]) for index, path in zip(indexes, paths, strict=True)
    )
