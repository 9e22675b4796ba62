"""TOML as dataclasses: what is read, and on which line it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mobilenet_edge import toml
from mobilenet_edge.errors import InputError, UsageError


@dataclass(frozen=True)
class Part:
    size: int = 1
    label: str | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"size must be at least 1, got {self.size}")


@dataclass(frozen=True)
class Whole:
    alpha: float
    parts: tuple[int, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    loud: bool = False
    part: Part = field(default_factory=Part)
    computed: int = field(default=7, init=False)


@dataclass(frozen=True)
class Named:
    name: str
    host: str
    size: int = 0


Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        (tmp_path / "x.toml").write_text(text)
        return tmp_path / "x.toml"

    return write


def test_everything_is_read(write: Write) -> None:
    text = "alpha = 1\nparts = [1, 2]\nloud = true\n[options]\na = 'b'\n[part]\nsize = 3\nlabel = 'x'\n"
    assert toml.read(write(text), Whole) == Whole(1.0, (1, 2), {"a": "b"}, True, Part(3, "x"))


def test_one_value_stands_for_a_list_of_one(write: Write) -> None:
    assert toml.read(write("alpha = 0.5\nparts = 4"), Whole).parts == (4,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha = 1\n\nlod = true\n", r"line 3: unknown key 'lod'; did you mean 'loud'\?"),
        ("alpha = 1\n[part]\n# why\nsise = 3\n", r"line 4: unknown key 'part\.sise'; did you mean 'size'\?"),
        ("alpha = 1\n[part]\nzzz = 3\n", r"line 3: unknown key 'part\.zzz'; known: label, size"),
        ("alpha = 1\npart.zzz = 3\n", r"line 2: unknown key 'part\.zzz'"),
        ("alpha = 1\n'zz z' = 3\n", r"line 2: unknown key 'zz z'"),
        ("alpha = 1\npart = { size = 1, zzz = 3 }\n", r"line 2: unknown key 'part\.zzz'"),
        # The key stands where its value begins, whatever else looks like it.
        ("alpha = 1\n# zzz = 1\nparts = [\n  1,\n  2,\n]\nzzz = [\n  1,\n]\n", "line 7: unknown key 'zzz'"),
        ('alpha = 1\noptions.text = """\nzzz = 1\n"""\nzzz = 1\n', "line 5: unknown key 'zzz'"),
        ("alpha = 1\n\n[zzz]\na = 1\n", r"line 3: unknown key 'zzz'"),
        ("alpha = 1\ncomputed = 3\n", "line 2: unknown key 'computed'"),
        ("alpha = 'x'\n", "line 1: alpha is 'x'; it must be a number"),
        ("alpha = 1\nloud = 1\n", "line 2: loud is 1; it must be true or false"),
        ("alpha = 1\nparts = [1, 'x']\n", "line 2: parts is 'x'; it must be a whole number"),
        ("alpha = 1\n[options]\na = 1\n", r"line 2: options is \{'a': 1\}; it must be a table of texts"),
        ("alpha = 1\n[part]\nlabel = 1\n", r"line 3: part\.label is 1; it must be text"),
        ("alpha = 1\npart = 1\n", r"line 2: part is 1; it must be a table \[part\]"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_line(text: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=rf"x\.toml, {message}"):
        toml.read(write(text), Whole)


def test_what_is_missing_or_out_of_range(write: Write) -> None:
    with pytest.raises(InputError, match=r"x\.toml: the file lacks alpha; mnet init writes examples$"):
        toml.read(write(""), Whole)
    with pytest.raises(InputError, match=r"x\.toml: size must be at least 1, got 0$"):
        toml.read(write("alpha = 1\npart.size = 0"), Whole)
    with pytest.raises(InputError, match=r"x\.toml: int too large"):
        toml.read(write(f"alpha = 1{'0' * 400}"), Whole)


def test_tables_by_name(write: Write) -> None:
    found = toml.read_named(write("[a]\nhost = 'x'\n['b c']\nhost = 'y'\nsize = 2\n"), Named)
    assert found == {"a": Named("a", "x"), "b c": Named("b c", "y", 2)}
    assert toml.read_named(write(""), Named) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nsize = 1\n", r", line 1: the table \[a\] lacks host"),
        ("[a]\nhost = 'x'\n[b]\nhost = 'x'\nsice = 1\n", r", line 5: unknown key 'b\.sice'; did you mean 'size'"),
        ("host = 'x'\n", r", line 1: host is 'x'; it must be a table \[host\]"),
        ("[a]\nname = 'b'\nhost = 'x'\n", r", line 2: unknown key 'a\.name'; the name is that of the table"),
        ("[a]\nhost = 1\n", r", line 2: a\.host is 1; it must be text"),
    ],
)
def test_tables_by_name_that_cannot_be(text: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=rf"x\.toml{message}"):
        toml.read_named(write(text), Named)


@pytest.mark.parametrize("text", ["= 3", "[grid", "a = " + "[" * 5000, "\x00"], ids=["key", "head", "deep", "nul"])
def test_what_is_not_toml(text: str, write: Write) -> None:
    with pytest.raises(InputError, match=r"x\.toml is not TOML: .*; mnet init writes examples$"):
        toml.read_named(write(text), Named)


def test_other_errors_are_bugs_and_stay_as_they_are(write: Write) -> None:
    @dataclass(frozen=True)
    class Broken:
        host: str

        def __post_init__(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        toml.read(write("host = 'x'"), Broken)


def test_a_key_that_is_never_set_has_no_line() -> None:
    assert toml.line_of("[a]\nb = 1\n", ("a", "c")) is None
    assert toml.line_of("[a]\nb = 1\n", ("a", "b")) == 2
