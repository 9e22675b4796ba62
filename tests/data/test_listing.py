"""Class lists as tools write them."""

from __future__ import annotations

import json
from codecs import BOM_UTF16_LE

import pytest

from mobilenet_edge.data import listing
from mobilenet_edge.errors import InputError

NAMES = ("bird", "sports car", "cat")


@pytest.mark.parametrize(
    "text",
    [
        "bird\nsports car\ncat\n",
        "\n bird \n\nsports car\t\ncat",
        "bird\r\nsports car\r\ncat\r\n",
        "\ufeffbird\nsports car\ncat",
        "0 bird\n1 sports car\n2 cat",
        "0  bird\n1  sports car\n2  cat",
        "0: bird\n1: sports car\n\n2: cat",
        "0\tbird\n1\tsports car\n2\tcat",
        "bird\t0\nsports car\t1\ncat\t2",
        "0,bird\n1,sports car\n2,cat",
        "bird,0\nsports car,1\ncat,2",
        "cat,2\nbird,0\nsports car,1",
        "index,name\n0,bird\n1,sports car\n2,cat",
        'id,label\n0,"bird"\n1,"sports car"\n2,"cat"',
        "bird: 0\nsports car: 1\ncat: 2",
        '"bird"\n"sports car"\n"cat"\n',
        "'bird',\n'sports car',\n'cat',\n",
        '{"bird": 0, "sports car": 1, "cat": 2}',
        '{"cat": 2, "bird": 0, "sports car": 1}',
        '{"0": "bird", "1": "sports car", "2": "cat"}',
        '["bird", "sports car", "cat"]',
        "{'bird': 0, 'sports car': 1, 'cat': 2}",
        "{0: 'bird', 1: 'sports car', 2: 'cat'}",
    ],
)
def test_every_form_gives_the_names_in_order(text):
    assert listing.parse(text.encode(), "L") == NAMES


def test_utf_16_of_windows_editors_is_read():
    assert listing.parse(BOM_UTF16_LE + "bird\r\nfaucon pèlerin".encode("utf-16-le"), "L") == ("bird", "faucon pèlerin")


@pytest.mark.parametrize(
    "names",
    [
        ("n01440764 tench, Tinca tinca", "n01443537 goldfish, Carassius auratus"),
        ("tench, Tinca tinca", "goldfish, Carassius auratus"),
        ("class 0", "class 1"),
        ("0", "1", "10"),
        ("2020 Ford", "2021 Ford"),
        ("7 up", "cola"),
        ("[unknown]", "cat"),
    ],
)
def test_names_with_commas_and_figures_stay_as_they_are(names):
    assert listing.parse("\n".join(names).encode(), "labels.txt") == names


def test_the_index_of_keras_for_imagenet_is_understood():
    text = json.dumps({"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]})
    assert listing.parse(text.encode(), "L") == ("n01440764 tench", "n01443537 goldfish")


def test_names_of_imagenet_may_repeat():
    names = [f"name {index}" for index in range(999)] + ["name 4"]
    assert len(listing.parse("\n".join(names).encode(), "L")) == 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "L is empty"),
        (b"\n \n", "L is empty"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"a\0b", "is not a text file"),
        (b"cat\ndog\ncat", "line 3 names 'cat' again, after line 1"),
        (b"0 cat\n1 dog\n1 cow", "line 3 gives index 1 again, after line 2"),
        (b"0 cat\n2 dog\n3 cow", "line 2 has index 2, but there is no index 1"),
        (b"1 cat\n2 dog", "line 1 has index 1, but there is no index 0"),
        (b"0 cat\n1 dog\ncow", r"line 3 \('cow'\) has no index"),
        (b'{"cat": 0, "dog": 0}', "entry 2 gives index 0 again, after entry 1"),
        (b'{"cat": 0, "dog": 2}', "entry 2 has index 2, but there is no index 1"),
        (b'{"cat": 0, "cat": 1}', "entry 2 names 'cat' again"),
        (b'{"classes": ["cat", "dog"]}', "is no list of classes"),
        (b'{"cat": true}', "is no list of classes"),
        (b"[]", "is no list of classes"),
        (b"[1, 2]", "is no list of classes"),
    ],
)
def test_what_does_not_name_each_class_once_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        listing.parse(content, "L")


def test_broken_json_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"c\.json is not JSON"):
        listing.parse(b'{"cat": 0,', "c.json")
