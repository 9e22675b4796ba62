"""Read dataclasses from TOML files; errors give the line, and for an unknown key the nearest known one."""

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
    """Read a file as one dataclass, whose tables are the fields that are dataclasses themselves.

    A field that is a tuple takes a list or a single value.

    Args:
        path: The file.
        kind: The dataclass.

    Raises:
        InputError: The file cannot be read, is not TOML, or has an invalid key or value.
    """
    text, table = _load(path)
    with _as_input_error(path, text):
        return schema.from_dict(kind, table, strict=True)


def read_named(path: Path, kind: type[T]) -> dict[str, T]:
    """Read a file of tables such as `[pi4]`, each as a dataclass whose field `name` is the name of the table.

    Args:
        path: The file.
        kind: The dataclass.

    Returns:
        The dataclasses by name.

    Raises:
        InputError: The file cannot be read, is not TOML, or has an invalid key or value.
    """
    text, tables = _load(path)
    with _as_input_error(path, text):
        return {name: _named(kind, name, table) for name, table in tables.items()}


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """Find the line that sets a key.

    The parser reports no lines, so it parses ever longer parts of the file until the key appears.

    Args:
        text: Content of the file.
        keys: Keys that lead to the value; an int is an index into an array of tables.

    Returns:
        The line from 1, None if the key is never set.
    """
    lines, complete = text.splitlines(keepends=True), 0
    for count in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # the part ends within a value of several lines
        if _has_key(table, keys):
            return complete + 1
        complete = count
    return None


@contextmanager
def _as_input_error(path: Path, text: str) -> Iterator[None]:
    """Add the file and, if known, the line to an error raised in the block."""
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
        raise InputError(f"{path} is not TOML: {error}; mnet init writes examples") from error


def _has_key(table: object, keys: Sequence[str | int]) -> bool:
    if not keys:
        return True
    key, rest = keys[0], keys[1:]
    if isinstance(table, list):
        return isinstance(key, int) and key < len(table) and _has_key(table[key], rest)
    return isinstance(table, dict) and key in table and _has_key(table[key], rest)


def _named(kind: type[T], name: str, table: Any) -> T:
    if not isinstance(table, dict):
        raise schema.Mismatch((name,), f"{name} is {table!r:.60}; it must be a table [{name}]")
    if NAME in table:
        raise schema.Mismatch((name, NAME), f"unknown key '{name}.{NAME}'; the name is that of the table")
    return schema.from_dict(kind, table, strict=True, path=(name,), given={NAME: name})
