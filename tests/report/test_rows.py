"""Records are joined by the artifact's hash, and like is compared with like."""

import pytest

from mobilenet_edge.records import Inspection, Remark
from mobilenet_edge.report.rows import Judgement, by_machine, join

SMALL, LARGE = "mobilenet_v1-a0.25-r128", "mobilenet_v1-a1.00-r224"


def marks(rows):
    return {(row.record.variant, row.record.precision, row.profile and row.profile.threads): row.pareto for row in rows}


def test_an_artifact_is_one_row_with_both_its_records(profile, evaluation):
    (row,) = join([evaluation(0.6), profile(2.0)])
    assert row.profile == profile(2.0)
    assert row.evaluation == evaluation(0.6)
    assert row.record == row.profile
    assert not row.repeated


def test_the_hash_joins_not_the_path(profile, evaluation):
    (row,) = join([profile(artifact="here/a.tflite", sha256="1"), evaluation(artifact="there/b.tflite", sha256="1")])
    assert row.evaluation is not None
    assert row.record.artifact == "here/a.tflite"
    two = join([profile(artifact="a.tflite", sha256="1"), evaluation(artifact="a.tflite", sha256="2")])
    assert [(row.profile is None, row.evaluation is None) for row in two] == [(False, True), (True, False)]


def test_each_thread_count_is_a_row_with_the_same_accuracy(profile, evaluation):
    rows = join([profile(2.0, threads=2), profile(3.0, threads=1), evaluation(0.6)])
    assert [(row.profile.threads, row.evaluation.top1) for row in rows] == [(1, 0.6), (2, 0.6)]


def test_an_artifact_that_was_only_evaluated_is_a_row(evaluation):
    (row,) = join([evaluation(0.6, format="keras")])
    assert row.profile is None
    assert row.machine == ""


def test_an_inspection_adds_nothing(profile):
    identity = {name: getattr(profile(), name) for name in ("artifact", "sha256", "size_bytes", "format")}
    inspection = Inspection(**identity, precision="int8", variant="x", metadata=None, ops={}, bytes={})
    assert join([inspection]) == []
    assert len(join([inspection, profile()])) == 1


def test_the_latest_profile_counts_whatever_the_order(profile):
    old = profile(3.0, conditions={"started": "2026-01-01T00:00:00+00:00"})
    new = profile(2.0, conditions={"started": "2026-01-02T00:00:00+00:00"})
    for given in ([old, new], [new, old]):
        (row,) = join(given)
        assert row.profile == new
        assert row.repeated


def test_the_evaluation_on_the_most_images_counts_then_the_last(evaluation):
    (row,) = join([evaluation(0.5, n=100), evaluation(0.6, n=500), evaluation(0.7, n=500), evaluation(0.9, n=50)])
    assert row.evaluation.top1 == 0.7
    assert row.repeated


def test_another_machine_runtime_or_thread_count_is_another_row(profile):
    rows = join(
        [
            profile(),
            profile(host={"cpu": "Cortex-A76"}),
            profile(version="2.1.0"),
            profile(runtime="tflite-runtime"),
            profile(threads=2),
        ]
    )
    assert len(rows) == 5
    assert not any(row.repeated for row in rows)


def test_large_models_come_first_then_format_precision_threads(profile):
    records = [
        profile(variant=SMALL),
        profile(precision="int8", variant=LARGE, threads=2),
        profile(precision="int8", variant=LARGE),
        profile(variant=LARGE),
        profile(variant=LARGE, format="onnx"),
        profile(variant="somebody", precision="uint8"),
    ]
    rows = join(records)
    assert [(row.record.variant, row.record.format, row.record.precision, row.profile.threads) for row in rows] == [
        (LARGE, "onnx", "float32", 1),
        (LARGE, "tflite", "float32", 1),
        (LARGE, "tflite", "int8", 1),
        (LARGE, "tflite", "int8", 2),
        (SMALL, "tflite", "float32", 1),
        ("somebody", "tflite", "uint8", 1),
    ]
    assert join(reversed(records)) == rows


@pytest.mark.parametrize(
    ("precision", "published"),
    [
        ("float32", (59.1, "float")),
        ("float16", (59.1, "float")),
        ("int8", (57.7, "QAT")),
        ("uint8", (57.7, "QAT")),
        ("mixed", (57.7, "QAT")),
    ],
)
def test_published_figures_are_of_the_rows_kind(profile, precision, published):
    (row,) = join([profile(precision=precision)])
    assert row.published == published


