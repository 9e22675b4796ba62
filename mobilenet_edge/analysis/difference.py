"""Two measurements of the same things, before and after: what became faster or slower, and what cannot be told."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge.analysis.conditions import differences, unusable
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.errors import UsageError
from mobilenet_edge.records import Profile, interval

# With fewer runs even a clear ratio rests on a handful of them; the same that a profile's doubt asks for.
FEW_RUNS: Final = 20
Verdict = Literal["faster", "slower", "~"]


@dataclass(frozen=True)
class Pair:
    """One thing in both measurements.

    Attributes:
        base: Before.
        new: After.
        ratio: Median of `new` over that of `base`; below 1 is faster.
        interval: 95 % interval of the ratio, None where the runs are too few for one.
        unlike: In what the conditions differ, "name: base against new".
    """

    base: Profile
    new: Profile
    ratio: float
    interval: tuple[float, float] | None
    unlike: tuple[str, ...] = ()

    @property
    def few(self) -> bool:
        """Whether the runs of either are too few to tell."""
        return min(len(self.base.times_ns), len(self.new.times_ns)) < FEW_RUNS

    @property
    def verdict(self) -> Verdict:
        """Faster or slower, and "~" where the interval holds 1 or the runs are too few."""
        if self.few or self.interval is None or self.interval[0] <= 1 <= self.interval[1]:
            return "~"
        return "faster" if self.ratio < 1 else "slower"


@dataclass(frozen=True)
class Comparison:
    """Two measurements side by side.

    Attributes:
        pairs: What is in both, in the order of the second.
        only_base: What is in the first alone.
        only_new: What is in the second alone.
    """

    pairs: tuple[Pair, ...]
    only_base: tuple[Profile, ...] = ()
    only_new: tuple[Profile, ...] = ()

    @property
    def unlike(self) -> tuple[str, ...]:
        """In what the conditions of any pair differ, each difference once."""
        return tuple(dict.fromkeys(each for pair in self.pairs for each in pair.unlike))


def compare(base: Sequence[Profile], new: Sequence[Profile], *, anyway: bool = False) -> Comparison:
    """Pair two sets of profiles and compare each pair.

    Pairs are of the same variant, format, precision, threads and runtime, and of the same machine where there are
    several; of repeated profiles the latest counts. Where each set has one profile, the two are a pair whatever they
    are of.

    Args:
        base: Before.
        new: After.
        anyway: Compare under unlike conditions, too; the result names them.

    Raises:
        UsageError: Nothing is in both, or the conditions of a pair differ; every difference is named.
    """
    many = max(len({each.host.get("name") for each in side}) for side in (base, new)) > 1
    first, second = ({_key(each, many): each for each in _by_date(side)} for side in (base, new))
    if len(first) == len(second) == 1:
        first = dict(zip(second, first.values(), strict=True))
    pairs = tuple(_pair(first[key], each) for key, each in second.items() if key in first)
    found = Comparison(pairs, *(_beyond(*sides) for sides in ((first, second), (second, first))))
    if not pairs:
        raise UsageError(
            "no profile of the one has the variant, format, precision, threads and runtime of one of the other: "
            f"{_names(base)} against {_names(new)}"
        )
    if found.unlike and not anyway:
        raise UsageError(f"measured under unlike conditions ({'; '.join(found.unlike)}); to compare anyway: --anyway")
    return found


def label(profile: Profile) -> str:
    """Name what was measured: "mobilenet_v1-a0.50-r160 int8 tflite"."""
    return f"{profile.variant} {profile.precision} {profile.format}"


def _by_date(profiles: Iterable[Profile]) -> list[Profile]:
    return sorted(profiles, key=lambda each: str(each.conditions.get("started", "")))


def _key(profile: Profile, many: bool) -> Hashable:
    thing = profile.variant, profile.format, profile.precision, profile.threads, profile.runtime
    return (*thing, profile.host.get("name") if many else None)


def _pair(base: Profile, new: Profile) -> Pair:
    unfit = {"first": unusable(base), "second": unusable(new)}
    reasons = [f"the {which} is not to be used: {sentence(why):.200}" for which, why in unfit.items() if why]
    return Pair(
        base,
        new,
        new.median_ms / base.median_ms,
        interval.ratio(new.rounds, base.rounds),
        (*reasons, *differences(base, new)),
    )


def _beyond(own: Mapping[Hashable, Profile], other: Mapping[Hashable, Profile]) -> tuple[Profile, ...]:
    return tuple(each for key, each in own.items() if key not in other)


def _names(profiles: Iterable[Profile]) -> str:
    return ", ".join(dict.fromkeys(f"{label(each)} ({each.threads} threads, {each.runtime})" for each in profiles))
