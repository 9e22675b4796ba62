"""Hold a dataclass to its annotations: what comes from a file is believed only as far as it has been looked at."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def check(value: Any) -> None:
    """Compare every field of a dataclass with its annotation, one level deep in tuples and dictionaries.

    Raises:
        TypeError: A field holds something else; the message names it.
    """
    hints = _hints(value.__class__)
    for each in fields(value):
        held = getattr(value, each.name)
        if not fits(held, hints[each.name]):
            raise TypeError(f"{each.name} cannot be {_short(held)}")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says; an int serves as a float, True and False serve as neither."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(value, arguments)
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(
            fits(key, arguments[0]) and fits(each, arguments[1]) for key, each in value.items()
        )
    if hint in (int, float):
        return isinstance(value, (int, float) if hint is float else int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _fits_tuple(value: tuple[Any, ...], arguments: tuple[Any, ...]) -> bool:
    if arguments == (str, ...):
        return all(isinstance(each, str) for each in value)  # by far the quickest: a model has a thousand labels
    if arguments[1:] == (...,):
        return all(fits(each, arguments[0]) for each in value)
    return len(value) == len(arguments) and all(map(fits, value, arguments))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