@pytest.mark.parametrize(
    "changes", [{"precision": "unknown"}, {"variant": "mobilenet_v1-a0.33-r160"}, {"variant": "somebody"}]
)
def test_no_published_figure_is_made_up(profile, changes):
    (row,) = join([profile(**changes)])
    assert row.published is None


def test_the_front_weighs_latency_and_measured_top1(profile, evaluation):
    rows = join(
        [
            profile(1.0, variant=SMALL),
            evaluation(0.4, variant=SMALL),
            profile(9.0, variant=LARGE),
            evaluation(0.7, variant=LARGE),
            # Slower and worse than the large one: nobody would take it.
            profile(9.5),
            evaluation(0.6),
        ]
    )
    assert marks(rows) == {
        (LARGE, "float32", 1): True,
        ("mobilenet_v1-a0.50-r160", "float32", 1): False,
        (SMALL, "float32", 1): True,
    }


def test_published_figures_decide_only_where_none_was_measured(profile, evaluation):
    # int8 is slower here, and QAT's published figure is lower.
    pair = [profile(1.0), profile(1.5, precision="int8")]
    assert marks(join(pair)) == {
        ("mobilenet_v1-a0.50-r160", "float32", 1): True,
        ("mobilenet_v1-a0.50-r160", "int8", 1): False,
    }
    # As soon as one row is measured, a published figure beside it decides nothing.
    assert marks(join([*pair, evaluation(0.1, precision="int8")])) == {
        ("mobilenet_v1-a0.50-r160", "float32", 1): False,
        ("mobilenet_v1-a0.50-r160", "int8", 1): True,
    }


def test_fronts_do_not_cross_thread_counts(profile, evaluation):
    rows = join([profile(2.0, threads=1), profile(1.0, threads=2), evaluation(0.6)])
    assert all(row.pareto for row in rows)


def test_fronts_do_not_cross_machines(profile, evaluation):
    rows = join([profile(20.0), profile(1.0, host={"cpu": "fast"}), evaluation(0.6)])
    assert all(row.pareto for row in rows)
    assert len(by_machine(rows)) == 2


def test_fronts_do_not_cross_sets_of_images(profile, evaluation):
    rows = join(
        [
            profile(1.0, precision="int8"),
            evaluation(0.9, precision="int8", n=50),
            profile(2.0),
            evaluation(0.6, n=500),
        ]
    )
    assert all(row.pareto for row in rows)


def test_equal_rows_share_the_mark(profile, evaluation):
    both = [each for format in ("onnx", "tflite") for each in (profile(2.0, format=format), evaluation(format=format))]
    assert [row.pareto for row in join(both)] == [True, True]


def test_size_is_the_cost_where_no_latency_was_measured(evaluation):
    rows = join(
        [
            evaluation(0.6, size_bytes=5_300_000),
            evaluation(0.59, precision="int8", size_bytes=1_400_000),
            evaluation(0.58, precision="int8", format="onnx", size_bytes=1_500_000),
        ]
    )
    assert Judgement.of(rows) == Judgement(latency=False, measured=True)
    assert [(row.record.format, row.record.precision, row.pareto) for row in rows] == [
        ("onnx", "int8", False),
        ("tflite", "float32", True),
        ("tflite", "int8", True),
    ]


def test_a_row_without_latency_gets_no_mark_beside_rows_with_one(profile, evaluation):
    rows = join([profile(2.0), evaluation(0.6), evaluation(0.9, format="keras", precision="float32")])
    assert [(row.record.format, row.pareto) for row in rows] == [("keras", False), ("tflite", True)]


def test_a_row_without_any_accuracy_gets_no_mark(profile):
    (row,) = join([profile(0.1, variant="somebody")])
    assert not row.pareto


def test_rows_without_latency_join_a_machine_that_is_alone(profile, evaluation):
    one = join([profile(), evaluation(format="keras")])
    assert [len(rows) for rows in by_machine(one).values()] == [2]
    two = join([profile(), profile(host={"cpu": "other"}), evaluation(format="keras")])
    groups = by_machine(two)
    assert list(groups)[-1] == ""
    assert [len(rows) for rows in groups.values()] == [1, 1, 1]
    assert [len(rows) for rows in by_machine(join([evaluation()])).values()] == [1]


def test_a_latency_that_must_not_be_used_is_none(profile, evaluation):
    rows = join(
        [
            profile(1.0, invalid=Remark("throttled", reasons=["hot"])),
            evaluation(0.9),
            profile(2.0, precision="int8"),
            evaluation(0.6),
        ]
    )
    bad = rows[0]
    assert bad.profile is not None
    assert bad.latency is None
    # Faster and better, and yet it beats nothing.
    assert not bad.pareto


