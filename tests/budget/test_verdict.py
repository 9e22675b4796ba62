"""Budgets against figures: every outcome, and why."""

from __future__ import annotations

import pytest

from mobilenet_edge.budget.baseline import Baseline
from mobilenet_edge.budget.verdict import Outcome, judge, unmatched

ONE = '[[budget]]\nsize = "1 kB"\n'
LATENCY = '[[budget]]\ndevice = "pi4"\nlatency = "20 ms"\n'


def only(make, text, subject, before=None):
    baseline = None if before is None else Baseline("b.json", tuple(before))
    (verdict,) = judge(make.budgets(text), [subject], baseline)
    return verdict


@pytest.mark.parametrize(
    ("key", "limit", "figure", "good", "bad"),
    [
        ("size", "1 kB", "size_bytes", 1000, 1001),
        ("macs", "50M", "macs", 50_000_000, 50_000_001),
        ("parameters", "1M", "parameters", 1_000_000, 1_000_001),
        ("min_agreement", "95 %", "agreement", 0.95, 0.9499),
        ("min_top1", "50 %", "top1", 0.5, 0.4999),
    ],
)
def test_limits_on_the_file_and_its_accuracy(make, key, limit, figure, good, bad):
    text = f'[[budget]]\n{key} = "{limit}"\n'
    assert only(make, text, make.subject(**{figure: good})).outcome is Outcome.passed
    assert only(make, text, make.subject(**{figure: bad})).outcome is Outcome.failed
    unknown = only(make, text, make.subject(**{figure: None}))
    assert unknown.outcome is Outcome.missing
    assert unknown.bad
    assert unknown.reason


def test_how_far_it_is_over(make):
    assert only(make, ONE, make.subject(size_bytes=13_500)).reason == "12 500 B over"
    assert only(make, '[[budget]]\nmin_top1 = "50 %"', make.subject(top1=0.48)).reason == "2.00 points below"


def test_latency_on_the_named_device(make):
    assert only(make, LATENCY, make.subject(runs=(make.run("pi4", 20.0),))).outcome is Outcome.passed
    assert only(make, LATENCY, make.subject(runs=(make.run("pi4", 20.1),))).outcome is Outcome.failed


def test_latency_on_another_machine_is_not_applicable_however_fast_or_slow(make):
    for ms in (1.0, 1000.0):
        verdict = only(make, LATENCY, make.subject(runs=(make.run("local", ms),)))
        assert verdict.outcome is Outcome.not_applicable
        assert not verdict.bad
        assert verdict.reason == "measured on local, and the budget is for pi4"
        assert verdict.actual is None


def test_a_device_that_was_misspelt_is_noticed(make):
    verdict = only(make, LATENCY.replace("pi4", "pi44"), make.subject(runs=(make.run("pi4"),)))
    assert verdict.reason.endswith("did you mean 'pi4'?")


def test_latency_that_was_not_measured_is_missing(make):
    verdict = only(make, LATENCY, make.subject())
    assert verdict.outcome is Outcome.missing
    assert verdict.reason == "not measured; give the records of: mnet profile --host pi4"
    verdict = only(make, LATENCY, make.subject(failures=("profile failed: no route",)))
    assert verdict.reason == "profile failed: no route"


def test_latency_of_unusable_profiles_is_missing(make):
    runs = (make.run(ms=1.0, unusable="throttled"),)
    verdict = only(make, LATENCY, make.subject(runs=runs))
    assert (verdict.outcome, verdict.reason) == (Outcome.missing, "not usable: throttled")
    assert only(make, LATENCY, make.subject(runs=(*runs, make.run(ms=9.0)))).actual == 9.0


def test_threads_are_those_of_the_budget(make):
    runs = (make.run(ms=30.0), make.run(ms=10.0, threads=2))
    assert only(make, LATENCY, make.subject(runs=runs)).actual == 30.0
    assert only(make, f"{LATENCY}threads = 2", make.subject(runs=runs)).actual == 10.0
    verdict = only(make, f"{LATENCY}threads = 4", make.subject(runs=runs))
    assert verdict.outcome is Outcome.missing
    assert verdict.reason == "measured with 1, 2 threads, and the budget is for 4"


def test_of_several_profiles_the_worst_counts(make):
    runs = (make.run(ms=10.0, memory_bytes=9), make.run(ms=30.0, memory_bytes=5))
    assert only(make, LATENCY, make.subject(runs=runs)).actual == 30.0
    assert only(make, '[[budget]]\nmemory = "1 MB"', make.subject(runs=runs)).actual == 9


