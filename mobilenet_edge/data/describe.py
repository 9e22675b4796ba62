"""The rule for pixels in words: each part, where it is known from, and the option that would change it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from mobilenet_edge.data import pixels
from mobilenet_edge.data.preprocess import Preprocess

_KNOWN: Final = {
    "stated": "stated",
    "built-in": "known: the published model's",
    "layer": "known: a layer of the model",
    "metadata": "known: the file's metadata",
    "input": "known: the model's input",
    "grid": "known: the grid of the input",
}


def line(rule: Preprocess) -> str:
    """Write the whole rule on one line."""
    return ", ".join(f"{text(rule, part)} ({why(rule, part)})" for part in _shown(rule))


def rule_of(fields: Mapping[str, Any]) -> Preprocess:
    """Make a rule of its fields as a record or a file's metadata holds them; other fields are passed over."""
    known = {each.name for each in dataclasses.fields(Preprocess)} & fields.keys()
    values: dict[str, Any] = {
        name: tuple(fields[name]) if isinstance(fields[name], list) else fields[name] for name in known
    }
    return Preprocess(**values)


def assumed(rule: Preprocess) -> str:
    """Name the parts that are assumed; empty where there are none."""
    return ", ".join(text(rule, part) for part in _shown(rule) if rule.of(part) == "assumed")


def text(rule: Preprocess, part: str) -> str:
    """Write the value of a part."""
    match part:
        case "size":
            return "{} x {} px".format(*rule.size)
        case "colour":
            return rule.colour if rule.colour == "grey" else rule.colour.upper()
        case "pixels":
            return pixels.name(rule) if pixels.name(rule) not in pixels.NAMED else f"pixels {pixels.name(rule)}"
        case "filter":
            return rule.filter
    return {"crop": f"centre crop {rule.crop:g}", "stretch": "stretched", "pad": "padded"}[rule.fit]


def why(rule: Preprocess, part: str) -> str:
    """Say where a part is known from; the option that states it where nothing but it would."""
    origin = rule.of(part)
    if origin == "assumed":
        return f"ASSUMED: --{part}"
    if origin == "inferred":
        return f"inferred: {rule.evidence}; --{part}"
    return _KNOWN[origin]


def _shown(rule: Preprocess) -> tuple[str, ...]:
    return ("size", "colour", "crop" if rule.fit == "crop" else "fit", "filter", "pixels")
