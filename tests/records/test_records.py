"""Records go to JSON and come back; the figures in them are derived from the raw times."""

import json
import statistics
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilenet_edge import records
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import (
    KINDS,
    ArtifactRecord,
    Evaluation,
    Failure,
    Inspection,
    Prediction,
    Profile,
    Remark,
    Training,
)
from mobilenet_edge.records.export import Cut, Division, LayerLoss

IDENTITY = {
    "artifact": "results/mobilenet_v1-a0.50-r160.int8.tflite",
    "sha256": "ab" * 32,
    "size_bytes": 1_400_000,
    "format": "tflite",
    "precision": "int8",
    "variant": "mobilenet_v1-a0.50-r160",
}
PROFILE = Profile(
    **IDENTITY,
    spec={"alpha": 0.5, "resolution": 160, "classes": 1000},
    target="generic",
    macs=76_524_800,
    parameters=1_326_120,
    weights="random",
    calibration={"source": "synthetic", "count": 100, "note": "synthetic calibration; accuracy unknown"},
    lacks=("labels",),
    runtime="litert",
    runtime_version="2.3.0",
    threads=1,
    load_ms=3.5,
    first_ms=2.5,
    times_ns=(1_000_000, 1_200_000, 1_100_000),
    round_sizes=(2, 1),
    host={"cpu": "Cortex-A72", "mhz": [1500, 1500]},
    doubts=(Remark("few-runs", runs=3, least=20),),
)
EVALUATION = Evaluation(**IDENTITY, top1=0.6, top5=0.8, n=500, interval=(0.556, 0.642), agreement=0.91)
INSPECTION = Inspection(**IDENTITY, metadata=None, ops={"CONV_2D": 15}, bytes={"weights": 1_390_000, "rest": 10_000})

FAILURE = Failure(
    variant="mobilenet_v1-a0.50-r160",
    format="tflite",
    precision="int8",
    artifact="results/mobilenet_v1-a0.50-r160.int8.tflite",
    host="pi4",
    stage="profile",
    reason="pi4 could not be reached: connection refused",
    exit_code=6,
    threads=4,
)
TRAINING = Training(
    variant="mobilenet_v1-a0.50-r160-c2",
    artifact="models/mobilenet_v1-a0.50-r160-c2.keras",
    spec={"alpha": 0.5, "resolution": 160, "classes": 2, "family": "mobilenet_v1", "channels": 3},
    data="pets",
    classes=("cat", "dog"),
    split="ab" * 32,
    pictures={"train": 80, "validation": 20, "test": 0},
    weights="imagenet",
    seed=0,
    head=({"step": 10, "loss": 0.5, "validation_loss": 0.4, "validation_accuracy": 0.9},),
    accuracy=0.9,
    interval=(0.7, 0.97),
    scored="validation",
    n=20,
    seconds={"features": 1.5, "head": 0.2, "model": 2.0},
    versions={"keras": "3.12.0"},
)
PREDICTION = Prediction(
    **IDENTITY,
    runtime="litert",
    runtime_version="2.3.0",
    threads=1,
    predicted_ms=3.1,
    low_ms=2.9,
    high_ms=3.4,
    measured=6,
    error=0.04,
    host={"name": "pi4", "cpu": "Cortex-A72", "isa": ("asimddp",)},
    conditions={"affinity": None},
)
WHOLE = replace(
    PROFILE,
    preprocess_ms=1.5,
    delegate={"path": "libedgetpu.so.1", "options": {"device": "usb"}, "nodes": 1, "total": 1, "kind": "edgetpu"},
    ops=({"index": 0, "name": "conv", "kind": "CONV_2D", "ms": 0.1, "macs": 9, "bytes": 8, "gmacs_per_s": 0.1},),
    limit={"float32_gmacs": 43.0, "int8_gmacs": 84.0, "shape": [256, 1024, 1024], "how": "one product"},
    trace=({"minute": 1, "runs": 3, "median_ms": 1.1, "p90_ms": None},),
    invalid=Remark("throttled", reasons=["hot"]),
    notes=(Remark("preprocessing-elsewhere"),),
)
CLASSIFICATION = records.Classification(
    **IDENTITY,
    picture="cat.jpg",
    head="classes",
    answers=({"index": 3, "label": "cat", "probability": 0.75},),
    decode_ms=1.5,
    prepare_ms=0.5,
    infer_ms=2.5,
    runtime="litert",
    runtime_version="2.3.0",
    conditions={"threads": 1},
)
LOSS = LayerLoss("conv1", "conv", 0.002, 0.001, 0.0, 6.0, 6 / 255, 0.0, 0.9, 0.5, 2, 8)
DIVISION = Division(
    cut="conv1",
    wanted=0.97,
    views=200,
    pictures=20,
    cuts=(
        Cut(name="", layers=0, macs_share=0.0, ms=1.0, agreement=0.93, snr_db=26.0),
        Cut(name="conv1", layers=1, macs_share=0.07, ms=0.81),
    ),
    float32_ms=1.2,
    runtime="onnxruntime",
    runtime_version="1.31.1",
    threads=1,
    host={"cpu": "Cortex-A72"},
)
EXPORT = records.Export(
    **IDENTITY,
    agreement={"snr_db": 26.0, "top1": 0.93, "count": 20},
    remarks=(Remark("few-calibration-images", count=10, enough=30),),
    division=DIVISION,
    losses=(LOSS,),
)


