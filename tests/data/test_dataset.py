"""Class folders: which picture is in which split, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.data import dataset
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.errors import InputError


def fill(folder: Path, count: int, start: int = 0) -> Path:
    """Files with names of pictures; their content is never decoded here."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        (folder / f"{number}.png").write_text(f"{folder.name} {number}")
    return folder


def sides(data: Dataset) -> dict[str, str]:
    return {
        picture.sha256: name for name in ("train", "validation", "test") for picture in getattr(data, name)
    }  # fmt: skip


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        fill(tmp_path / name, 60)
    return tmp_path


def test_split_has_the_shares_asked_for_and_all_classes(pets):
    data = dataset.read(pets, validation=0.2, test=0.1)
    assert data.classes == ("cat", "dog")
    assert len(data.train) + len(data.validation) + len(data.test) == 120
    assert 12 <= len(data.validation) <= 36
    assert 3 <= len(data.test) <= 24
    for split in (data.train, data.validation, data.test):
        assert {picture.label for picture in split} == {0, 1}
        assert all(picture.path.parent.name == data.classes[picture.label] for picture in split)
    assert data.copies == ()


def test_picture_stays_on_its_side_when_others_are_added_or_it_is_renamed(pets):
    before = dataset.read(pets, test=0.1)
    fill(pets / "cat", 40, start=60)
    fill(pets / "ape", 50)
    (pets / "dog" / "0.png").rename(pets / "dog" / "renamed.png")
    after = sides(dataset.read(pets, test=0.1))
    assert {digest: after[digest] for digest in sides(before)} == sides(before)


@pytest.mark.parametrize(("validation", "test"), [(0.01, 0.0), (0.01, 0.01), (0.98, 0.01), (0.01, 0.98)])
def test_smallest_class_has_some_of_each_split(tmp_path, validation, test):
    for name in ("cat", "dog"):
        fill(tmp_path / name, 5)
    data = dataset.read(tmp_path, validation=validation, test=test)
    for split in (data.train, data.validation, *([data.test] if test else [])):
        assert {picture.label for picture in split} == {0, 1}
    assert data.counts == {"cat": 5, "dog": 5}


def test_copies_are_used_once_and_named(pets):
    (pets / "cat" / "copy.png").write_bytes((pets / "cat" / "7.png").read_bytes())
    data = dataset.read(pets)
    assert len(sides(data)) == 120 == len(data.train) + len(data.validation)
    assert data.copies == ((pets / "cat" / "copy.png", pets / "cat" / "7.png"),)


def test_copy_in_the_validation_folder_is_learned_from_only(tmp_path):
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            fill(tmp_path / part / name, 50, start=0 if part == "train" else 49)
    data = dataset.read(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (100, 98, 0)
    assert (tmp_path / "val" / "cat" / "49.png", tmp_path / "train" / "cat" / "49.png") in data.copies


def test_folder_of_classes_in_train_alone_is_divided(tmp_path):
    for name in ("cat", "dog"):
        fill(tmp_path / "train" / name, 50)
        fill(tmp_path / "test" / name, 5, start=100)
    data = dataset.read(tmp_path)
    assert len(data.test) == 10
    assert len(data.train) + len(data.validation) == 100
    assert {picture.label for picture in data.validation} == {0, 1}


def test_test_pictures_come_from_train_where_there_is_no_folder_of_them(tmp_path):
    for part, start in (("train", 0), ("val", 100)):
        for name in ("cat", "dog"):
            fill(tmp_path / part / name, 50, start=start)
    data = dataset.read(tmp_path, test=0.2)
    assert len(data.validation) == 100
    assert 0 < len(data.test) < 50
    assert {picture.path.parents[1] for picture in data.test} == {data.test_folder} == {tmp_path / "train"}
    assert dataset.read(tmp_path).test == ()


def test_pictures_without_classes_are_labelled_by_a_function(tmp_path):
    fill(tmp_path / "album", 40)
    (tmp_path / "album" / "copy.png").write_bytes((tmp_path / "album" / "7.png").read_bytes())
    answers = {f"{number}.png": number % 2 for number in range(39)}
    data = dataset.unlabelled(
        tmp_path / "album", ("cat", "dog", "ape"), lambda path: answers.get(path.name), validation=0.2, test=0.0
    )
    assert data.counts == {"cat": 20, "dog": 19, "ape": 0}
    assert data.validation
    assert all(picture.label == answers[picture.path.name] for picture in (*data.train, *data.validation))
    assert [copy.name for copy, _ in data.copies] == ["copy.png"]
    assert data.class_weights()[2] == 0
    assert not dataset.is_labelled(tmp_path / "album")
    assert dataset.is_labelled(tmp_path)


def test_digest_follows_the_split_and_not_the_place(pets, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for name in ("cat", "dog"):
        fill(other / name, 60)
    assert dataset.read(pets).sha256 == dataset.read(other).sha256
    assert dataset.read(pets, validation=0.3).sha256 != dataset.read(pets).sha256


def test_class_weights_are_inverse_to_the_pictures(tmp_path):
    for part in ("train", "val"):
        fill(tmp_path / part / "cat", 10, start=0 if part == "train" else 1000)
        fill(tmp_path / part / "dog", 30, start=0 if part == "train" else 1000)
    assert dataset.read(tmp_path).class_weights() == pytest.approx((2, 2 / 3))


def _one_class(folder: Path) -> None:
    fill(folder / "cat", 9)


def _few(folder: Path) -> None:
    fill(folder / "cat", 9)
    fill(folder / "dog", 4)


def _empty_class(folder: Path) -> None:
    fill(folder / "cat", 9)
    (folder / "dog").mkdir()


def _loose(folder: Path) -> None:
    fill(folder / "cat", 9)
    (folder / "7.png").touch()


def _same_in_two(folder: Path) -> None:
    fill(folder / "cat", 9)
    fill(folder / "dog", 9)
    (folder / "dog" / "x.png").write_bytes((folder / "cat" / "3.png").read_bytes())


def _unknown_class(folder: Path) -> None:
    for name in ("cat", "dog"):
        fill(folder / "train" / name, 9)
    fill(folder / "val" / "ape", 9)


def _without_train(folder: Path) -> None:
    for part in ("val", "test"):
        fill(folder / part / "cat", 9)


def _same_in_two_splits(folder: Path) -> None:
    for name in ("cat", "dog"):
        fill(folder / "train" / name, 9)
        fill(folder / "val" / name, 9, start=20)
    (folder / "val" / "dog" / "x.png").write_bytes((folder / "train" / "cat" / "3.png").read_bytes())


@pytest.mark.parametrize(
    ("lay", "message"),
    [
        (_one_class, "one class, 'cat'; a classifier needs two"),
        (_few, "class 'dog' has 4 pictures; training needs 5"),
        (_empty_class, "dog holds no pictures; add some or remove it"),
        (_loose, r"7\.png lies in no class folder"),
        (_same_in_two, r"dog/x\.png and .*cat/3\.png are the same picture in two classes"),
        (_same_in_two_splits, r"dog/x\.png and .*cat/3\.png are the same picture in two classes"),
        (_unknown_class, "class folder 'ape', which .*train has not"),
        (_without_train, "no train/"),
        (lambda folder: folder.rmdir(), "is not a folder"),
    ],
)
def test_unusable_folder_is_refused(tmp_path, lay, message):
    lay(tmp_path)
    with pytest.raises(InputError, match=message):
        dataset.read(tmp_path)
