"""Write the notes below a table: the conditions of its measurements."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Final

from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.wording import key, sentence
from mobilenet_edge.model import mlperf
from mobilenet_edge.records import Evaluation, Prediction, Profile
from mobilenet_edge.report import fastest
from mobilenet_edge.report.accuracy import scored_on, seen
from mobilenet_edge.report.rows import Judgement, Row, grouped

_PASSIVE: Final = {
    "build": "be built",
    "train": "be trained",
    "export": "be exported",
    "profile": "be profiled",
    "evaluate": "be evaluated",
}


def notes(rows: Sequence[Row]) -> list[str]:
    """Describe how the rows of one machine were measured, and their doubts, in one or two sentences per note."""
    profiles = [row.latency for row in rows if row.latency]
    evaluations = [row.evaluation for row in rows if row.evaluation]
    return [
        *(_latency(profiles) if profiles else ()),
        *_predicted([row.prediction for row in rows if row.prediction]),
        *(_accuracy(evaluations) if evaluations else ()),
        *_published(rows),
        *_tiny(rows),
        *_pareto(rows),
        *_provenance(rows),
        *_limit(profiles),
        *fastest.sentences(profiles),
        *_missing(rows),
        *_remarks(rows),
        *(f"Doubt {number}: {doubt}" for number, doubt in enumerate(doubts(rows).values(), start=1)),
    ]


def doubts(rows: Iterable[Row]) -> dict[Hashable, str]:
    """Merge the doubts of all rows that differ only in their numbers.

    Returns:
        Sentence by `wording.key`, in the order of the numbers in the table.
    """
    groups = grouped((doubt for row in rows if row.latency for doubt in row.latency.doubts), key)
    return {doubt: sentence(*group) for doubt, group in groups.items()}


def runtimes(profiles: Iterable[Profile | Prediction]) -> list[str]:
    """List the distinct runtimes with their versions."""
    return sorted({f"{profile.runtime} {profile.runtime_version}" for profile in profiles})


def _latency(profiles: Sequence[Profile]) -> Iterator[str]:
    runs = _span(len(profile.times_ns) for profile in profiles)
    rounds = _span(len(profile.round_sizes) for profile in profiles)
    yield f"Runtimes: {', '.join(runtimes(profiles))}."
    threads = _span(profile.threads for profile in profiles)
    yield f"Latency: one image after warm-up; threads: {threads}, runs per row: {runs}, rounds: {rounds}."
    if any(profile.interval_ms for profile in profiles):
        yield "median ms: ± half of the 95 % interval, which includes the variation between runs and processes."
    if any(profile.energy for profile in profiles):
        yield "mJ: energy of an inference above idle time, ± half of the 95 % interval, and what it is the energy of."
    if any(profile.percentile_ms(90) is None for profile in profiles):
        yield "Rows without p90 have too few runs for it; use more --runs."


def _predicted(predictions: Sequence[Prediction]) -> Iterator[str]:
    if predictions:
        errors = _span(round(100 * prediction.error) for prediction in predictions)
        models = _span(prediction.measured for prediction in predictions)
        yield (
            f"≈: predicted from {models} models measured here, with a 95 % interval for the measured median; "
            f"median leave-one-out error {errors} %. To measure it: mnet profile ARTIFACT."
        )


def _accuracy(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    sets = dict.fromkeys((evaluation.data, evaluation.n) for evaluation in evaluations)
    names = " and ".join(dict.fromkeys(map(scored_on, evaluations)))
    yield f"top-1: percent of {names}, ± half of the 95 % interval (n)."
    if len(sets) > 1:
        yield "Top-1 was measured on different images; compare only rows with the same images."
    for split in dict.fromkeys(evaluation.conditions.get("split") for evaluation in evaluations):
        if split:
            yield f"Scored: {split}."
    yield from (f"{fact}." for fact in seen(evaluations))
    references = sorted({evaluation.reference for evaluation in evaluations if evaluation.reference})
    if references:
        yield f"agreement: percent of images with the same prediction as {' and '.join(references)}."
    unreadable = max(len(evaluation.unreadable) for evaluation in evaluations)
    if unreadable:
        yield f"{unreadable} image file{'s' if unreadable > 1 else ''} could not be read and did not count."


def _published(rows: Sequence[Row]) -> Iterator[str]:
    kinds = {row.published[1] for row in rows if row.published}
    if kinds:
        yield "published: top-1 in percent published for the variant (TF-slim), not measured on these files."
    if "QAT" in kinds:
        yield "QAT: uint8 after quantisation-aware training, which post-training int8 rarely reaches."


def _tiny(rows: Sequence[Row]) -> Iterator[str]:
    found = next((found for row in rows if (found := mlperf.results(row.spec))), ())
    if found:
        boards = "; ".join(
            f"{result.board} {result.ms:.1f} ms ({result.software}, v{result.version})" for result in found
        )
        yield f"MLPerf Tiny published for {mlperf.SHAPE.name} in int8, with its own weights: {boards}."


def _pareto(rows: Sequence[Row]) -> Iterator[str]:
    judgement = Judgement.of(rows)
    if any(row.pareto for row in rows):
        cost = "median latency" if judgement.latency else "file size"
        cost += " (measured or predicted)" if any(row.prediction for row in rows) else ""
        gain = "measured top-1" if judgement.measured else "published top-1 (none was measured)"
        scope = f" with as many threads{' and the same images' * judgement.measured}" if judgement.latency else ""
        yield f"Pareto: * means that no other row{scope} is at least as good in {cost} and {gain} and better in one."


def _provenance(rows: Sequence[Row]) -> Iterator[str]:
    files = [row.artifact for row in rows if row.artifact]
    random = sum(file.weights == "random" for file in files)
    if random:
        yield f"Weights are random in {_of(random, rows)}: size and latency are valid, accuracy is meaningless."
    remarks = [(file.calibration or {}).get("note") for file in files]
    for remark in filter(None, dict.fromkeys(remarks)):
        yield f"Calibration of {_of(remarks.count(remark), rows)}: {remark}."
    lacking = dict.fromkeys((file.variant, fact) for file in files for fact in file.lacks)
    for variant, group in grouped(lacking, lambda pair: pair[0]).items():
        yield f"{variant} lacks: {', '.join(fact for _, fact in group)}."
    if any(row.repeated for row in rows):
        yield "Repeated measurements: the table shows the latest profile and the evaluation on the most images."


def _limit(profiles: Sequence[Profile]) -> Iterator[str]:
    shares = [f"{100 * profile.of_limit:.0f}" for profile in profiles if profile.of_limit is not None]
    if shares:
        span = _span(int(share) for share in shares)
        yield f"Limit: the rows reach {span} % of the speed of a large matrix product of their element type here."


def _missing(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the reasons for rows without latency or accuracy."""
    unused = [(sentence(remark), row) for row in rows if row.profile and (remark := unusable(row.profile))]
    for reason, pairs in grouped(unused, lambda pair: pair[0]).items():
        yield f"The latency of {_which([row for _, row in pairs], rows)} is not used: {reason}."
    everything = [(failure, row) for row in rows for failure in row.failures]
    for failure, _ in everything:
        if not failure.exit_code:
            yield f"{failure.variant} was stopped in training: {failure.reason}."
    failed = [(failure, row) for failure, row in everything if failure.exit_code]
    for (stage, message), failures in grouped(failed, lambda pair: (pair[0].stage, pair[0].reason)).items():
        yield f"{_which([row for _, row in failures], rows)} could not {_PASSIVE[stage]}: {message}"


def _remarks(rows: Sequence[Row]) -> Iterator[str]:
    remarks = [(note, row) for row in rows if row.latency for note in row.latency.notes]
    for pairs in grouped(remarks, lambda pair: key(pair[0])).values():
        yield f"{_which([row for _, row in pairs], rows)}: {sentence(*(note for note, _ in pairs))}."


def _which(subset: Sequence[Row], rows: Sequence[Row]) -> str:
    """Return the name of a single row, or the number of several."""
    if len(subset) > 1 or len(rows) == 1:
        return _of(len(subset), rows)
    record = subset[0].record
    return " ".join(part for part in (record.variant, record.precision, record.format) if part)


def _of(count: int, rows: Sequence[Row]) -> str:
    return "all rows" if count == len(rows) else f"{count} of {len(rows)} rows"


def _span(numbers: Iterable[int]) -> str:
    ordered = sorted(numbers)
    low, high = ordered[0], ordered[-1]
    return str(low) if low == high else f"{low} to {high}"
