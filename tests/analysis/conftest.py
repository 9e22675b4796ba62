"""Profiles with the fields a test does not care about filled in."""

import random
from dataclasses import replace

import pytest

from mobilenet_edge.records import Profile

HOST = {
    "name": "local", "cpu": "Xeon", "cores": 2, "machine": "x86_64", "isa": ["AVX2"], "os": "Debian 12",
    "before": {}, "after": {},
}  # fmt: skip


@pytest.fixture
def profile():
    """Make a profile of 3 rounds of 20 runs about `ms`, each round a little apart."""

    def make(ms=2.0, precision="float32", *, runs=60, rounds=3, seed=0, host=None, conditions=None, **changes):
        chance = random.Random(f"{ms} {precision} {seed}")
        times = tuple(
            round(ms * 1e6 * chance.gauss(middle, 0.01))
            for middle in [chance.gauss(1, 0.002) for _ in range(rounds)]
            for _ in range(runs // rounds)
        )
        plain = Profile(
            artifact=f"m.{precision}.tflite",
            sha256=f"m.{precision}",
            size_bytes=1_400_000,
            format="tflite",
            precision=precision,
            variant="mobilenet_v1-a0.50-r160",
            runtime="litert",
            runtime_version="2.3.0",
            threads=1,
            load_ms=1.0,
            first_ms=3.0,
            times_ns=times,
            round_sizes=(runs // rounds,) * rounds,
            host={**HOST, **(host or {})},
            conditions={"inputs": "noise", "affinity": None, **(conditions or {})},
        )
        return replace(plain, **changes)

    return make
