"""Dataclasses from TOML files: an unknown key is refused with its line and the nearest known one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from mobilenet_edge import files, schema
from mobilenet_edge.errors import InputError, MnetError

NAME: Final = "name"
T = TypeVar("T")


def read(path: Path, kind: type[T]) -> T:
    """Read a file as one dataclass: its tables are those of the fields that are dataclasses themselves.

    A tuple takes a list, or one value for a list of one.

    Raises:
        InputError: The file cannot be read, is not TOML, or has a key or value that cannot be.
    """
    text, table = _load(path)
    with _as_input_error(path, text):
        return schema.from_dict(kind, table, strict=True)


def read_named(path: Path, kind: type[T]) -> dict[str, T]:
    """Read a file of tables of one kind, `[pi4]`; the name of each becomes its field `name`.

    Raises:
        InputError: As `read`.
    """
    text, tables = _load(path)
    with _as_input_error(path, text):
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


@contextmanager
def _as_input_error(path: Path, text: str) -> Iterator[None]:
    """Add the file, and where there is one the line, to an error of the block."""
    try:
        yield
    except schema.Mismatch as error:
        line = line_of(text, error.path) if error.path else None
        raise InputError(f"{path}{f', line {line}' if line else ''}: {error}") from error
    except (MnetError, OverflowError) as error:
        raise InputError(f"{path}: {error}") from error


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
        raise schema.Mismatch((name,), f"{name} is {table!r:.60}; it must be a table [{name}]")
    if NAME in table:
        raise schema.Mismatch((name, NAME), f"unknown key '{name}.{NAME}'; the name is that of the table")
    return schema.from_dict(kind, table, strict=True, path=(name,), given={NAME: name})
