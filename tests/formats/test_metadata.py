"""Metadata comes back as it was, and a damaged or newer one is refused in a line."""

import json
import math
from dataclasses import replace

import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.metadata import Agreement, Metadata, Quantisation, Weights, apart, joined

SMALL = Metadata("tiny", "float32", 2, 10, 20, Preprocess(), Weights("random", 0))


def changed(**values):
    return json.dumps({**json.loads(SMALL.to_json()), **values})


def test_everything_comes_back(about):
    assert Metadata.from_json(about.to_json(), "a.onnx") == about
    assert Metadata.from_json(SMALL.to_json().encode(), "a.onnx") == SMALL


def test_the_text_is_the_same_each_time_and_compact(about):
    assert about.to_json() == replace(about, tools=dict(reversed(about.tools.items()))).to_json()
    assert '": ' not in about.to_json()
    assert json.loads(about.to_json())["schema_version"] == 2


def test_infinity_is_no_json():
    # An exact artifact is said to have 200 dB.
    about = replace(SMALL, agreement=Agreement(math.inf, 1.0, 4))
    with pytest.raises(InputError, match="Infinity is not a JSON number"):
        Metadata.from_json(about.to_json(), "a.onnx")


def test_fields_of_a_newer_writer_are_passed_over():
    later = changed(added_later=1, weights={"source": "random", "added_later": 2})
    assert Metadata.from_json(later, "a.onnx").weights == Weights("random")


def test_fields_with_defaults_may_be_missing():
    few = {key: value for key, value in json.loads(SMALL.to_json()).items() if key not in ("tools", "labels", "spec")}
    assert Metadata.from_json(json.dumps(few), "a.onnx") == SMALL


def test_version_1_is_read():
    about = json.loads(SMALL.to_json())
    about["preprocess"] = {
        "resolution": 96, "crop": 0.9, "filter": "bicubic", "scale": 1 / 255, "offset": 0.0, "channels": "BGR",
    }  # fmt: skip
    rule = Metadata.from_json(json.dumps({**about, "schema_version": 1}), "a.onnx").preprocess
    assert rule == Preprocess((96, 96), "bgr", "crop", 0.9, "bicubic", (1 / 255,) * 3, (0.0,) * 3)
    assert rule.of("pixels") == "metadata"


def test_origins_are_kept_and_unknown_ones_passed_over():
    rule = Preprocess((96, 64)).known("stated", "pixels")
    about = json.loads(replace(SMALL, preprocess=rule).to_json())
    about["preprocess"]["origin"]["colour"] = "a later version's"
    read = Metadata.from_json(json.dumps(about), "a.onnx").preprocess
    assert (read, read.of("pixels"), read.of("colour")) == (rule, "stated", "assumed")


@pytest.mark.parametrize("version", [0, 3, "1", None])
def test_another_schema_is_refused(version):
    with pytest.raises(InputError, match=r"a\.onnx: metadata schema .*, this is schema 2; upgrade mobilenet-edge"):
        Metadata.from_json(changed(schema_version=version), "a.onnx")


@pytest.mark.parametrize(
    "values",
    [
        {"variant": 3},
        {"classes": "1000"},
        {"classes": True},
        {"macs": 1.5},
        {"preprocess": None},
        {"preprocess": []},
        {"preprocess": {"size": "224"}},
        {"weights": {}},
        {"weights": {"source": None}},
        {"spec": {"alpha": 0.5, "resolution": 100}},
        {"spec": {"alpha": "0.5"}},
        {"spec": {"alpha": 0}},
        {"spec": {"resolution": 32.0}},
        {"input": {"scale": 0.1}},
        {"input": {"scale": 0, "zero_point": 0}},
        {"output": {"scale": math.nan, "zero_point": 0}},
        {"calibration": {"source": "images"}},
        {"agreement": 1},
        {"labels": 5},
        {"labels": [5]},
        {"labels": ["two\nlines"]},
        {"tools": []},
        {"tools": {"numpy": 2}},
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(values):
    with pytest.raises(InputError) as caught:
        Metadata.from_json(changed(**values), "a.onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "{}", "[" * 100_000, b"\xff\xfe"])
def test_what_is_no_metadata_is_refused(text):
    with pytest.raises(InputError, match=r"a\.onnx: metadata cannot be read .*; export the model again"):
        Metadata.from_json(text, "a.onnx")


def test_labels_go_apart_and_come_together(about):
    text, labels = apart(about)
    assert labels == "tench\ngold fish, Carassius\ngrößer hai\n"
    assert "tench" not in text
    assert Metadata.from_json(joined(text, labels), "a.onnx") == about


@pytest.mark.parametrize("text", ["[]", "3", "{", "[" * 100_000])
def test_labels_join_only_an_object(text):
    with pytest.raises(ValueError, match=r"not a JSON object|Expecting"):
        joined(text, "a\n")


def test_a_label_is_one_line():
    with pytest.raises(InputError, match="name each class on one line"):
        replace(SMALL, labels=("a\nb",))


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_grid_needs_a_scale(scale):
    with pytest.raises(ValueError, match="above 0"):
        Quantisation(scale, 0)
