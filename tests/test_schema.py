"""Values are checked against annotations, one level deep; dataclasses are built from dictionaries."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mobilenet_edge import schema


@dataclass
class Inner:
    number: int = 1


@dataclass
class Outer:
    whole: int = 1
    real: float = 0.5
    text: str = "a"
    maybe: str | None = None
    times: tuple[int, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    table: dict[str, int] = field(default_factory=dict)
    anything: dict[str, Any] = field(default_factory=dict)
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()


def test_what_fits_passes():
    schema.check(Outer())
    schema.check(Outer(2, 3, "b", "c", (1, 2), (1, 2.5), {"a": 1}, {"a": [None]}, Inner()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 1.0),
        ("whole", True),
        ("whole", "1"),
        ("whole", None),
        ("real", "0.5"),
        ("real", False),
        ("text", 1),
        ("maybe", 1),
        ("times", [1]),
        ("times", (1, "2")),
        ("times", 5),
        ("pair", (1.0,)),
        ("pair", (1.0, 2.0, 3.0)),
        ("pair", ("a", "b")),
        ("table", {"a": "b"}),
        ("table", {1: 1}),
        ("table", []),
        ("anything", {1: 1}),
        ("inner", {"number": 1}),
    ],
)
def test_what_does_not_fit_is_named(name, value):
    with pytest.raises(TypeError, match=f"{name} cannot be "):
        schema.check(Outer(**{name: value}))


def test_a_long_value_is_cut_short():
    with pytest.raises(TypeError) as caught:
        schema.check(Outer(whole="x" * 10_000))
    assert len(str(caught.value)) < 100


def test_numpy_scalars_are_no_numbers_of_json():
    numpy = pytest.importorskip("numpy")
    assert not schema.fits(numpy.int64(1), int)
    assert not schema.fits(numpy.float32(1), float)


def test_json_becomes_dataclasses_and_tuples():
    entry = {"whole": 2, "real": 3, "times": [1, 2], "inner": {"number": 4, "newer": 1}, "inners": [{}], "newer": []}
    value = schema.from_dict(Outer, entry)
    assert value == Outer(2, 3, times=(1, 2), inner=Inner(4), inners=(Inner(),))
    assert type(value.real) is int
    assert schema.values(Outer, {"times": [1], "newer": 1}) == {"times": (1,)}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"whole": "1"}, "whole cannot be '1'"),
        ({"times": [1, "2"]}, "times cannot be"),
        ({"inner": {"number": None}}, "number cannot be None"),
        ({"inner": 1}, "inner is 1; it must be a table"),
        ({"inners": [1]}, r"inners\[1\] is 1; it must be a table"),
        ({"inners": {}}, "inners cannot be {}"),
    ],
)
def test_json_that_does_not_fit_is_a_type_error(entry, message):
    with pytest.raises(TypeError, match=message):
        schema.from_dict(Outer, entry)


def test_a_missing_name_is_a_hint():
    assert schema.nearest("lable", ["label", "size"]) == "did you mean 'label'?"
    assert schema.nearest("x", ["label", "size"]) == "known: label, size"
    assert schema.nearest("x", ["label"], "none") == "none"