def test_memory_is_of_any_machine_unless_one_is_named(make):
    subject = make.subject(runs=(make.run("local", memory_bytes=9),))
    assert only(make, '[[budget]]\nmemory = "1 MB"', subject).outcome is Outcome.passed
    verdict = only(make, '[[budget]]\nmemory = "1 MB"\ndevice = "pi4"', subject)
    assert verdict.outcome is Outcome.not_applicable
    assert only(make, '[[budget]]\nmemory = "1 MB"', make.subject(runs=(make.run(),))).outcome is Outcome.missing


@pytest.mark.parametrize(
    ("limit", "size", "outcome", "bound"),
    [
        ("+2 %", 1020, "passed", 1020),
        ("+2 %", 1021, "failed", 1020),
        ("-10 %", 900, "passed", 900),
        ("+5 B", 1006, "failed", 1005),
    ],
)
def test_limits_relative_to_the_baseline(make, limit, size, outcome, bound):
    text = f'[[budget]]\nsize = "{limit}"\n'
    verdict = only(make, text, make.subject(size_bytes=size), [make.subject(size_bytes=1000)])
    assert (verdict.outcome, verdict.bound, verdict.before) == (outcome, bound, 1000)
    assert verdict.change == pytest.approx(size / 1000 - 1)


def test_a_share_may_fall_by_points(make):
    text = '[[budget]]\nmin_top1 = "-0.5 points"\n'
    before = [make.subject(top1=0.6)]
    assert only(make, text, make.subject(top1=0.595), before).outcome is Outcome.passed
    assert only(make, text, make.subject(top1=0.594), before).outcome is Outcome.failed


def test_a_relative_latency_compares_the_same_device_and_threads(make):
    text = '[[budget]]\ndevice = "pi4"\nlatency = "+10 %"\n'
    before = [make.subject(runs=(make.run("local", 1.0), make.run("pi4", 20.0), make.run("pi4", 5.0, 2)))]
    verdict = only(make, text, make.subject(runs=(make.run(ms=21.0),)), before)
    assert (verdict.before, verdict.bound, verdict.outcome) == (20.0, 22.0, Outcome.passed)
    verdict = only(make, text, make.subject(runs=(make.run(ms=21.0),)), [make.subject()])
    assert (verdict.outcome, verdict.reason[:33]) == (Outcome.missing, "b.json has no latency of it, and ")


def test_a_relative_limit_without_baseline_is_missing_and_of_a_new_artifact_not_applicable(make):
    text = '[[budget]]\nsize = "+2 %"\n'
    verdict = only(make, text, make.subject())
    assert verdict.outcome is Outcome.missing
    assert "there is no baseline, and +2 % is relative" in verdict.reason
    verdict = only(make, text, make.subject(), [make.subject("other")])
    assert (verdict.outcome, verdict.reason) == (Outcome.not_applicable, "new: b.json does not have it")


def test_an_absolute_limit_shows_the_change_too(make):
    verdict = only(make, ONE, make.subject(size_bytes=990), [make.subject(size_bytes=900)])
    assert verdict.change == pytest.approx(0.1)
    assert only(make, ONE, make.subject()).change is None


def test_a_budget_that_matches_nothing_is_missing(make):
    (verdict,) = judge(make.budgets('[[budget]]\nname = "x"\nvariant = "typo*"\nsize = "1 MB"'), [make.subject()])
    assert (verdict.outcome, verdict.subject, verdict.budget) == (Outcome.missing, None, "x")
    assert verdict.bad
    assert verdict.reason.startswith("it matches none of 1 artifacts")


def test_a_failed_build_has_no_size(make):
    subject = make.subject(size_bytes=None, failures=("build failed: no memory",))
    verdict = only(make, ONE, subject)
    assert (verdict.outcome, verdict.reason) == (Outcome.missing, "build failed: no memory")


def test_each_budget_judges_each_artifact_by_each_limit(make):
    found = judge(make.budgets(f'{ONE}macs = "1"\n[[budget]]\nvariant = "b"\nsize = ["1 B", "2 B"]'),
                  [make.subject("a"), make.subject("b")])  # fmt: skip
    assert [(each.index, each.subject.variant, each.limit.text) for each in found] == [
        (0, "a", "1 kB"), (0, "a", "1"), (0, "b", "1 kB"), (0, "b", "1"), (1, "b", "1 B"), (1, "b", "2 B"),
    ]  # fmt: skip


def test_only_some_metrics(make):
    budgets = make.budgets(f'{ONE}macs = "1"\n[[budget]]\nvariant = "none"\nmacs = "1"')
    assert [each.limit.metric.key for each in judge(budgets, [make.subject()], only=["size"])] == ["size"]


def test_artifacts_without_budget_are_known(make):
    budgets = make.budgets('[[budget]]\nvariant = "a"\nsize = "1 MB"')
    assert list(unmatched(budgets, [make.subject("a"), make.subject("b")])) == [make.subject("b")]
