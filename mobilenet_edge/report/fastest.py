"""Say which runtime is the fastest for which model, as far as that was measured in one run."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.records import Profile, interval
from mobilenet_edge.report.rows import grouped

# As many models as a sentence names; more are counted.
NAMED: Final = 3


@dataclass(frozen=True)
class Race:
    """The profiles of one model and precision in several runtimes.

    Attributes:
        first: The fastest.
        second: The fastest of the other runtimes.
    """

    first: Profile
    second: Profile

    @classmethod
    def of(cls, profiles: Sequence[Profile]) -> Race:
        """Rank profiles of at least two runtimes."""
        first, *others = sorted(profiles, key=lambda profile: profile.median_ms)
        return cls(first, next(other for other in others if other.runtime != first.runtime))

    @property
    def ratio(self) -> float:
        """How many times as fast the first is."""
        return self.second.median_ms / self.first.median_ms

    @property
    def winner(self) -> str:
        """Name of the fastest runtime; empty if no difference is shown."""
        low, _ = interval.ratio(self.second.rounds, self.first.rounds) or (0, 0)
        # A smaller difference than that between the rounds of one measurement says nothing of the runtimes.
        noise = max(interval.repeatability(profile.rounds) for profile in (self.first, self.second))
        return self.first.runtime if low > 1 and self.ratio > 1 + noise else ""


def sentences(profiles: Sequence[Profile]) -> Iterator[str]:
    """Compare the runtimes of each model and precision whose profiles are of one run.

    Args:
        profiles: Usable profiles of one machine.

    Yields:
        A sentence for each precision and number of threads at which several runtimes were measured.
    """
    timed = (each for each in profiles if each.conditions.get("started") and _races(each.runtime))
    groups = grouped(timed, _subject).values()
    races = [Race.of(group) for group in groups if len({profile.runtime for profile in group}) > 1]
    for (precision, threads), several in grouped(races, _class).items():
        parts = [_part(winner, won, len(several)) for winner, won in grouped(several, lambda race: race.winner).items()]
        yield f"Fastest runtime for {precision}, {threads} thread{'s' * (threads > 1)}: {'; '.join(parts)}."


def _races(runtime: str) -> bool:
    """Leave out what stands for another machine, as an interpreter for microcontrollers does."""
    return runtime not in RUNTIMES or RUNTIMES[runtime].automatic


def _subject(profile: Profile) -> Hashable:
    facts = profile.delegate and (profile.delegate["path"], str(profile.delegate["options"]))
    return profile.variant, profile.precision, profile.threads, profile.conditions["started"], facts


def _class(race: Race) -> tuple[str, int]:
    return race.first.precision, race.first.threads


def _part(winner: str, races: Sequence[Race], total: int) -> str:
    names = [race.first.variant for race in races]
    shown = ", ".join(names) if len(names) <= NAMED else f"{len(names)} of {total} models"
    where = f" for {shown}" if total > 1 else ""
    if not winner:
        pairs = dict.fromkeys(" and ".join(sorted((race.first.runtime, race.second.runtime))) for race in races)
        return f"no difference shown between {', '.join(pairs)}{where}"
    low, high = (f"{bound(race.ratio for race in races):.2f}" for bound in (min, max))
    span = low if low == high else f"{low} to {high}"
    seconds = " or ".join(dict.fromkeys(race.second.runtime for race in races))
    return f"{winner}{where}, {span} times as fast as {seconds}"