def test_an_emulated_latency_weighs_nothing(profile, evaluation):
    host = {"cpu": "Cortex-A72", "emulated": "qemu-aarch64"}
    fast_large = [profile(1.0, host=host, size_bytes=5_000_000), evaluation(0.6)]
    slow_small = [
        profile(2.0, host=host, precision="int8", size_bytes=1_400_000),
        evaluation(0.6, precision="int8"),
    ]
    rows = join([*fast_large, *slow_small])
    assert Judgement.of(rows) == Judgement(latency=False, measured=True)
    # As good and smaller.
    assert [(row.record.precision, row.pareto) for row in rows] == [("float32", False), ("int8", True)]


def test_an_emulated_machine_is_another(profile):
    assert len(by_machine(join([profile(), profile(host={**profile().host, "emulated": "qemu-aarch64"})]))) == 2


def test_a_failure_is_a_row(profile, failure):
    rows = join([profile(), failure(precision="int8")])
    assert [(row.record.precision, row.latency is None, len(row.failures)) for row in rows] == [
        ("float32", False, 0),
        ("int8", True, 1),
    ]
    # On the machine whose name it bears.
    assert len(by_machine(rows)) == 1
    assert rows[1].spec.alpha == 0.5


def test_a_failure_that_was_made_good_is_left_out(profile, evaluation, failure):
    assert len(join([failure(), profile()])) == 1
    assert len(join([failure(threads=2), profile()])) == 2
    assert len(join([failure(host="pi4"), profile()])) == 2
    (row,) = join([failure(stage="export"), profile()])
    assert row.failures == ()
    (row,) = join([failure(stage="evaluate"), evaluation()])
    assert row.failures == ()
    (row,) = join([failure(stage="build", format=None, precision=None), profile()])
    assert row.failures == ()


def test_a_failure_has_what_is_known_of_the_artifact(evaluation, failure):
    (row,) = join([evaluation(0.6), failure()])
    assert row.evaluation.top1 == 0.6
    assert row.artifact.size_bytes == 1_400_000
    assert row.failures[0].reason == "no"


def test_failures_at_two_thread_counts_are_two_rows(profile, evaluation, failure):
    rows = join([evaluation(0.6), failure(threads=1), failure(threads=2), failure(threads=2)])
    assert [row.failures[0].threads for row in rows] == [1, 2]
    assert all(row.evaluation for row in rows)
    both = join([profile(), evaluation(0.6), failure(threads=2)])
    assert [(row.profile is None, row.evaluation.top1) for row in both] == [(False, 0.6), (True, 0.6)]


def test_a_missing_accuracy_has_its_reason_at_every_thread_count(profile, failure):
    rows = join([profile(), profile(threads=2), failure("no images", stage="evaluate")])
    assert [[each.reason for each in row.failures] for row in rows] == [["no images"], ["no images"]]


def test_a_machine_that_was_not_reached_has_a_table(profile, failure):
    groups = by_machine(join([profile(), failure(host="pi4")]))
    assert list(groups) == ["Cortex-A72, 4 cores, aarch64, Debian 12", "pi4"]


def test_nothing_but_failures(failure):
    rows = join([failure(), failure(stage="build", variant="somebody", format=None, precision=None)])
    assert [row.record.variant for row in rows] == ["mobilenet_v1-a0.50-r160", "somebody"]
    assert list(by_machine(rows)) == [""]
    assert not any(row.pareto for row in rows)


def test_a_provider_has_a_row_beside_the_cpu(profile):
    own = {"path": "XnnpackExecutionProvider", "options": {}, "nodes": 3, "total": 4, "kind": "provider"}
    rows = join(
        [profile(format="onnx", runtime="onnxruntime"), profile(format="onnx", runtime="onnxruntime", delegate=own)]
    )
    assert [row.profile.delegate for row in rows] == [None, own]
    assert not any(row.repeated for row in rows)


def test_a_failure_of_another_runtime_is_kept_beside_the_profile(profile, failure):
    one, other = profile(runtime="litert"), failure(threads=1, host="local", stage="profile", runtime="openvino")
    assert [row.failures for row in join([one, other])] == [(), (other,)]
    # What was asked of the best runtime, or of the same one, has succeeded.
    for same in (None, "litert"):
        succeeded = failure(threads=1, host="local", stage="profile", runtime=same)
        assert [row.failures for row in join([one, succeeded])] == [()]
