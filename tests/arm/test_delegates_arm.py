"""Delegates compiled for aarch64 in the workers of the emulated Pi."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.model.spec import BODY

pytestmark = [pytest.mark.slow, pytest.mark.arm]

TRIPLET = "aarch64-linux-gnu"
CONV_2D, DEPTHWISE_CONV_2D = 3, 4  # BuiltinOperator of the schema
LATENCY_US = 20_000
RUNS = 10
LIMIT = 120


@pytest.fixture(params=["current", "legacy"])
def host(request: pytest.FixtureRequest, pi: Any) -> Local:
    return Local("pi", pi.python(request.param))


# Fixtures, since they skip where the compiler is absent.
@pytest.fixture(scope="module")
def library(compile_library: Callable[..., Path]) -> Path:
    return compile_library("stand_in", triplet=TRIPLET)


@pytest.fixture(scope="module")
def edgetpu(compile_library: Callable[..., Path]) -> Path:
    return compile_library("stand_in", "-DEDGETPU", triplet=TRIPLET)


@pytest.fixture(scope="module")
def foreign(compile_library: Callable[..., Path]) -> Path:
    return compile_library("stand_in")


def time(host: Local, model: Path, library: Path, **options: str) -> dict[str, Any]:
    request = {"mode": "time", "steady": {"runs": RUNS}, "delegate": {"path": str(library), "options": options}}
    return host.run(request, {"artifact": model}, limit_seconds=LIMIT)


def test_parts_on_a_delegate_take_their_time(host: Local, artifacts: dict[str, Path], library: Path):
    take = f"{CONV_2D},{DEPTHWISE_CONV_2D}"
    document = time(host, artifacts["int8.tflite"], library, take=take, latency_us=str(LATENCY_US))
    # The first convolution, a depthwise and a pointwise one in each block, and behind the mean the head: two parts.
    assert document["delegate"]["nodes"] == (1 + 2 * len(BODY)) + 1
    assert document["delegate"]["kind"] == "other"
    # nanosleep never wakes early; what the emulated CPU adds is nobody's claim.
    assert min(document["times_ns"]) >= 2 * LATENCY_US * 1000


@pytest.mark.data
def test_a_model_for_the_edge_tpu_runs_on_its_stand_in(host: Local, data: Path, edgetpu: Path):
    model = data / "reference/mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    document = time(host, model, edgetpu, latency_us=str(LATENCY_US))
    assert document["delegate"]["kind"] == "edgetpu"
    assert document["delegate"]["nodes"] == document["delegate"]["total"] == 1
    assert statistics.median(document["times_ns"]) >= LATENCY_US * 1000


def test_a_library_of_this_machine_is_refused_there(host: Local, artifacts: dict[str, Path], foreign: Path):
    with pytest.raises(
        UsageError, match=rf"{foreign.name} is built for x86_64, and this machine is aarch64; install the build"
    ):
        time(host, artifacts["int8.tflite"], foreign)
