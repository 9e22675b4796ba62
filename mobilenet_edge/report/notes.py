"""The conditions under a table: without them its numbers mean little."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mobilenet_edge.records import Evaluation, Profile
from mobilenet_edge.report.rows import Judgement, Row

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def notes(rows: Sequence[Row]) -> list[str]:
    """State, a sentence or two each, how the rows of one machine came about and what to mind."""
    profiles = [row.profile for row in rows if row.profile]
    evaluations = [row.evaluation for row in rows if row.evaluation]
    return [
        *(_latency(profiles) if profiles else ()),
        *(_accuracy(evaluations) if evaluations else ()),
        *_published(rows),
        *_pareto(rows),
        *_provenance(rows),
        *(f"Doubt {number}: {doubt}" for number, doubt in enumerate(doubts(rows).values(), start=1)),
    ]


def doubts(rows: Iterable[Row]) -> dict[str, str]:
    """Join the doubts of all rows that differ only in their numbers.

    Returns:
        A sentence for each kind of doubt, in which a number stands as the range it has over the rows; the keys are
        `kind` of the doubts, in the order in which a row refers to them.
    """
    alike: dict[str, list[str]] = {}
    for row in rows:
        for doubt in row.profile.doubts if row.profile else ():
            alike.setdefault(kind(doubt), []).append(doubt)
    return {key: _joined(key, group) for key, group in alike.items()}


def kind(doubt: str) -> str:
    """A doubt without its numbers."""
    return _NUMBER.sub("#", doubt)


def _joined(key: str, group: Sequence[str]) -> str:
    columns = zip(*(_NUMBER.findall(doubt) for doubt in group), strict=True)
    ranges = iter([sorted(set(column), key=float) for column in columns])
    return re.sub("#", lambda _: " to ".join(dict.fromkeys([(span := next(ranges))[0], span[-1]])), key)


def runtimes(profiles: Iterable[Profile]) -> list[str]:
    """Name the distinct runtimes with their versions."""
    return sorted({f"{profile.runtime} {profile.runtime_version}" for profile in profiles})


def _latency(profiles: Sequence[Profile]) -> Iterator[str]:
    runs = _span(len(profile.times_ns) for profile in profiles)
    rounds = _span(len(profile.round_sizes) for profile in profiles)
    yield f"Runtimes: {', '.join(runtimes(profiles))}."
    threads = _span(profile.threads for profile in profiles)
    yield f"Latency: of one image after warm-up, threads: {threads}, runs a row: {runs}, rounds: {rounds}."
    if any(profile.percentile_ms(90) is None for profile in profiles):
        yield "A p90 that is missing had too few runs to carry it; ask for more with --runs."


def _accuracy(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    sets = dict.fromkeys((each.data, each.n) for each in evaluations)
    names = " and ".join(f"{n} images of {data}" if data else f"{n} images" for data, n in sets)
    yield f"top-1: percent of {names}, ± half of its 95 % interval (n)."
    if len(sets) > 1:
        yield "Top-1 was measured on different images: compare only rows with the same ones."
    references = sorted({each.reference for each in evaluations if each.reference})
    if references:
        yield f"agreement: percent of images with the same first answer as {' and '.join(references)}."
    unreadable = max(len(each.unreadable) for each in evaluations)
    if unreadable:
        yield f"{unreadable} image file{'s' if unreadable > 1 else ''} could not be read and did not count."


def _published(rows: Sequence[Row]) -> Iterator[str]:
    kinds = {row.published[1] for row in rows if row.published}
    if kinds:
        yield "published: top-1 in percent that others reached (TF-slim), not measured on these files."
    if "QAT" in kinds:
        yield "QAT: uint8 after quantisation-aware training, which post-training int8 seldom reaches."


def _pareto(rows: Sequence[Row]) -> Iterator[str]:
    judgement = Judgement.of(rows)
    if any(row.pareto for row in rows):
        cost = "median latency" if judgement.latency else "file size"
        gain = "measured top-1" if judgement.measured else "published top-1 (none was measured)"
        alike = f" with as many threads{' and the same images' * judgement.measured}" if judgement.latency else ""
        yield f"Pareto: * where no row{alike} is as good in {cost} and {gain} and better in one."


def _provenance(rows: Sequence[Row]) -> Iterator[str]:
    random = sum(row.record.weights == "random" for row in rows)
    if random:
        yield f"Weights are random in {_of(random, rows)}: size and latency hold, accuracy would mean nothing."
    remarks = [(row.record.calibration or {}).get("note") for row in rows]
    for remark in dict.fromkeys(each for each in remarks if each):
        yield f"Calibration of {_of(remarks.count(remark), rows)}: {remark}."
    lacking = dict.fromkeys((row.record.variant, each) for row in rows for each in row.record.lacks)
    for variant in dict.fromkeys(variant for variant, _ in lacking):
        yield f"{variant} does not say: {', '.join(each for owner, each in lacking if owner == variant)}."
    if any(row.repeated for row in rows):
        yield "Of repeated measurements, the latest profile and the evaluation on the most images are shown."


def _of(count: int, rows: Sequence[Row]) -> str:
    return "all rows" if count == len(rows) else f"{count} of {len(rows)} rows"


def _span(numbers: Iterable[int]) -> str:
    ordered = sorted(numbers)
    low, high = ordered[0], ordered[-1]
    return str(low) if low == high else f"{low} to {high}"
