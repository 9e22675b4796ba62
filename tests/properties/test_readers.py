"""Whatever a file holds, reading it ends in an answer or in one line of refusal."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.readers import READERS, refused

# scripts/hostile/fuzz.py tries more.
EXAMPLES = 200
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

CHANCE = st.randoms(use_true_random=False)


@pytest.mark.parametrize("name", READERS)
def test_the_seeds_are_taken(name: str) -> None:
    reader = READERS[name]
    assert not any(refused(reader, seed) for seed in reader.seeds())


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
@settings(max_examples=EXAMPLES, suppress_health_check=SLOW)
@given(chance=CHANCE)
def test_damage_is_refused_in_one_line_or_does_no_harm(name: str, chance: Random) -> None:
    reader = READERS[name]
    refused(reader, reader.mutate(chance.choice(reader.seeds()), chance))


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
@settings(max_examples=EXAMPLES // 4)
@given(data=st.binary(max_size=200))
def test_anything_is_refused_in_one_line_or_does_no_harm(name: str, data: bytes) -> None:
    refused(READERS[name], data)


@pytest.mark.parametrize(
    "name", [name for name in READERS if name not in ("zip", "name", "labels", "nesting", "manifest")]
)
def test_the_damage_is_neither_trivial_nor_harmless(name: str) -> None:
    # A fuzzer whose inputs are all refused, or all taken, tests one line.
    reader = READERS[name]
    chance = Random(11)
    seeds = reader.seeds()
    outcomes = [refused(reader, reader.mutate(chance.choice(seeds), chance)) for _ in range(40)]
    assert 0 < sum(outcomes) < len(outcomes)
