"""Files that say which labels each image has."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.data import truth
from mobilenet_edge.data.labels import Labels
from mobilenet_edge.errors import InputError

IMAGES = ["a.jpg", "b/c.jpg", "d.jpg"]
LABELS = Labels(("cat", "hot dog", "sofa"), "L")
MARKS = [[1, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "a.jpg,cat|hot dog\nb/c.jpg,sofa\nd.jpg,\n"),
        ("t.csv", "image,labels\na.jpg,cat;hot dog\nc.jpg,sofa\nd.jpg,\n"),
        ("t.csv", 'a.jpg,"cat,hot dog"\nb/c.jpg,sofa\nd.jpg\n'),
        ("t.csv", "a.jpg,cat,hot dog\nb/c.jpg,sofa\nd.jpg\n"),
        ("t.tsv", "a.jpg\thot_dog|cat\nb/c.jpg\tsofa\nd.jpg\t\n"),
        ("t.csv", "filename, cat, hot dog, sofa\na.jpg, 1, 1, 0\nb/c.jpg, 0, 0, 1\nd.jpg, 0, 0, 0\n"),
        ("t.json", '{"a.jpg": ["cat", "hot dog"], "b/c.jpg": "sofa", "d.jpg": []}'),
    ],
)
def test_every_form_marks_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    marks = truth.read(tmp_path / name).matrix(IMAGES, LABELS)
    assert marks.astype(int).tolist() == MARKS


def test_spaces_are_between_labels_only_where_the_whole_is_none(tmp_path):
    (tmp_path / "t.csv").write_text("a.jpg,cat sofa\nc.jpg,hot dog\n")
    marks = truth.read(tmp_path / "t.csv").matrix(IMAGES[:2], LABELS)
    np.testing.assert_array_equal(marks, [[1, 0, 1], [0, 1, 0]])


def test_flags_name_the_labels_in_their_order_and_lists_in_sorted_order(tmp_path):
    (tmp_path / "t.csv").write_text("image,sofa,cat\na.jpg,1,0\n")
    assert truth.read(tmp_path / "t.csv").labels().lines == ("sofa", "cat")
    (tmp_path / "t.csv").write_text("a.jpg,sofa\nb.jpg,cat|sofa\n")
    assert truth.read(tmp_path / "t.csv").labels().lines == ("cat", "sofa")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", "a.jpg,cat\na.jpg,sofa\n", "line 2 lists a.jpg again"),
        ("t.csv", "image,cat,sofa\na.jpg,1\n", "line 2 has 1 flags for 2 labels"),
        ("t.json", "[1]", "lists no images"),
        ("t.json", '{"a.jpg": 1}', "'a.jpg' has no list of labels"),
        ("t.json", "{", "is not JSON"),
        ("t.csv", "a.jpg,cat\n", r"does not list b/c\.jpg \(2 of 3 images"),
        ("t.csv", "a.jpg,cow\nc.jpg,cat\nd.jpg,cat\n", "'cow' in .* is no class of L"),
    ],
)
def test_what_does_not_say_so_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        truth.read(tmp_path / name).matrix(IMAGES, LABELS)


def test_a_list_of_images_is_told_from_a_list_of_classes(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "labels.csv").write_text("0,cat\n1,sofa\n")
    (folder / "labels.json").write_text('["cat", "sofa"]')
    assert truth.locate(folder) is None
    (tmp_path / "truth.json").write_text('{"a.jpg": ["cat"]}')
    assert truth.locate(folder) == tmp_path / "truth.json"
