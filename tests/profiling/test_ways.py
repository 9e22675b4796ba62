"""Order of the processes that measure pictures, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import HostError
from mobilenet_edge.evaluation import head
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.profiling import ways
from mobilenet_edge.profiling.job import JobResult
from mobilenet_edge.profiling.pace import Pace
from mobilenet_edge.profiling.pack import Pack
from mobilenet_edge.profiling.settings import Plan

MS = 1_000_000
PACK = Pack(Path("p.zip"), Path("own.npy"), Preprocess((8, 8)), ImageInput("m", (1, 8, 8, 3), "float32"), 20)
PLAN = Plan(runs=30, rounds=3)
COMPARED = {
    "mean_difference": 1.5, "max_difference": 9, "equal": 1,
    "output": {"shape": [1, 3], "dtype": "uint8", "scale": 0.5, "zero_point": 2},
    "outputs": [[1, 2, 3], [3, 2, 1]], "own_outputs": [[1, 2, 4], [3, 4, 1]],
}  # fmt: skip


def stages(laps: list[list[int]], first: list[int], **more: Any) -> dict[str, Any]:
    about = {"library": "Pillow", "version": "13.0", "resize": "bilinear, antialiased", "pictures": 2}
    times = {"import_ns": 40 * MS, "load_ns": 2 * MS, "first_ns": first, "times_ns": laps}
    return {**about, **times, **more}


@pytest.fixture
def results(fake_host: Any, job: Callable[..., Any]) -> tuple[Any, list[JobResult]]:
    host = fake_host(extra={"ways": {"ways": ["pillow", "opencv"]}, "stages": stages([[MS] * 4], [MS] * 4)})
    names = ("a.int8.tflite", "b.int8.onnx")
    return host, [JobResult(replace(job(host, PLAN, name=name), pack=PACK)) for name in names]


def test_rounds_are_interleaved_and_the_first_compares(results: Any, pace: Pace, bar: Any):
    host, jobs = results
    with host:
        ways.run(jobs, ways.find(host, PLAN), PLAN, pace)
    asked = [request["mode"] for request in host.requests]
    assert asked == ["ways"] + ["stages"] * 12
    pairs = list(zip(host.requests, host.files, strict=True))[1:]
    turns = [(files["artifact"].name, request["way"]) for request, files in pairs]
    rounds = [turns[start : start + 4] for start in (0, 4, 8)]
    assert all(len(set(each)) == 4 for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1
    compared = ["inputs" in files for files in host.files[1:]]
    assert compared == [True] * 4 + [False] * 8
    # Every picture is seen, although ten runs a round would do for the latency.
    assert {request["steady"]["runs"] for request in host.requests[1:]} == {20}
    assert all(files["pictures"] == PACK.archive for files in host.files[1:])
    assert (bar.total, bar.done) == (12, 12)


def test_a_way_that_fails_becomes_a_remark(results: Any, pace: Pace):
    host, jobs = results
    host.fails = {("a.int8.tflite", "stages"): HostError("0-cat.gif cannot be decoded; leave it out")}
    with host:
        ways.run(jobs, ["opencv"], PLAN, pace)
    assert [remark.to_dict() for remark in jobs[0].remarks] == [
        {"code": "no-end-to-end", "way": "opencv", "reason": "0-cat.gif cannot be decoded; leave it out"}
    ]
    assert jobs[0].ways == {}
    assert len(jobs[1].ways["opencv"]) == 3
    assert [files["artifact"].name for files in host.files].count("a.int8.tflite") == 1


def test_documents_are_summarised(results: Any, monkeypatch: pytest.MonkeyPatch):
    _, (result, _) = results
    monkeypatch.setattr(result.job.artifact, "metadata", None, raising=False)
    monkeypatch.setattr(head, "find", lambda *_: Head.classes)
    laps = [[10 * MS, 4 * MS, 2 * MS, MS], [20 * MS, 2 * MS, 2 * MS, MS]]
    result.ways["pillow"] = [
        stages(laps, [50 * MS, 9 * MS, 8 * MS, MS], **COMPARED),
        stages([[30 * MS, 3 * MS, 5 * MS, MS]], [70 * MS, 5 * MS, 6 * MS, MS], import_ns=60 * MS),
    ]
    (entry,) = ways.entries(result)
    # Of decode the middle of 10, 20 and 30 ms, of the sums that of 17, 25 and 39.
    assert (entry["decode_ms"], entry["prepare_ms"], entry["infer_ms"], entry["top_k_ms"]) == (20, 3, 2, 1)
    assert (entry["total_ms"], entry["runs"], entry["pictures"]) == (25, 3, 2)
    assert (entry["first_decode_ms"], entry["first_total_ms"]) == (60, (68 + 82) / 2)
    assert (entry["import_ms"], entry["load_ms"]) == (50, 2)
    assert (entry["mean_difference"], entry["max_difference"], entry["equal"]) == (1.5, 9, 1)
    # The first picture is class 2 either way, the second was class 1 and is class 0.
    assert entry["changed"] == 1


def test_features_are_no_answers(results: Any, monkeypatch: pytest.MonkeyPatch):
    _, (result, _) = results
    monkeypatch.setattr(head, "find", lambda *_: Head.features)
    result.ways["pillow"] = [stages([[MS] * 4], [MS] * 4, **COMPARED)]
    assert ways.entries(result)[0]["changed"] is None


def test_only_a_job_with_pictures_can_be_measured(job: Callable[..., Any], fake_host: Any):
    with pytest.raises(ValueError, match="no pictures"):
        job(fake_host()).measure_stages("pillow", compare=True)
