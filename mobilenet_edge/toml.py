"""Dataclasses from TOML files: an unknown key is refused with its line and the nearest known one."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from mobilenet_edge import files, schema
from mobilenet_edge.errors import InputError, MnetError

KINDS: Final[Mapping[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict[str, str]: "a table of texts",
}
NAME: Final = "name"
T = TypeVar("T")
Place = tuple[str | int, ...]


def read(path: Path, kind: type[T]) -> T:
    """Read a file as one dataclass: its tables are those of the fields that are dataclasses themselves.

    A tuple takes a list, or one value for a list of one.

    Raises:
        InputError: The file cannot be read, is not TOML, or has a key or value that cannot be.
    """
    text, table = _load(path)
    with _Telling(path, text):
        return _make(kind, table, ())


def read_named(path: Path, kind: type[T]) -> dict[str, T]:
    """Read a file of tables of one kind, `[pi4]`; the name of each becomes its field `name`.

    Raises:
        InputError: As `read`.
    """
    text, tables = _load(path)
    with _Telling(path, text):
        return {name: _named(kind, name, table) for name, table in tables.items()}


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """Find the line on which a key is set, from 1; None where it never is. An int is the place in an array of tables.

    The parser does not tell, so it is asked again about ever more of the file: what adds the key sets it.
    """
    lines, complete = text.splitlines(keepends=True), 0
    for count in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # inside a value of several lines
        if _holds(table, keys):
            return complete + 1
        complete = count
    return None


class _Wrong(Exception):
    """What is wrong with the value of a key."""

    def __init__(self, keys: Sequence[str | int], message: str) -> None:
        super().__init__(message)
        self.keys = tuple(keys)


@dataclass(frozen=True)
class _Telling:
    """Adds the file, and where it can the line, to what goes wrong inside."""

    path: Path
    text: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, _Wrong):
            line = line_of(self.text, error.keys) if error.keys else None
            raise InputError(f"{self.path}{f', line {line}' if line else ''}: {error}") from error
        if isinstance(error, MnetError | OverflowError):
            raise InputError(f"{self.path}: {error}") from error


def _load(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = files.read_bytes(path).decode("utf-8")
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {error}; see configs/ for examples") from error


def _holds(table: object, keys: Sequence[str | int]) -> bool:
    if not keys:
        return True
    key, rest = keys[0], keys[1:]
    if isinstance(table, list):
        return isinstance(key, int) and key < len(table) and _holds(table[key], rest)
    return isinstance(table, dict) and key in table and _holds(table[key], rest)


def _named(kind: type[T], name: str, table: Any) -> T:
    if not isinstance(table, dict):
        raise _Wrong((name,), f"{name} is {table!r:.60}; it must be a table [{name}]")
    if NAME in table:
        raise _Wrong((name, NAME), f"unknown key '{name}.{NAME}'; the name is that of the table")
    return _make(kind, table, (name,), {NAME: name})


def _make(kind: type[T], table: Mapping[str, Any], place: Place, given: Mapping[str, Any] | None = None) -> T:
    given = given or {}
    known, hints = {each.name for each in fields(kind) if each.init} - given.keys(), get_type_hints(kind)  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise _Wrong((*place, key), f"unknown key {_dotted((*place, key))!r}; {hint}")
    values = {key: _value(hints[key], value, (*place, key)) for key, value in table.items()}
    if missing := [name for name in _needed(kind) if name not in values and name not in given]:
        where = f"the table [{_dotted(place)}]" if place else "the file"
        raise _Wrong(place, f"{where} lacks {' and '.join(missing)}; see configs/ for examples")
    return kind(**given, **values)


def _needed(kind: Any) -> Iterator[str]:
    for each in fields(kind):
        if each.init and each.default is MISSING and each.default_factory is MISSING:
            yield each.name


def _value(kind: Any, value: Any, place: Place) -> Any:
    name = _dotted(place)
    kind = _without_none(kind)
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise _Wrong(place, f"{name} is {value!r:.60}; it must be a table [{name}]")
        return _make(kind, value, place)
    if get_origin(kind) is tuple:
        items, item_kind = value if isinstance(value, list) else [value], get_args(kind)[0]
        # Of a list of values the line is that of its key.
        tables = isinstance(value, list) and hasattr(item_kind, "__dataclass_fields__")
        return tuple(_value(item_kind, item, (*place, at) if tables else place) for at, item in enumerate(items))
    if not schema.fits(value, kind):
        raise _Wrong(place, f"{name} is {value!r:.60}; it must be {KINDS[kind]}")
    return float(value) if kind is float else value


def _dotted(place: Place) -> str:
    """Write a place as TOML does, tables of an array counted from 1: "budget[2].size"."""
    return "".join(f"[{each + 1}]" if isinstance(each, int) else f".{each}" for each in place).removeprefix(".")


def _without_none(kind: Any) -> Any:
    """TOML has no null: where None is the default, the key is left out."""
    others = [each for each in get_args(kind) if each is not type(None)]
    return others[0] if type(None) in get_args(kind) and len(others) == 1 else kind
