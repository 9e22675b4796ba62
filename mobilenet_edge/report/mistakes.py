"""Format which classes and pictures are answered wrongly, and what differs between two files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from mobilenet_edge.records import Evaluation
from mobilenet_edge.records.answers import ClassScore, Comparison, Interval
from mobilenet_edge.report.markdown_table import Column, grid

_MAX_ROWS: Final = 10
_MAX_NAMES: Final = 2
_CONFUSIONS: Final = (Column("class", True), Column("answered", True), Column("pictures"))
_CLASSES: Final = (
    Column("class", True), Column("n"), Column("recall %"), Column("(95 %)"), Column("precision %"), Column("(95 %)"),
)  # fmt: skip
_COMPARISONS: Final = (
    Column("artifact", True), Column("against", True), Column("points (95 %)"), Column("verdict", True),
    Column("lost"), Column("gained"), Column("changed"),
)  # fmt: skip
_PICTURES: Final = (Column("picture", True), Column("class", True), Column("before", True), Column("after", True))


def sections(evaluations: Sequence[Evaluation], *, details: bool = False) -> Iterator[str]:
    """Yield the blocks of a report in Markdown: the ten worst confusions, and the differences between files.

    Args:
        evaluations: What was measured.
        details: Whether to add every class and the changed pictures of each file.
    """
    confused = list(_confusions(evaluations))
    if confused:
        yield "### Confused most often"
        yield grid(_CONFUSIONS, confused)
    names = short_names(evaluations)
    compared = [_comparison(each, names) for each in _compared(evaluations)]
    if compared:
        yield "### Differences in right answers"
        yield grid(_COMPARISONS, compared)
    for evaluation in evaluations if details else ():
        yield from _details(evaluation)


def needed(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Yield how many images would decide, for the differences that are not shown."""
    names = short_names(evaluations)
    files: dict[int, list[str]] = {}
    for evaluation, each in _compared(evaluations):
        if not each.shown and each.needed is not None:
            files.setdefault(each.needed, []).append(names[evaluation.artifact])
    for count, own in files.items():
        difference = "a difference of that size" if len(own) == 1 else "differences of that size"
        yield f"{listed(own, len(evaluations))}: about {count} such images would show {difference} (power 80 %)"


def listed(names: Sequence[str], total: int) -> str:
    """Name up to two files, or count them."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) <= _MAX_NAMES:
        return ", ".join(distinct)
    return "All files" if len(names) == total else f"{len(names)} of {total} files"


def short_names(evaluations: Iterable[Evaluation]) -> dict[str, str]:
    """Name files without their folders where that tells them apart: name by path."""
    paths = {path for each in evaluations for path in (each.artifact, *(other.against for other in each.comparisons))}
    names = Counter(PurePath(path).name for path in paths)
    return {path: PurePath(path).name if names[PurePath(path).name] == 1 else path for path in paths}


def _compared(evaluations: Iterable[Evaluation]) -> Iterator[tuple[Evaluation, Comparison]]:
    return ((evaluation, each) for evaluation in evaluations for each in evaluation.comparisons)


def _confusions(evaluations: Sequence[Evaluation]) -> Iterator[list[str]]:
    """Yield the rows of the most frequent confusions, with the range of their counts over the files.

    What happened once is no pattern.
    """
    cells = [{(each.truth, each.answer): each.n for each in evaluation.confusions} for evaluation in evaluations]
    sizes = {score.name: score.n for evaluation in evaluations for score in evaluation.classes}
    pairs = dict.fromkeys(pair for counts in cells for pair in counts)
    totals = {pair: [counts.get(pair, 0) for counts in cells if counts] for pair in pairs}
    totals = {pair: counts for pair, counts in totals.items() if max(counts) > 1}
    for (truth, answer), counts in sorted(totals.items(), key=lambda item: (-sum(item[1]), item[0]))[:_MAX_ROWS]:
        of = f" of {sizes[truth]}" if truth in sizes else ""
        yield [truth, answer, f"{_span(counts)}{of}"]


def _comparison(pair: tuple[Evaluation, Comparison], names: Mapping[str, str]) -> list[str]:
    evaluation, comparison = pair
    low, high = comparison.interval
    return [
        names[evaluation.artifact],
        names[comparison.against],
        f"{_points(comparison.difference)} ({_points(low)} to {_points(high)})",
        f"{'shown' if comparison.shown else 'not shown'} (p = {comparison.p_value:.2g})",
        *(str(number) for number in (comparison.lost, comparison.gained, comparison.changed)),
    ]


def _points(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _details(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.classes:
        yield f"### {len(evaluation.classes)} of {evaluation.class_count} classes: {evaluation.artifact}"
        yield grid(_CLASSES, [_class(score) for score in evaluation.classes])
    for comparison in evaluation.comparisons:
        rows = [[each.picture, each.truth, each.before, each.after] for each in comparison.pictures]
        if rows:
            yield f"### {len(rows)} of {comparison.changed} changed answers: {evaluation.artifact}"
            yield grid(_PICTURES, rows)


def _class(score: ClassScore) -> list[str]:
    return [
        score.name,
        str(score.n),
        *_share(score.recall, score.recall_interval),
        *_share(score.precision, score.precision_interval),
    ]


def _share(share: float | None, interval: Interval | None) -> tuple[str, str]:
    if share is None or interval is None:
        return "", ""
    return f"{100 * share:.1f}", " to ".join(f"{100 * end:.0f}" for end in interval)


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
