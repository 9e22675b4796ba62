from __future__ import annotations

import json

import pytest

from mobilenet_edge.analysis import health
from mobilenet_edge.analysis.finding import Finding


def judge(facts, host="pi5", **options):
    return health.judge(facts, host=host, local_ns=(facts["clock_ns"],) * 2, **options)


def test_a_healthy_machine(pi):
    report = judge(pi())
    assert {each.status for each in report.findings} == {"ok"}
    assert (report.exit_code, report.failure) == (0, None)
    names = [each.name for each in report.findings]
    assert len(names) == len(set(names))


def test_one_runtime_is_enough(pi, lose):
    assert judge(lose(pi(), "onnxruntime")).exit_code == 0


def test_a_machine_that_can_run_nothing(pi, lose):
    report = judge(lose(pi(), "litert", "onnxruntime"))
    assert report.exit_code == 4
    assert [each.name for each in report.findings if each.status == "fail"] == [".tflite files", ".onnx files"]


def test_only_a_workstation_is_asked_for_extras(pi):
    assert "[build]" in [each.name for each in judge(pi(), "local", missing={"build": []}).findings]
    assert "[build]" not in [each.name for each in judge(pi()).findings]


def test_a_machine_that_was_not_reached():
    report = health.unreachable("pi5", OSError("no route"), 6)
    assert (report.exit_code, report.failure, report.findings, report.facts) == (6, "no route", (), None)


def test_report_as_json(pi):
    report = judge(pi())
    again = json.loads(json.dumps(report.to_dict()))
    assert again["findings"][0].keys() == {"name", "status", "fact", "next"}
    assert again["facts"]["host"]["cpu"] == "Cortex-A76"
    assert (again["host"], again["exit_code"], again["failure"]) == ("pi5", 0, None)


@pytest.mark.parametrize(("status", "next_"), [("ok", "do this"), ("warn", None), ("fail", None)])
def test_a_next_step_belongs_to_what_is_not_ok(status, next_):
    with pytest.raises(ValueError, match="disk: a finding has a next step if and only if it is not ok"):
        Finding("disk", status, "full", next_)
