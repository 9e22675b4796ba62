"""Format a comparison of two measurements as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import dumps
from typing import Any, Final

from mobilenet_edge.analysis.difference import MIN_RUNS, Comparison, Pair, label
from mobilenet_edge.records import Profile
from mobilenet_edge.report.cells import median_within
from mobilenet_edge.report.hardware import describe
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.text import printable

SCHEMA_VERSION: Final = 2
_COLUMNS: Final = (
    Column("variant", words=True),
    Column("format", words=True),
    Column("precision", words=True),
    Column("threads"),
    Column("before ms"),
    Column("after ms"),
    Column("ratio"),
    Column("95 %"),
    Column("verdict", words=True),
)


def markdown(comparison: Comparison) -> str:
    """Format one row per pair, with notes below."""
    table = grid(_COLUMNS, [_cells(pair) for pair in comparison.pairs])
    notes = "\n".join(f"- {inline(note)}" for note in _notes(comparison))
    return f"{_heading(comparison)}\n\n{table}\n\n{notes}"


def text(comparison: Comparison) -> str:
    """Format one line per pair, followed by notes."""
    lines = [printable(_line(pair)) for pair in comparison.pairs]
    return "\n".join([*lines, "", *(printable(note) for note in _notes(comparison))])


def json(comparison: Comparison) -> str:
    """Format the pairs as plain values, with units in the names."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "unlike": list(comparison.unlike),
        "pairs": [_values(pair) for pair in comparison.pairs],
        "only_before": [_identity(profile) for profile in comparison.only_base],
        "only_after": [_identity(profile) for profile in comparison.only_new],
    }
    return dumps(document, indent=1)


def _heading(comparison: Comparison) -> str:
    machines = dict.fromkeys(describe(profile) for pair in comparison.pairs for profile in (pair.base, pair.new))
    return f"### {inline(' against '.join(machines))}"


def _line(pair: Pair) -> str:
    words = {"~": "no clear difference", "faster": "faster", "slower": "slower"}
    before, after = _ms(pair.base), _ms(pair.new)
    sign = "~ " if pair.verdict == "~" else ""
    return f"{_name(pair)}: {before} -> {after} ms, {sign}{_ratio(pair)}, {words[pair.verdict]}"


def _name(pair: Pair) -> str:
    names = dict.fromkeys(f"{label(profile)}, threads: {profile.threads}" for profile in (pair.base, pair.new))
    return " -> ".join(names)


def _ratio(pair: Pair) -> str:
    within = f" ({_interval(pair)})" if pair.interval else ""
    return f"x{pair.ratio:.3f}{within}"


def _interval(pair: Pair) -> str:
    return f"{pair.interval[0]:.3f} to {pair.interval[1]:.3f}" if pair.interval else "-"


def _cells(pair: Pair) -> list[str]:
    base, new = pair.base, pair.new
    threads = dict.fromkeys((str(base.threads), str(new.threads)))
    names = [_both(base.variant, new.variant), _both(base.format, new.format), _both(base.precision, new.precision)]
    return [*names, " -> ".join(threads), _ms(base), _ms(new), f"{pair.ratio:.3f}", _interval(pair), pair.verdict]


def _both(base: str, new: str) -> str:
    return " -> ".join(dict.fromkeys((base, new)))


def _ms(profile: Profile) -> str:
    return median_within(profile.median_ms, profile.interval_ms)


def _notes(comparison: Comparison) -> Iterator[str]:
    yield "Ratio: median after over median before; below 1 is faster."
    unclear = [pair for pair in comparison.pairs if pair.verdict == "~"]
    if unclear:
        widest = max(pair.repeatability for pair in unclear)
        yield (
            f"~: the 95 % interval of the ratio contains 1, there are fewer than {MIN_RUNS} runs, or processes that "
            f"run the same file differ as much (here by up to {widest:.1%})."
        )
    if any(len(profile.rounds) == 1 for pair in comparison.pairs for profile in (pair.base, pair.new)):
        yield "Measured in a single process: the interval does not include the variation between processes."
    yield from (f"Different conditions: {difference}." for difference in comparison.unlike)
    for which, profiles in (("before", comparison.only_base), ("after", comparison.only_new)):
        if profiles:
            yield f"Measured only {which}: {', '.join(dict.fromkeys(label(profile) for profile in profiles))}."
    for which, side in (
        ("before", [pair.base for pair in comparison.pairs]),
        ("after", [pair.new for pair in comparison.pairs]),
    ):
        doubted = sum(bool(profile.doubts) for profile in side)
        if doubted:
            yield f"{doubted} of {len(side)} profiles {which} have doubts; list them with mnet table."


def _values(pair: Pair) -> dict[str, Any]:
    return {
        "before": _side(pair.base),
        "after": _side(pair.new),
        "ratio": pair.ratio,
        "ratio_interval": pair.interval,
        "repeatability": pair.repeatability,
        "verdict": pair.verdict,
        "unlike": list(pair.unlike),
    }


def _side(profile: Profile) -> dict[str, Any]:
    return {
        **_identity(profile),
        "median_ms": profile.median_ms,
        "interval_ms": profile.interval_ms,
        "runs": len(profile.times_ns),
        "rounds": len(profile.rounds),
        "doubts": [doubt.to_dict() for doubt in profile.doubts],
    }


def _identity(profile: Profile) -> dict[str, Any]:
    names: Sequence[str] = (
        "variant", "format", "precision", "artifact", "sha256", "runtime", "runtime_version", "threads",
    )  # fmt: skip
    return {name: getattr(profile, name) for name in names}
