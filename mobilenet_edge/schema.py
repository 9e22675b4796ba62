"""Build dataclasses from JSON and TOML, and check values against the annotations at run time."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_NAMES: Final[Mapping[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict[str, str]: "a table of texts",
    int | str: "a whole number or text",
}
T = TypeVar("T")
KeyPath = tuple[str | int, ...]


class Mismatch(TypeError):
    """A key that the dataclass does not have, or a value that its field does not accept.

    Attributes:
        path: Keys that lead to the key or value; an int is an index into an array.
    """

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


def from_dict(
    cls: type[T],
    entry: Mapping[str, Any],
    *,
    strict: bool = False,
    path: KeyPath = (),
    given: Mapping[str, Any] = types.MappingProxyType({}),
) -> T:
    """Build a dataclass, and the dataclasses that are its fields, from parsed JSON or TOML.

    Lists become tuples. A class with a method `load` is built by that method. Unknown keys are ignored, since a newer
    version may have added them.

    Args:
        cls: The dataclass.
        entry: Values by name of the field.
        strict: Whether the file is written by hand: unknown keys are refused with the nearest known one, a single value
            is accepted for a tuple, and an integer for a float.
        path: Keys that lead to `entry`, for messages.
        given: Values of fields that are not in `entry`.

    Raises:
        TypeError: A key is missing or unknown, or a value has the wrong type; a `Mismatch` gives its path.
    """
    kind: Any = cls
    hints, known = _hints(kind), _keys(kind) - given.keys()
    if strict:
        _refuse_keys(kind, entry, known, path, given)
    values = {key: _convert(hints[key], entry[key], (*path, key), strict) for key in entry if key in known}
    if not strict:
        for key, value in values.items():
            _refuse_value(key, value, hints[key])
    return cls(**given, **values)


def values(cls: type, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments for a dataclass that checks its own fields; see `from_dict`."""
    hints = _hints(cls)
    return {key: _convert(hints[key], entry[key], (key,), strict=False) for key in entry if key in _keys(cls)}


def check(value: Any) -> None:
    """Check every field of a dataclass against its annotation, including items of tuples and dictionaries.

    Raises:
        TypeError: A field has the wrong type; the message names it.
    """
    hints = _hints(value.__class__)
    for field in fields(value):
        _refuse_value(field.name, getattr(value, field.name), hints[field.name])


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value matches an annotation; an int is accepted as a float, a bool as neither."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(value, arguments)
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(
            fits(key, arguments[0]) and fits(item, arguments[1]) for key, item in value.items()
        )
    if hint in (int, float):
        return isinstance(value, (int, float) if hint is float else int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def nearest(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """Return a hint for an unknown name: the most similar known name, or else all known names.

    Args:
        name: The unknown name.
        known: The known names.
        otherwise: The hint if no name is similar, None for the list of all.
    """
    import difflib  # only needed for mistakes, and slow to import

    known = list(known)
    if matches := difflib.get_close_matches(name, known, 1):
        return f"did you mean {matches[0]!r}?"
    return f"known: {', '.join(known)}" if otherwise is None else otherwise


def dotted(path: KeyPath) -> str:
    """Format a path in the notation of TOML, with indexes from 1: "budget[2].size"."""
    return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _refuse_keys(
    cls: Any, entry: Mapping[str, Any], known: Iterable[str], path: KeyPath, given: Mapping[str, Any]
) -> None:
    for key in entry:
        if key not in known:
            raise Mismatch((*path, key), f"unknown key {dotted((*path, key))!r}; {nearest(key, sorted(known))}")
    required = [
        field.name
        for field in fields(cls)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing := [name for name in required if name not in entry and name not in given]:
        where = f"the table [{dotted(path)}]" if path else "the file"
        raise Mismatch(path, f"{where} lacks {' and '.join(missing)}; mnet init writes examples")


def _convert(hint: Any, value: Any, path: KeyPath, strict: bool) -> Any:
    if value is None:
        return None
    hint = _without_none(hint)
    if hasattr(hint, "load"):
        return hint.load(value)
    if hasattr(hint, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise Mismatch(path, f"{dotted(path)} is {value!r:.60}; it must be a table [{dotted(path)}]")
        return from_dict(hint, value, strict=strict, path=path)
    if get_origin(hint) is tuple and (strict or isinstance(value, list)):
        item_hint = get_args(hint)[0]
        if not strict and not hasattr(item_hint, "__dataclass_fields__"):
            return tuple(value)
        # Only tables of an array have lines of their own; for other items the line of the key is given.
        tables = isinstance(value, list) and hasattr(item_hint, "__dataclass_fields__")
        items = enumerate(value if isinstance(value, list) else [value])
        return tuple(_convert(item_hint, item, (*path, index) if tables else path, strict) for index, item in items)
    if strict and not fits(value, hint):
        raise Mismatch(path, f"{dotted(path)} is {value!r:.60}; it must be {_named(hint)}")
    return float(value) if strict and hint is float else value


def _named(hint: Any) -> str:
    return " or ".join(map(repr, get_args(hint))) if get_origin(hint) is Literal else _NAMES[hint]


def _without_none(hint: Any) -> Any:
    options = [option for option in get_args(hint) if option is not type(None)]
    return options[0] if type(None) in get_args(hint) and len(options) == 1 else hint


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


@cache
def _keys(cls: Any) -> frozenset[str]:
    return frozenset(field.name for field in fields(cls) if field.init)


def _fits_tuple(value: tuple[Any, ...], arguments: tuple[Any, ...]) -> bool:
    if arguments == (str, ...):
        return all(isinstance(item, str) for item in value)  # a shortcut, since a model may have 1000 labels
    if arguments[1:] == (...,):
        return all(fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(fits, value, arguments))


def _refuse_value(name: str, value: Any, hint: Any) -> None:
    if not fits(value, hint):
        text = repr(value)
        raise TypeError(f"{name} cannot be {text if len(text) <= 60 else f'{text[:57]}...'}")