def times(*milliseconds):
    return replace(PROFILE, times_ns=tuple(round(each * 1e6) for each in milliseconds))


def test_every_kind_comes_back_as_it_was(tmp_path):
    path = tmp_path / "records.json"
    written = [PROFILE, WHOLE, EVALUATION, INSPECTION, FAILURE]
    records.write(path, written)
    assert records.read(path) == written


def test_an_entry_has_what_scripts_rely_on():
    entry = json.loads(records.dumps([PROFILE]))[0]
    assert entry["schema_version"] == 2
    assert entry["kind"] == "profile"
    identity = {"artifact", "format", "precision", "schema_version"}
    measured = {
        "runtime", "threads", "load_ms", "first_ms", "median_ms", "p90_ms", "times_ns", "size_bytes", "peak_rss_bytes",
        "host",
    }  # fmt: skip
    assert identity | measured <= entry.keys()
    assert {"top1", "top5", "n", "interval", "agreement"} <= EVALUATION.to_dict().keys()
    assert {"metadata", "ops", "bytes"} <= INSPECTION.to_dict().keys()


def test_nothing_to_write_is_an_empty_array(tmp_path):
    records.write(tmp_path / "none.json", [])
    assert (tmp_path / "none.json").read_text() == "[]\n"
    assert records.read(tmp_path / "none.json") == []


def test_the_median_of_an_even_number_lies_between():
    assert times(1, 2, 3, 10).median_ms == 2.5


def test_percentiles_need_a_run_beyond_them():
    nine, ten = times(*range(1, 10)), times(*range(1, 11))
    assert nine.percentile_ms(90) is None
    assert ten.percentile_ms(90) == 9.0
    assert ten.percentile_ms(99) is None
    assert times(*range(1, 20)).percentile_ms(95) is None
    assert times(*range(1, 21)).percentile_ms(95) == 19.0
    assert times(*range(1, 101)).percentile_ms(99) == 99.0


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=300))
def test_derived_figures_are_ordered(raw):
    profile = replace(PROFILE, times_ns=tuple(raw))
    derived = profile.derived()
    assert derived["n"] == len(raw)
    assert derived["min_ms"] <= derived["median_ms"] <= max(raw) / 1e6
    assert derived["median_ms"] == statistics.median(raw) / 1e6
    assert derived["spread"] >= 0
    assert all(0 <= index < len(raw) for index in derived["outliers"])
    if len(raw) >= 6:
        low, high = derived["interval_ms"]
        assert 0 < low <= derived["median_ms"] <= high
    if derived["p90_ms"] is not None:
        # At least nine in ten runs are no slower.
        assert sum(each / 1e6 <= derived["p90_ms"] for each in raw) >= 0.9 * len(raw)


def test_the_spread_leaves_the_outer_tenths_out():
    # Of ten runs the fastest and the slowest go; (1.1 - 0.9) / 2 around 1.0.
    profile = times(0.1, 0.9, *[1.0] * 6, 1.1, 50.0)
    assert profile.spread == pytest.approx(0.1)


def test_rounds_are_cut_where_their_sizes_say():
    assert PROFILE.rounds == ((1_000_000, 1_200_000), (1_100_000,))
    # A file somebody edited: what the sizes leave out is a round of its own, what they have too much is nothing.
    assert replace(PROFILE, round_sizes=()).rounds == (PROFILE.times_ns,)
    assert replace(PROFILE, round_sizes=(1, 0)).rounds == ((1_000_000,), (1_200_000, 1_100_000))
    assert replace(PROFILE, round_sizes=(2, 5)).rounds == ((1_000_000, 1_200_000), (1_100_000,))


def test_outliers_are_indexes_and_stay_in_the_times():
    profile = times(*[1.0] * 20, 9.0, *[1.0] * 9)
    assert profile.derived()["outliers"] == (20,)
    assert profile.derived()["n"] == 30


@pytest.mark.parametrize(
    ("precision", "share"),
    [("int8", 0.4143), ("uint8", 0.4143), ("float32", 0.8092), ("float16", 0.8092), ("dynamic", None)],
)
def test_the_share_of_the_limit_is_that_of_the_element_type(precision, share):
    # 76.5 M in 2.2 ms are 34.8 GMAC/s, of 84 and of 43.
    profile = replace(times(2.2), precision=precision, limit={"int8_gmacs": 83.96, "float32_gmacs": 42.985})
    assert profile.of_limit == (None if share is None else pytest.approx(share, rel=1e-3))


