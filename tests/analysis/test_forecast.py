"""Profiles of a few become predictions of the others, sort by sort and machine by machine."""

from dataclasses import asdict

import pytest

from mobilenet_edge.analysis.forecast import Query, _noise, forecast
from mobilenet_edge.analysis.predict import Model
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Prediction, Remark

FEW = {(0.25, 128): 1.0, (0.25, 224): 3.0, (1.0, 128): 10.0, (1.0, 224): 30.0, (0.5, 160): 4.0}


def identity(spec, precision="float32", target="generic"):
    return {
        "artifact": f"{spec.name}.{precision}.tflite",
        "sha256": f"{spec.name} {precision}",
        "size_bytes": 1000,
        "format": "tflite",
        "precision": precision,
        "variant": spec.name,
        "spec": asdict(spec),
        "target": target,
    }


@pytest.fixture
def few(profile):
    def make(factor=1.0, **changes):
        sort = changes.get("precision", "float32")
        return [profile(factor * ms, **{**identity(ModelSpec(*each), sort), **changes}) for each, ms in FEW.items()]

    return make


def wanted(alpha=0.5, rho=192, *, host="local", threads=1, **changes):
    return Query({**identity(ModelSpec(alpha, rho)), **changes}, host, threads)


def test_a_prediction_says_whose_it_is_and_from_what(few):
    profiles = few(host={"before": {"mhz": 1}, "after": {"mhz": 2}}, conditions={"affinity": [1]})
    (made,) = forecast(profiles, [wanted()])
    assert isinstance(made, Prediction)
    assert (made.variant, made.precision, made.threads) == ("mobilenet_v1-a0.50-r192", "float32", 1)
    assert (made.runtime, made.runtime_version, made.measured) == ("litert", "2.3.0", 5)
    assert (made.host["cpu"], made.conditions) == ("Xeon", {"affinity": [1]})
    assert not made.host.keys() & {"before", "after"}
    # Between (0.5, 160) and (1.0, 224) in every respect.
    assert 4 < made.predicted_ms < 30
    assert made.low_ms < made.predicted_ms < made.high_ms
    medians = tuple(each.median_ms for each in profiles)
    specs = tuple(ModelSpec(*each) for each in FEW)
    model = Model("float32", specs, medians, tuple(map(_noise, profiles)))
    assert made.predicted_ms == model.predict(ModelSpec(0.5, 192)).ms
    assert made.error == model.error


def test_each_sort_and_each_machine_has_its_own_profiles(few):
    profiles = [*few(), *few(2.0, precision="int8"), *few(4.0, host={"name": "pi4"}), *few(8.0, threads=2)]
    asked = [wanted(), wanted(precision="int8"), wanted(host="pi4"), wanted(threads=2)]
    plain, *others = (each.predicted_ms for each in forecast(profiles, asked))
    assert [each / plain for each in others] == pytest.approx([2, 4, 8], rel=0.2)


def test_why_there_is_none(few):
    refused = [wanted(host="pi5"), wanted(rho=256), wanted(spec=None)]
    nothing, outside, foreign = forecast(few(), refused)
    assert nothing.startswith("only 0 models ")
    assert "outside the measured models" in outside
    assert foreign == outside
    delegate = {"path": "libedgetpu.so.1", "options": {}, "nodes": 31, "total": 31, "kind": "edgetpu"}
    (answer,) = forecast(few(delegate=delegate), [wanted()])
    assert answer.startswith("latency on a delegate cannot be predicted")


def test_a_latency_that_must_not_be_used_is_not(few):
    good, bad = few(), few(invalid=Remark("throttled", reasons=["hot"]))
    (answer,) = forecast([*good[:2], *bad[2:]], [wanted()])
    assert answer.startswith("only 2 models ")


def test_noise_is_the_standard_error_of_the_median(profile):
    measured = profile(2.0)
    low, high = measured.interval_ms
    assert _noise(measured) == pytest.approx((high - low) / 2 / 1.96 / measured.median_ms)
    assert _noise(profile(2.0, runs=3)) == profile(2.0, runs=3).spread
