"""Class lists as tools write them: plain, numbered, tabbed, CSV, JSON. docs/models.md lists them."""

from __future__ import annotations

import ast
import csv
import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from typing import Any, Final

from mobilenet_edge.errors import InputError

# ImageNet's own names: two cranes, two maillots and, behind a background line, the same.
_REPEATING: Final = (1000, 1001)
_NUMBER_FIRST: Final = re.compile(r"(\d+)(?:\s*[,;:=\t]\s*|\s+)(.*\S)")
_NUMBER_LAST: Final = re.compile(r"(.*\S)\s*[,;:=\t]\s*(\d+)")
_SPLITTERS: Final = ",;\t"
_ADVICE: Final = "write one class name a line, in the order of the model's outputs"

Row = tuple[int, str]
"""Line number from 1, and what stands there."""


def parse(data: bytes, source: str) -> tuple[str, ...]:
    """Read the class names of a file, in the order of their indexes.

    Args:
        data: The file, in UTF-8 or in UTF-16 with its byte order mark.
        source: Names it in messages.

    Returns:
        One name each, as written, without its index and quotes.

    Raises:
        InputError: It is no text or holds no names, an index is missing or used twice, or a name is used twice.
    """
    text = _decode(data, source)
    literal = _literal(text, source)
    names = _names(_lines(text), source) if literal is None else _of_literal(literal, source)
    if not names:
        raise InputError(f"{source} is empty; {_ADVICE}")
    _refuse_repeats(names, source, "line" if literal is None else "entry")
    return tuple(name for _, name in names)


def _in_order(indexed: Sequence[tuple[int, int, str]], source: str, unit: str) -> list[Row]:
    """Sort (place, index, name) by index; `unit` is what a place counts, for messages.

    Raises:
        InputError: An index is used twice, or those from 0 upwards are not all there.
    """
    places: dict[int, Row] = {}
    for place, index, name in indexed:
        if index in places:
            raise InputError(f"{source}: {unit} {place} gives index {index} again, after {unit} {places[index][0]}")
        places[index] = (place, name)
    for expected, index in enumerate(sorted(places)):
        if index != expected:
            gap = f"{unit} {places[index][0]} has index {index}, but there is no index {expected}"
            raise InputError(f"{source}: {gap}; number the classes from 0 without gaps")
    return [places[index] for index in sorted(places)]


def _decode(data: bytes, source: str) -> str:
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not a text file in UTF-8; {_ADVICE}") from error
    if "\0" in text:
        raise InputError(f"{source} is not a text file; {_ADVICE}")
    return text


def _lines(text: str) -> list[Row]:
    """Number the lines that are not blank; only line breaks that editors write count as such."""
    lines = re.split(r"\r\n|\n|\r", text)
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


def _names(rows: Sequence[Row], source: str) -> list[Row]:
    indexed = _indexed(rows, source)
    if indexed is not None:
        return _in_order(indexed, source, "line")
    return [(number, _unquoted(line)) for number, line in rows]


def _indexed(rows: Sequence[Row], source: str) -> list[tuple[int, int, str]] | None:
    """Split numbered lines into line, index and name; None where the lines are names alone.

    Lines count as numbered where most are, and 0 or 1 is among the numbers: names may begin with figures, too.

    Raises:
        InputError: Some lines are numbered and others are not.
    """
    found = {number: entry for number, line in rows if (entry := _entry(line))}
    if len(found) * 2 <= len(rows) or not {0, 1} & {index for index, _ in found.values()}:
        return None
    lacking = [(number, line) for number, line in rows if number not in found]
    if lacking and lacking[0][0] == rows[0][0] and any(each in lacking[0][1] for each in _SPLITTERS):
        lacking = lacking[1:]  # the header of a table
    if lacking:
        number, line = lacking[0]
        raise InputError(f"{source}: line {number} ({line[:40]!r}) has no index, and the others have; give it one")
    return [(number, index, name) for number, (index, name) in found.items()]


def _entry(line: str) -> tuple[int, str] | None:
    """Split a line into its index and its name; behind a name, only a separator makes figures an index: "class 0"."""
    cells = _cells(line)
    for index, name in (cells, cells[::-1]) if len(cells) == 2 else ():
        if index.isdecimal() and name:
            return int(index), name
    if match := _NUMBER_FIRST.fullmatch(line):
        return int(match[1]), _unquoted(match[2])
    if match := _NUMBER_LAST.fullmatch(line):
        return int(match[2]), _unquoted(match[1])
    return None


def _cells(line: str) -> list[str]:
    """Split a line of a table; quotes keep a comma in its cell."""
    splitter = next((each for each in "\t;," if each in line), ",")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=splitter, skipinitialspace=True))]


def _unquoted(line: str) -> str:
    text = line.rstrip(",").rstrip() if line[:1] in "\"'" else line
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else line


def _literal(text: str, source: str) -> Any:
    """Read JSON, or a Python dict or list as `str` writes it; None where the text is neither."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        fact = str(error)
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        if source.endswith(".json"):
            raise InputError(f"{source} is not JSON ({fact}); {_ADVICE}") from error
        return None
    return _Pairs(found.items()) if isinstance(found, dict) else found


class _Pairs(list[tuple[Any, Any]]):
    """Entries of an object in their order, a key used twice among them."""


def _of_literal(value: Any, source: str) -> list[Row]:
    """Return the names of {"bird": 0}, {"0": "bird"}, {"0": ["n01503061", "bird"]} or ["bird"]."""
    if not isinstance(value, _Pairs):
        entries = [(place, _text(name)) for place, name in enumerate(value)] if isinstance(value, list) else []
        indexed = [(place + 1, place, name) for place, name in entries if name]
    else:
        entries = list(value)
        indexed = [entry for place, pair in enumerate(value, 1) if (entry := _pair(place, *pair))]
    if not entries or len(indexed) < len(entries):
        raise InputError(
            f'{source} is no list of classes; write {{"bird": 0, "car": 1}} or ["bird", "car"], or {_ADVICE}'
        )
    return _in_order(indexed, source, "entry")


def _pair(place: int, key: Any, value: Any) -> tuple[int, int, str] | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return (place, value, str(key)) if str(key).strip() else None
    name = _text(value)
    return (place, int(key), name) if name and str(key).isdecimal() else None


def _text(value: Any) -> str | None:
    """One name; Keras's ImageNet index has a synset and a name."""
    parts = value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
    good = parts and all(isinstance(part, str) and part.strip() and "\n" not in part for part in parts)
    return " ".join(part.strip() for part in parts) if good else None


def _refuse_repeats(names: Sequence[Row], source: str, unit: str) -> None:
    if len(names) in _REPEATING:
        return
    lines: dict[str, int] = {}
    for number, name in names:
        if name in lines:
            raise InputError(
                f"{source}: {unit} {number} names {name!r} again, after {unit} {lines[name]}; name each class once"
            )
        lines[name] = number
