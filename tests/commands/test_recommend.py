"""`mnet recommend`: from records to what to take, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge import cli, records
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.commands import recommend
from mobilenet_edge.commands.recommend import Limits
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Evaluation, Prediction, Profile, Record, Remark
from mobilenet_edge.records.answers import pack

# Published top-1: 63.3 of a0.50-r224, 65.3 of a0.75-r160, 49.8 of a0.25-r224; QAT: 62.2, 63.9, 48.2.
MIDDLE, LARGE, SMALL = ModelSpec(0.5, 224), ModelSpec(0.75, 160), ModelSpec(0.25, 224)
PI4 = {"name": "pi4", "cpu": "Cortex-A72"}


def identity(spec: ModelSpec, precision: str = "int8") -> dict[str, Any]:
    name = f"{spec.name}.{precision}"
    own = {"artifact": f"{name}.tflite", "sha256": name, "size_bytes": 1_400_000, "format": "tflite"}
    return {**own, "precision": precision, "variant": spec.name, "spec": asdict(spec)}


def profile(spec: ModelSpec, ms: float, *, precision: str = "int8", **changes: Any) -> Profile:
    measured: dict[str, Any] = {
        **identity(spec, precision),
        "runtime": "litert",
        "runtime_version": "2.3.0",
        "threads": 1,
        "load_ms": 1.0,
        "first_ms": 1.0,
        "times_ns": (round(ms * 1e6),) * 30,
        "round_sizes": (10, 10, 10),
        "host": {"name": "local", "cpu": "Xeon"},
    }
    return Profile(**{**measured, **changes})


def evaluation(spec: ModelSpec, top1: float, *, data: str = "images", n: int = 500) -> Evaluation:
    return Evaluation(**identity(spec), top1=top1, top5=0.9, n=n, interval=(top1 - 0.04, top1 + 0.04), data=data)


def prediction(spec: ModelSpec, ms: float) -> Prediction:
    about = {"runtime": "litert", "runtime_version": "2.3.0", "threads": 1, "host": {"name": "local", "cpu": "Xeon"}}
    return Prediction(
        **identity(spec), **about, predicted_ms=ms, low_ms=ms * 0.9, high_ms=ms * 1.1, measured=6, error=0.02
    )


def written(path: Path, made: Sequence[Record]) -> Path:
    records.write(path / "records.json", made)
    return path / "records.json"


THREE = [profile(MIDDLE, 18.0), profile(LARGE, 21.2), profile(SMALL, 6.0)]


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    with pytest.raises(SystemExit) as stop:
        cli.main(["recommend", *words])
    assert isinstance(stop.value.code, int)
    return stop.value.code, capsys.readouterr().out.splitlines()


def test_the_pick_the_runner_up_and_what_the_limit_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, str(written(tmp_path, THREE)), "--max-latency", "20ms", "--max-size", "1.5MB")
    assert code == 0
    assert lines == [
        f"Take {MIDDLE.name} int8 tflite: 18.00 ms, 1.40 MB, top-1 62.2 % ({MIDDLE.name}.int8.tflite).",
        "It is the most accurate within --max-latency 20 ms and --max-size 1.50 MB.",
        # 62.2 - 48.2
        f"Runner-up: {SMALL.name} int8 tflite: 6.00 ms, 1.40 MB, top-1 48.2 % ({SMALL.name}.int8.tflite); "
        "it lost by 14.0 points of top-1.",
        # 21.2 - 20 and 63.9 - 62.2
        f"--max-latency 20 ms: 1.2 ms more buys 1.7 points of top-1: {LARGE.name} int8 tflite: 21.20 ms, 1.40 MB, "
        f"top-1 63.9 % ({LARGE.name}.int8.tflite).",
        "--max-size 1.50 MB costs nothing: without this limit alone, the choice would be the same.",
        "Machine: Xeon.",
        "Top-1 is the published figure (TF-slim), not that of these files; measure theirs with mnet evaluate.",
        "For int8 it is that of quantisation-aware training, which post-training int8 rarely reaches.",
    ]


def test_mixed_files_are_points_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Faster than int8, as in onnxruntime; measured, and by what is published of models with integers.
    published = [profile(SMALL, 6.0), profile(SMALL, 5.0, precision="mixed"), profile(SMALL, 7.0, precision="float32")]
    measured = [
        replace(evaluation(SMALL, top1), sha256=record.sha256)
        for record, top1 in zip(published, (0.48, 0.5, 0.51), strict=True)
    ]
    for made in (published, [*published, *measured]):
        code, lines = said(capsys, str(written(tmp_path, made)), "--max-latency", "6.5ms")
        assert code == 0
        assert lines[0].startswith(f"Take {SMALL.name} mixed tflite: 5.00 ms")
        assert f"Runner-up: {SMALL.name} int8 tflite" in lines[2]
    code, lines = said(capsys, str(written(tmp_path, published)))
    assert lines[-1].startswith("For int8 and mixed it is that of quantisation-aware training")


def test_the_fastest_that_is_accurate_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(capsys, str(written(tmp_path, THREE)), "--min-top1", "55")
    assert code == 0
    assert lines[1] == "It is the fastest within --min-top1 55."
    assert lines[2].endswith("it lost by 3.2 ms.")
    # 55 - 48.2 and 18 - 6
    assert lines[3].startswith(f"--min-top1 55: 6.8 points fewer buy 12.0 ms less: {SMALL.name}")


def test_nothing_fits_is_a_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(tmp_path, THREE))
    code, lines = said(capsys, path, "--max-latency", "17ms", "--min-top1", "60")
    assert code == 1
    assert lines[0] == "Nothing fits within --max-latency 17 ms and --min-top1 60."
    assert lines[1].startswith(f"The nearest miss is {MIDDLE.name} int8 tflite")
    assert lines[1].endswith(": 1.0 ms beyond --max-latency.")
    code, text = said(capsys, path, "--max-memory", "50MB")
    assert code == 1
    assert text[0] == "Nothing fits: no row has all the figures that --max-memory 50.0 MB needs."


def test_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(tmp_path, THREE))
    code, lines = said(capsys, path, "--max-latency", "20ms", "--json", "-")
    found = json.loads("\n".join(lines))
    assert code == 0
    assert (found["goal"], found["limits"]) == ("top1", {"latency_ms": 20.0})
    assert (found["pick"]["artifact"], found["pick"]["predicted"]) == (f"{MIDDLE.name}.int8.tflite", False)
    assert found["runner_up_lost_by"] == "14.0 points of top-1"
    (cost,) = found["costs"]
    assert (cost["limit"], cost["point"]["latency_ms"]) == ("latency_ms", 21.2)
    assert (cost["loosened_by"], cost["buys_top1"]) == pytest.approx((1.2, 1.7))
    code, lines = said(capsys, path, "--max-latency", "5ms", "--json", "-")
    missed = json.loads("\n".join(lines))
    assert (code, missed["pick"], missed["costs"]) == (1, None, [])
    assert missed["nearest_miss"]["excess"] == {"latency_ms": 1.0}


def test_measured_accuracy_counts_before_published(tmp_path: Path) -> None:
    made = [*THREE, evaluation(SMALL, 0.7), evaluation(LARGE, 0.6)]
    advice = recommend.run([written(tmp_path, made)], Limits())
    assert advice.recommendation.pick is not None
    assert (advice.recommendation.pick.name, advice.recommendation.pick.top1) == (f"{SMALL.name} int8 tflite", 70.0)
    assert advice.notes[1:] == (
        "Top-1 was measured on 500 images of images, with intervals of up to ±4.0 points.",
        "1 of 3 rows have no such top-1 and were skipped.",
    )


def test_accuracy_that_is_not_shown_does_not_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def scored(spec: ModelSpec, right: int) -> Evaluation:
        flags = np.arange(500) < right
        return replace(evaluation(spec, right / 500), pictures="ab" * 32, right=pack(flags))

    made = written(tmp_path, [*THREE, scored(SMALL, 300), scored(LARGE, 305), scored(MIDDLE, 250)])
    code, lines = said(capsys, str(made), "--max-latency", "1s")
    assert code == 0
    assert lines[0].startswith(f"Take {SMALL.name} int8 tflite: 6.00 ms, 1.40 MB, top-1 60.0 % (56.0 to 64.0)")
    assert lines[1].startswith("It is the fastest that is not shown to be less accurate than the best within")
    # Five gained, none lost: two in 32; (1.96·.1 + .8416·√.0099)² / .0001 = 783 would show it
    assert lines[2] == (
        f"{LARGE.name} int8 tflite has 1.0 point of top-1 more, but 500 images do not show it (p = 0.062); "
        "about 283 more would decide."
    )
    _, text = said(capsys, str(made), "--json", "-")
    found = json.loads("\n".join(text))
    assert found["undecided"]["more_pictures_needed"] == 283
    assert (found["pick"]["top1_interval"], "answers" in found["pick"]) == ([56.0, 64.0], False)


def test_random_weights_have_no_accuracy_whatever_was_measured_or_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [replace(each, weights="random") for each in (*THREE, evaluation(SMALL, 0.7))]
    code, lines = said(capsys, str(written(tmp_path, made)), "--max-latency", "20ms")
    assert code == 0
    assert lines[0].startswith(f"Take {SMALL.name} int8 tflite: 6.00 ms, 1.40 MB, accuracy unknown")
    assert "top-1" not in " ".join(lines).lower()
    assert any(line.startswith("3 of 3 rows have random weights, and so no accuracy") for line in lines)
    code, lines = said(capsys, str(written(tmp_path, made)), "--min-top1", "50")
    assert (code, lines[0]) == (1, "Nothing fits: no row has all the figures that --min-top1 50 needs.")


def test_random_weights_are_left_out_beside_trained_ones(tmp_path: Path) -> None:
    made = [*THREE, replace(profile(SMALL, 1.0, precision="float32"), weights="random"), evaluation(LARGE, 0.6)]
    advice = recommend.run([written(tmp_path, made)], Limits())
    assert advice.recommendation.pick is not None
    assert advice.recommendation.pick.name == f"{LARGE.name} int8 tflite"
    assert "random" in advice.notes[1]


def test_accuracy_near_its_limit_is_a_caution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = said(capsys, str(written(tmp_path, [*THREE, evaluation(SMALL, 0.57)])), "--min-top1", "55")
    assert "Its accuracy may miss the limit: the interval begins at 53.0 %." in lines


def test_a_prediction_is_marked_and_to_be_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(tmp_path, [THREE[0], prediction(LARGE, 19.0)]))
    code, lines = said(capsys, path, "--max-latency", "20ms")
    assert code == 0
    # 19 give or take a tenth
    assert lines[0].startswith(f"Take {LARGE.name} int8 tflite: ≈ 19.00 ms (17.10 to 20.90) predicted, 1.40 MB")
    assert f"Its latency is predicted; to measure it: mnet profile {LARGE.name}.int8.tflite" in lines
    assert "Its latency may exceed the limit: the interval extends to 20.90 ms." in lines


def test_doubts_of_the_pick_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(tmp_path, [profile(LARGE, 9.0, doubts=(Remark("times-vary", spread=0.3),)), THREE[0]]))
    assert f"Doubt about its latency: {sentence(Remark('times-vary', spread=0.3))}." in said(capsys, path)[1]


def test_latency_that_must_not_be_used_is_left_out(tmp_path: Path) -> None:
    made = [THREE[0], profile(LARGE, 9.0, invalid=Remark("throttled", reasons=["hot"]))]
    found = recommend.run([written(tmp_path, made)], Limits()).recommendation
    assert found.pick is not None
    assert found.pick.name.startswith(MIDDLE.name)
    with pytest.raises(InputError, match=r"no usable latency in .*; measure it with: mnet profile"):
        recommend.run([written(tmp_path, made[1:])], Limits())


def test_threads_are_told_where_they_differ(tmp_path: Path) -> None:
    found = recommend.run([written(tmp_path, [THREE[0], profile(MIDDLE, 10.0, threads=2)])], Limits()).recommendation
    assert found.pick is not None
    assert found.runner_up is not None
    assert (found.pick.name, found.runner_up.name) == (
        f"{MIDDLE.name} int8 tflite with 2 threads",
        f"{MIDDLE.name} int8 tflite with 1 thread",
    )


def test_one_machine_of_several(tmp_path: Path) -> None:
    path = written(tmp_path, [*THREE, profile(LARGE, 90.0, host=PI4)])
    with pytest.raises(UsageError, match=r"latencies of 2 machines; choose one with --device: .*pi4 \(.*Cortex-A72"):
        recommend.run([path], Limits())
    for device in ("pi4", "cortex"):
        found = recommend.run([path], Limits(), device).recommendation
        assert found.pick is not None
        assert found.pick.latency_ms == 90.0
    with pytest.raises(UsageError, match="no latency for --device 'pi5'; known"):
        recommend.run([path], Limits(), "pi5")


def test_a_name_goes_before_a_part_of_a_description(tmp_path: Path) -> None:
    made = [profile(LARGE, 90.0, host=PI4), profile(LARGE, 80.0, host={"name": "pi4b", "cpu": "Cortex-A72"})]
    found = recommend.run([written(tmp_path, made)], Limits(), "pi4").recommendation
    assert found.pick is not None
    assert found.pick.latency_ms == 90.0


def test_accuracy_on_different_images_is_not_compared(tmp_path: Path) -> None:
    made = [*THREE, evaluation(SMALL, 0.7), evaluation(LARGE, 0.6, data="others")]
    with pytest.raises(InputError, match="measured on different images"):
        recommend.run([written(tmp_path, made)], Limits())


def test_other_contents_under_one_name_are_told_from_no_accuracy(tmp_path: Path) -> None:
    foreign = replace(profile(LARGE, 9.0), spec=None)
    other = replace(evaluation(LARGE, 0.6), sha256="1" * 64)
    with pytest.raises(InputError, match=r"and its evaluation \(11111111\); profile or evaluate it again"):
        recommend.run([written(tmp_path, [foreign, other])], Limits())


def test_models_of_several_labels_are_chosen_by_average_precision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = {SMALL: 0.8, LARGE: 0.7}
    made = [replace(evaluation(spec, 0.9), mean_average_precision=mark) for spec, mark in marks.items()]
    _, lines = said(capsys, str(written(tmp_path, [*THREE, *made])))
    assert "mean average precision 80.0 %" in lines[0]


def test_a_single_row_has_no_runner_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = said(capsys, str(written(tmp_path, [profile(SMALL, 6.0)])))
    assert "There is no other row." in lines


def test_no_accuracy_of_any_kind(tmp_path: Path) -> None:
    foreign = replace(profile(LARGE, 9.0), spec=None)
    with pytest.raises(InputError, match=r"no top-1 in .*, and none is published; measure it with: mnet evaluate"):
        recommend.run([written(tmp_path, [foreign])], Limits())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--max-latency", "20"], "is not a duration"),
        (["--max-size", "1M"], "is not a size"),
        (["--min-top1", "0.5"], "in percent"),
    ],
)
def test_limits_that_cannot_be_read(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["recommend", str(written(tmp_path, THREE)), *words])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
