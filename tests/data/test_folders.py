"""Image folders: which one is meant, and which class a sub-folder is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mobilenet_edge.data import folders, images, labels
from mobilenet_edge.data.folders import FOR_CALIBRATION, Place
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError

BIRDS = Labels(("n01514859 hen", "n02012849 crane", "n03126707 crane", "n02037110 oystercatcher, oyster catcher"), "L")
FOLDER = Path("photos")


def match(*names: str, known: Labels = BIRDS) -> list[int]:
    return folders.match(FOLDER, [f"{name}/1.jpg" for name in names], known)


def lay(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


def test_images_folder_and_labels_with_the_images_come_first(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    assert folders.locate(tmp_path) == Place(folder, None)
    beside = tmp_path / "labels.txt"
    beside.touch()
    assert folders.locate(tmp_path) == folders.locate(folder) == Place(folder, beside)
    inside = folder / "class_indices.json"
    inside.touch()
    assert folders.locate(tmp_path) == Place(folder, inside)


def test_labels_are_found_beside_the_current_folder(tmp_path, monkeypatch):
    lay(tmp_path, "labels.txt", "photos/cat/1.jpg")
    monkeypatch.chdir(tmp_path / "photos")
    assert folders.locate(Path()) == Place(Path(), tmp_path / "labels.txt")


@pytest.mark.parametrize(
    ("files", "scored", "calibrates"),
    [
        (("train/cat/1.jpg", "val/cat/1.jpg"), "val", "train"),
        (("train/cat/1.jpg", "test/cat/1.jpg"), "test", "train"),
        (("Train/cat/1.jpg", "Validation/cat/1.jpg", "test/cat/1.jpg"), "Validation", "Train"),
        (("images/train/cat/1.jpg", "images/val/cat/1.jpg"), "images/val", "images/train"),
        (("train/cat/1.jpg",), "train", "train"),
        (("train/1.jpg", "val/1.jpg"), "val", "train"),
        (("train/cat/1.jpg", "val/cat/1.jpg", ".cache/1.jpg", "labels.txt"), "val", "train"),
        # Class folders, one of which is named as a split is.
        (("train/1.jpg", "tram/1.jpg"), "", ""),
        (("train/1.jpg",), "", ""),
        (("train/cat/1.jpg", "val/cat/1.jpg", "cat/1.jpg"), "", ""),
    ],
)
def test_splits_are_no_classes(tmp_path, files, scored, calibrates):
    lay(tmp_path, *files)
    assert folders.locate(tmp_path).folder == tmp_path / scored
    assert folders.locate(tmp_path, FOR_CALIBRATION).folder == tmp_path / calibrates


def test_a_split_is_said_and_its_labels_lie_around_it(tmp_path):
    place = folders.locate(lay(tmp_path, "train/cat/1.jpg", "val/cat/1.jpg", "labels.txt"))
    assert place.labels == tmp_path / "labels.txt"
    assert place.note.endswith("(val/ is a split, not a class; train/ beside it is another split)")


def test_synset_or_name_gives_the_line_number():
    assert match("n01514859", "hen", "n03126707", "n02012849") == [0, 0, 2, 1]


@pytest.mark.parametrize("name", ["oystercatcher", "Oyster_Catcher", "oyster-catcher", "oystercatcher, oyster catcher"])
def test_case_separators_and_synonyms_do_not_matter(name):
    assert match(name) == [3]


def test_class_is_the_folder_below_data_however_deep_the_image_lies():
    assert folders.match(FOLDER, ["hen/images/crane/1.jpg"], BIRDS) == [0]


def test_name_of_two_classes_is_refused_with_the_way_out():
    # ImageNet has a crane that flies and one that lifts.
    with pytest.raises(InputError, match="crane may be class 1 and 2 of L; name it by synset"):
        match("crane")


def test_unknown_folder_and_loose_image_are_refused():
    with pytest.raises(InputError, match=re.escape("photos/penguin is no class of L")):
        match("hen", "penguin")
    with pytest.raises(InputError, match=re.escape("photos/1.jpg lies in no class folder")):
        folders.match(FOLDER, ["1.jpg"], BIRDS)


def test_plain_names_and_plain_synsets_are_labels_too():
    assert match("dog", "cat", known=Labels(("cat", "dog"), "L")) == [1, 0]
    assert match("n01443537", known=Labels(("n01440764", "n01443537"), "L")) == [1]
    # Seven digits are no synset but somebody's own name.
    assert match("n0144353", known=Labels(("a", "n0144353"), "L")) == [1]


def test_sorted_folders_stand_in_for_labels(tmp_path):
    lay(tmp_path, "b/1.jpg", "a/1.jpg", "10/1.jpg", "9/1.jpg")
    found = images.names(tmp_path)
    known = folders.of_folders(tmp_path, found)
    # As strings, which is how Keras numbers the classes of a folder.
    assert (known.lines, known.assumed, known.remark) == (("10", "9", "a", "b"), True, "")
    assert folders.match(tmp_path, ["b/1.jpg", "9/1.jpg"], known) == [3, 1]


def test_numbers_as_strings_and_empty_folders_are_remarked_on(tmp_path):
    lay(tmp_path, *(f"{number}/1.jpg" for number in range(11)))
    known = folders.of_folders(tmp_path, images.names(tmp_path))
    assert known.remark == "sorted as strings, as Keras sorts them: 0, 1, 10, 2, ..."
    (tmp_path / "11").mkdir()
    known = folders.of_folders(tmp_path, images.names(tmp_path))
    # Keras counts an empty folder, so that the classes after it keep their numbers.
    assert known.lines[:4] == ("0", "1", "10", "11")
    assert known.remark.endswith("; 1 of 12 without images: 11")


@pytest.mark.data
def test_real_folder_matches_its_labels_by_synset(data):
    place = folders.locate(data)
    assert place.labels is not None
    names = labels.read(place.labels)
    paths = [f"{path.name}/1.jpg" for path in sorted(place.folder.iterdir())]
    indexes = folders.match(place.folder, paths, names)
    assert len(names.lines) == 1000
    # Keras sorts ImageNet by synset, so sorted folders have rising indexes, each on the line that begins with its name.
    assert indexes == sorted(set(indexes))
    assert all(
        names.lines[index].startswith(path.partition("/")[0]) for index, path in zip(indexes, paths, strict=True)
    )
