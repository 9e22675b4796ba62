"""Convert what files get wrong to plain values for the scripts of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mobilenet_edge.records import Evaluation
from mobilenet_edge.records.answers import Comparison
from mobilenet_edge.report.html.shorten import shorten
from mobilenet_edge.text import printable

# Classes of a matrix; of more, those that are confused most often.
MAX_CLASSES: Final = 20
MAX_PICTURES: Final = 24
_DIGITS: Final = 4


def mistakes(evaluations: Iterable[Evaluation]) -> dict[str, Any]:
    """Return the confusion matrix and the comparisons of each file that has any, by its digest."""
    found = {
        each.sha256: {"matrix": _matrix(each), "comparisons": list(map(_comparison, each.comparisons))}
        for each in evaluations
    }
    return {digest: entry for digest, entry in found.items() if any(entry.values())}


def _matrix(evaluation: Evaluation) -> dict[str, Any] | None:
    """Return the cells [row, column, pictures] of the classes that are confused most often."""
    if not evaluation.confusions:
        return None
    names = _chosen(evaluation)
    places = {name: place for place, name in enumerate(names)}
    scores = {score.name: score for score in evaluation.classes}
    cells = [[places[name], places[name], scores[name].right] for name in names if name in scores]
    cells += [
        [places[each.truth], places[each.answer], each.n]
        for each in evaluation.confusions
        if each.truth in places and each.answer in places
    ]
    return {
        "names": [shorten(name) for name in names],
        "cells": [cell for cell in cells if cell[2]],
        "sizes": [scores[name].n if name in scores else None for name in names],
        "classes": evaluation.class_count,
    }


def _chosen(evaluation: Evaluation) -> list[str]:
    order = [score.name for score in evaluation.classes]
    if len(order) == evaluation.class_count <= MAX_CLASSES:
        return order
    confused = dict.fromkeys(name for each in evaluation.confusions for name in (each.truth, each.answer))
    chosen = set(list(confused)[:MAX_CLASSES])
    return [*(name for name in order if name in chosen), *sorted(chosen - set(order))]


def _comparison(comparison: Comparison) -> dict[str, Any]:
    pictures: list[Mapping[str, Any]] = [
        {
            "name": printable(each.picture),
            "truth": shorten(each.truth),
            "before": shorten(each.before),
            "after": shorten(each.after),
            "effect": each.effect,
        }
        for each in comparison.pictures[:MAX_PICTURES]
    ]
    return {
        "against": printable(comparison.against),
        "difference": round(comparison.difference, _DIGITS),
        "interval": [round(end, _DIGITS) for end in comparison.interval],
        "p_value": float(f"{comparison.p_value:.2g}"),
        "classes": [[shorten(each.name), each.lost, each.gained] for each in comparison.classes[:MAX_CLASSES]],
        "pictures": pictures,
        **{name: getattr(comparison, name) for name in ("n", "changed", "gained", "lost", "shown", "needed")},
    }
