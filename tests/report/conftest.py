"""Records with the fields a test does not care about filled in."""

from dataclasses import asdict

import pytest

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Evaluation, Failure, Prediction, Profile

HOST = {
    "name": "local",
    "cpu": "Cortex-A72",
    "cores": 4,
    "machine": "aarch64",
    "os": "Debian 12",
    "before": {"load": 0.1},
}


def identity(variant="mobilenet_v1-a0.50-r160", precision="float32", format="tflite", **changes):
    own = {
        "artifact": f"results/{variant}.{precision}.{format}",
        "sha256": f"{variant}.{precision}.{format}",
        "size_bytes": 1_400_000,
        "format": format,
        "precision": precision,
        "variant": variant,
    }
    spec = ModelSpec.from_name(variant)
    if spec is None:
        return {**own, **changes}
    own |= {
        "macs": layers.macs(spec),
        "parameters": layers.parameters(spec),
        "target": "generic",
        "weights": "imagenet",
    }
    return {**own, "spec": asdict(spec), **changes}


@pytest.fixture
def profile():
    """Make a profile of ten equal runs of `ms` milliseconds."""

    def make(ms=2.0, *, threads=1, host=HOST, conditions=None, doubts=(), runtime="litert", version="2.3.0", **changes):
        measured = {
            name: changes.pop(name) for name in ("invalid", "notes", "delegate", "limit", "ops") if name in changes
        }
        return Profile(
            **identity(**changes),
            **measured,
            runtime=runtime,
            runtime_version=version,
            threads=threads,
            load_ms=1.0,
            first_ms=3.0,
            times_ns=(round(ms * 1e6),) * 10,
            round_sizes=(5, 5),
            host=host,
            conditions=conditions or {},
            doubts=doubts,
        )

    return make


@pytest.fixture
def evaluation():
    """Make an evaluation that found `top1` of `n` images."""

    def make(top1=0.6, *, n=500, data="images", agreement=None, reference=None, unreadable=(), **changes):
        return Evaluation(
            **identity(**changes),
            top1=top1,
            top5=min(top1 + 0.2, 1.0),
            n=n,
            interval=(top1 - 0.04, top1 + 0.04),
            agreement=agreement,
            reference=reference,
            data=data,
            unreadable=unreadable,
            runtime="litert",
            runtime_version="2.3.0",
        )

    return make


@pytest.fixture
def failure():
    """Make a failure of profiling."""

    def make(reason="no", *, variant="mobilenet_v1-a0.50-r160", stage="profile", **changes):
        measuring = {"host": "local", "threads": 1} if stage == "profile" else {}
        own = {"format": "tflite", "precision": "float32", **measuring, **changes}
        return Failure(variant=variant, stage=stage, reason=reason, exit_code=6, **own)

    return make


@pytest.fixture
def prediction():
    """Make a prediction of `ms` milliseconds, give or take a tenth."""

    def make(ms=2.0, *, threads=1, host=HOST, **changes):
        return Prediction(
            **identity(**changes),
            runtime="litert",
            runtime_version="2.3.0",
            threads=threads,
            predicted_ms=ms,
            low_ms=ms * 0.9,
            high_ms=ms * 1.1,
            measured=6,
            error=0.03,
            host=host,
        )

    return make
