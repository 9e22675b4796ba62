"""Compare two sets of profiles of the same artifacts, before and after a change."""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge.analysis.conditions import differences, unusable
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.errors import UsageError
from mobilenet_edge.records import Profile, interval

# With fewer runs, even a clear ratio rests on a handful of them. `doubts` asks for the same number.
MIN_RUNS: Final = 20
Verdict = Literal["faster", "slower", "~"]


@dataclass(frozen=True)
class Pair:
    """Profiles of one artifact before and after.

    Attributes:
        base: Profile before the change.
        new: Profile after the change.
        ratio: Median of `new` over median of `base`; below 1 is faster.
        interval: 95 % interval of the ratio, or None if there are too few runs.
        repeatability: Difference between processes that run the same file, as a share of the median: the largest of
            these two profiles, and at least the median of all that are compared.
        unlike: Conditions that differ, each as "name: base against new".
    """

    base: Profile
    new: Profile
    ratio: float
    interval: tuple[float, float] | None
    repeatability: float = 0.0
    unlike: tuple[str, ...] = ()

    @property
    def too_few_runs(self) -> bool:
        """Whether either profile has too few runs for a verdict."""
        return min(len(self.base.times_ns), len(self.new.times_ns)) < MIN_RUNS

    @property
    def verdict(self) -> Verdict:
        """Faster, slower, or "~" if the interval contains 1, the machine repeats itself less well, or runs are few."""
        if self.too_few_runs or self.interval is None or self.interval[0] <= 1 <= self.interval[1]:
            return "~"
        if abs(self.ratio - 1) <= self.repeatability:
            return "~"
        return "faster" if self.ratio < 1 else "slower"


@dataclass(frozen=True)
class Comparison:
    """Pairs of profiles from two sets.

    Attributes:
        pairs: Artifacts in both sets, in the order of the second.
        only_base: Profiles without a counterpart in the second set.
        only_new: Profiles without a counterpart in the first set.
    """

    pairs: tuple[Pair, ...]
    only_base: tuple[Profile, ...] = ()
    only_new: tuple[Profile, ...] = ()

    @property
    def unlike(self) -> tuple[str, ...]:
        """Distinct differences in conditions over all pairs."""
        return tuple(dict.fromkeys(difference for pair in self.pairs for difference in pair.unlike))


def compare(base: Sequence[Profile], new: Sequence[Profile], *, anyway: bool = False) -> Comparison:
    """Pair two sets of profiles and compare each pair.

    Profiles are paired by variant, format, precision, threads and runtime, and by machine if there are several. The
    latest of repeated profiles is used. Two sets of one profile each always form a pair.

    Args:
        base: Profiles before the change.
        new: Profiles after the change.
        anyway: Also compare profiles measured under different conditions.

    Raises:
        UsageError: The sets have no pair, or the conditions of a pair differ and `anyway` is false.
    """
    by_host = max(len({profile.host.get("name") for profile in side}) for side in (base, new)) > 1
    first, second = ({_key(profile, by_host): profile for profile in _by_date(side)} for side in (base, new))
    if len(first) == len(second) == 1:
        first = dict(zip(second, first.values(), strict=True))
    matches = [(first[key], profile) for key, profile in second.items() if key in first]
    own = [[interval.repeatability(each.rounds) for each in match] for match in matches]
    usual = statistics.median([share for shares in own for share in shares] or [0])
    pairs = tuple(_pair(*match, max(usual, *shares)) for match, shares in zip(matches, own, strict=True))
    comparison = Comparison(pairs, *(_unpaired(*sides) for sides in ((first, second), (second, first))))
    if not pairs:
        raise UsageError(
            "no profile has the same variant, format, precision, threads and runtime in both files: "
            f"{_names(base)} against {_names(new)}; profile the same artifacts with the same --threads again"
        )
    if comparison.unlike and not anyway:
        raise UsageError(
            f"measured under different conditions ({'; '.join(comparison.unlike)}); to compare anyway, add --anyway"
        )
    return comparison


def label(profile: Profile) -> str:
    """Return the name of the artifact, such as "mobilenet_v1-a0.50-r160 int8 tflite"."""
    return f"{profile.variant} {profile.precision} {profile.format}"


def _by_date(profiles: Iterable[Profile]) -> list[Profile]:
    return sorted(profiles, key=lambda profile: str(profile.conditions.get("started", "")))


def _key(profile: Profile, by_host: bool) -> Hashable:
    host = profile.host.get("name") if by_host else None
    return profile.variant, profile.format, profile.precision, profile.threads, profile.runtime, host


def _pair(base: Profile, new: Profile, repeatability: float) -> Pair:
    remarks = {"first": unusable(base), "second": unusable(new)}
    reasons = [f"the {which} is unusable: {sentence(remark):.200}" for which, remark in remarks.items() if remark]
    return Pair(
        base,
        new,
        new.median_ms / base.median_ms,
        interval.ratio(new.rounds, base.rounds),
        repeatability,
        (*reasons, *differences(base, new)),
    )


def _unpaired(profiles: Mapping[Hashable, Profile], others: Mapping[Hashable, Profile]) -> tuple[Profile, ...]:
    return tuple(profile for key, profile in profiles.items() if key not in others)


def _names(profiles: Iterable[Profile]) -> str:
    return ", ".join(
        dict.fromkeys(f"{label(profile)} ({profile.threads} threads, {profile.runtime})" for profile in profiles)
    )
