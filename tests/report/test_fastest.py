"""Which runtime is the fastest is said of what was measured in one run, and only where a difference is shown."""

from __future__ import annotations

from mobilenet_edge.report import fastest, rows
from mobilenet_edge.report.notes import notes

NOON, EVENING = {"started": "2026-11-27T12:00:00+00:00"}, {"started": "2026-11-27T20:00:00+00:00"}


def said(*profiles):
    return list(fastest.sentences(profiles))


def onnx(profile, ms, runtime, **changes):
    return profile(ms, runtime=runtime, **{"format": "onnx", "conditions": NOON, **changes})


def test_two_runtimes_on_one_file(profile):
    pair = onnx(profile, 3, "onnxruntime"), onnx(profile, 2, "openvino")
    # 3 / 2
    expected = "Fastest runtime for float32, 1 thread: openvino, 1.50 times as fast as onnxruntime."
    assert said(*pair) == [expected]
    assert expected in notes(rows.join(pair))


def test_files_of_two_formats_are_the_same_model(profile):
    assert said(profile(1.0, conditions=NOON), onnx(profile, 1.2, "onnxruntime")) == [
        "Fastest runtime for float32, 1 thread: litert, 1.20 times as fast as onnxruntime."
    ]


def test_the_second_is_the_best_of_the_others(profile):
    text = said(onnx(profile, 4, "onnxruntime"), onnx(profile, 2, "openvino"), profile(3.0, conditions=NOON))
    assert text == ["Fastest runtime for float32, 1 thread: openvino, 1.50 times as fast as litert."]


def test_each_precision_and_thread_count_is_a_race_of_its_own(profile):
    text = said(
        onnx(profile, 3, "onnxruntime"),
        onnx(profile, 2, "openvino"),
        onnx(profile, 1, "onnxruntime", precision="int8"),
        onnx(profile, 2, "openvino", precision="int8"),
        onnx(profile, 9, "openvino", threads=2),
    )
    assert text == [
        "Fastest runtime for float32, 1 thread: openvino, 1.50 times as fast as onnxruntime.",
        "Fastest runtime for int8, 1 thread: onnxruntime, 2.00 times as fast as openvino.",
    ]


def test_models_are_named_by_their_winner(profile):
    def pair(variant, ours, theirs):
        return onnx(profile, ours, "onnxruntime", variant=variant), onnx(profile, theirs, "openvino", variant=variant)

    text = said(*pair("a", 2, 3), *pair("b", 4, 2), *pair("c", 2, 2.5), *pair("d", 1, 1))
    assert text == [
        "Fastest runtime for float32, 1 thread: onnxruntime for a, c, 1.25 to 1.50 times as fast as openvino; "
        "openvino for b, 2.00 times as fast as onnxruntime; "
        "no difference shown between onnxruntime and openvino for d."
    ]
    many = said(*(each for name in "abcd" for each in pair(name, 2, 3)))
    assert many == [
        "Fastest runtime for float32, 1 thread: onnxruntime for 4 of 4 models, 1.50 times as fast as openvino."
    ]


def test_a_difference_within_that_of_the_rounds_is_none(profile):
    steady = onnx(profile, 2.0, "onnxruntime")
    # Medians of 2.1 and 2.5 ms: the rounds of one runtime lie further apart than the runtimes.
    uneven = type(steady)(**{**vars(onnx(profile, 2.3, "openvino")), "times_ns": (2_100_000,) * 5 + (2_500_000,) * 5})
    assert said(steady, uneven) == [
        "Fastest runtime for float32, 1 thread: no difference shown between onnxruntime and openvino."
    ]


def test_runs_apart_are_not_compared(profile):
    assert said(onnx(profile, 3, "onnxruntime"), onnx(profile, 2, "openvino", conditions=EVENING)) == []
    assert said(onnx(profile, 3, "onnxruntime", conditions={}), onnx(profile, 2, "openvino", conditions={})) == []


def test_one_runtime_is_no_race(profile):
    assert said(onnx(profile, 3, "onnxruntime"), onnx(profile, 3, "onnxruntime", precision="int8")) == []