def test_no_limit_no_share():
    assert PROFILE.of_limit is None
    assert replace(PROFILE, limit={"int8_gmacs": None, "float32_gmacs": 43.0}).of_limit is None
    assert replace(WHOLE, macs=None).of_limit is None


def test_a_record_of_an_older_writer_is_read(tmp_path):
    later = {"preprocess_ms", "delegate", "ops", "limit", "trace", "invalid", "notes"}
    entry = {name: value for name, value in PROFILE.to_dict().items() if name not in later}
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    assert records.read(tmp_path / "a.json") == [replace(PROFILE, host=entry["host"])]


@pytest.mark.parametrize("changes", [{"stage": "thinking"}, {"reason": ""}])
def test_a_failure_has_a_stage_and_a_reason(changes):
    with pytest.raises(ValueError, match=r"stage|reason"):
        replace(FAILURE, **changes)


def test_sentences_of_version_1_are_remarks(tmp_path):
    entry = {**PROFILE.to_dict(), "schema_version": 1, "doubts": ["few"], "invalid": "throttled", "notes": ["slow"]}
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    (profile,) = records.read(tmp_path / "a.json")
    assert (profile.doubts, profile.notes) == ((Remark("text", text="few"),), (Remark("text", text="slow"),))
    assert profile.invalid == Remark("text", text="throttled")


def test_unknown_fields_of_a_newer_writer_are_passed_over(tmp_path):
    entry = {**EVALUATION.to_dict(), "added_later": 1}
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    assert records.read(tmp_path / "a.json") == [EVALUATION]


def test_another_schema_is_refused_not_guessed_at(tmp_path):
    entry = {**EVALUATION.to_dict(), "schema_version": 3}
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    with pytest.raises(
        InputError, match=r"a\.json: its record schema is 3, but this mnet reads up to 2; upgrade mobilenet-edge"
    ):
        records.read(tmp_path / "a.json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "[1]",
        "[{}]",
        '[{"schema_version": 1}]',
        '[{"schema_version": 1, "kind": "budget"}]',
        "[" * 100_000,
    ],
)
def test_what_holds_no_records_is_one_line(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match="holds no records") as caught:
        records.read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_entry_with_a_field_missing_is_refused(tmp_path):
    entry = PROFILE.to_dict()
    del entry["times_ns"]
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    with pytest.raises(InputError, match="times_ns"):
        records.read(tmp_path / "a.json")


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="holds no records"):
        records.read(tmp_path / "a.json")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        records.read(tmp_path / "none.json")


def test_records_are_values():
    with pytest.raises(AttributeError):
        PROFILE.threads = 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_is_documented(kind):
    page = (Path(__file__).parents[2] / "docs" / "records.md").read_text(encoding="utf-8")
    examples = (PROFILE, EVALUATION, INSPECTION, FAILURE, PREDICTION, TRAINING, CLASSIFICATION, EXPORT)
    (example,) = (each for each in examples if type(each) is kind)
    section = page.split(f"\n## {kind.kind.capitalize()}")[1].split("\n## ")[0]
    common = page.split("\n## Every record")[1].split("\n## ")[0]
    shared = {
        "schema_version",
        "kind",
        *(each.name for each in fields(ArtifactRecord) if kind not in (Failure, Training)),
    }
    for name in example.to_dict():
        assert f"`{name}` (" in (common if name in shared else section)


def test_what_an_export_found_out_is_read_back(tmp_path):
    records.write(tmp_path / "a.json", [EXPORT])
    (again,) = records.read(tmp_path / "a.json")
    assert again == EXPORT
    assert again.division.chosen == DIVISION.cuts[1]
    assert again.losses[0].total == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        (DIVISION, {"cuts": ()}),
        (DIVISION, {"cuts": DIVISION.cuts[1:]}),
        (DIVISION.cuts[0], {"ms": 0.0}),
        (DIVISION.cuts[0], {"ms": float("nan")}),
        (DIVISION, {"float32_ms": 1e300}),
    ],
)
def test_curves_that_cannot_be(part, changes):
    with pytest.raises(ValueError, match=r"not all int8|must be between"):
        replace(part, **changes)


def test_a_prediction_is_read_back(tmp_path):
    records.write(tmp_path / "a.json", [PREDICTION])
    (again,) = records.read(tmp_path / "a.json")
    assert again.to_dict() == replace(PREDICTION, host={**PREDICTION.host, "isa": ["asimddp"]}).to_dict()
    assert again.interval_ms == (2.9, 3.4)


@pytest.mark.parametrize(
    "changes", [{"low_ms": 3.2}, {"high_ms": 3.0}, {"low_ms": 0.0}, {"measured": 0}, {"error": -0.1}], ids=str
)
def test_predictions_that_cannot_be(changes):
    with pytest.raises(ValueError, match=r"must be at least|must lie between"):
        replace(PREDICTION, **changes)
