"""Pairs are found, unlike conditions refused by name, and a verdict is given only where the times carry it."""

from dataclasses import replace

import pytest

from mobilenet_edge.analysis.difference import compare
from mobilenet_edge.errors import UsageError
from mobilenet_edge.records import Remark


def only(base, new, **how):
    (pair,) = compare([base], [new], **how).pairs
    return pair


def test_slower_faster_and_neither(profile):
    base = profile(2.0)
    slower, faster, same = (only(base, profile(ms, seed=1)) for ms in (2.4, 1.6, 2.0))
    assert (slower.verdict, faster.verdict, same.verdict) == ("slower", "faster", "~")
    # Medians of 60 runs of 1 %, rounds 0.2 % apart.
    assert slower.ratio == pytest.approx(1.2, abs=0.01)
    low, high = slower.interval
    assert 1 < low < slower.ratio < high


def test_a_difference_below_that_between_processes_of_one_file_is_none(profile):
    def rounds(precision, *medians_us):
        times = tuple(us * 1000 + run for us in medians_us for run in range(-50, 50))
        return profile(precision=precision, times_ns=times, round_sizes=(100,) * len(medians_us))

    # Three rounds that happen to agree say less of the machine than those of the other files.
    base = [rounds("float32", 640, 640, 640), *(rounds(name, 500, 505, 509) for name in ("int8", "float16"))]
    for after_us, verdict in ((644, "~"), (660, "slower")):
        pair, *_ = compare(base, [rounds("float32", after_us, after_us, after_us), *base[1:]]).pairs
        assert pair.interval[0] > 1
        assert pair.repeatability == pytest.approx(9 / 505)
        assert pair.verdict == verdict
    assert only(base[0], rounds("float32", 644, 644, 644)).verdict == "slower"


def test_few_runs_tell_nothing(profile):
    pair = only(profile(2.0, runs=18), profile(4.0, runs=60))
    assert pair.too_few_runs
    assert pair.interval is not None
    assert pair.verdict == "~"


def test_hardly_any_runs_have_no_interval(profile):
    pair = only(profile(2.0, runs=3), profile(4.0))
    assert pair.interval is None
    assert pair.verdict == "~"


def test_pairs_by_what_was_measured(profile):
    base = [profile(2.0), profile(1.5, "int8"), profile(1.2, threads=2)]
    new = [profile(1.2, threads=2), profile(1.5, "int8"), profile(9.0, "float16")]
    found = compare(base, new)
    assert [(pair.new.precision, pair.new.threads) for pair in found.pairs] == [("float32", 2), ("int8", 1)]
    assert all(pair.base.precision == pair.new.precision for pair in found.pairs)
    assert [each.precision for each in found.only_base] == ["float32"]
    assert [each.precision for each in found.only_new] == ["float16"]


def test_one_against_one_is_a_pair_whatever_they_are(profile):
    pair = only(profile(2.0), profile(1.5, "int8", variant="mobilenet_v1-a0.25-r160"))
    assert pair.verdict == "faster"


def test_two_against_two_have_to_match(profile):
    with pytest.raises(UsageError, match="no profile has the same variant, format, precision") as caught:
        compare([profile(), profile(threads=2)], [profile(2.0, "int8"), profile(2.0, "float16")])
    assert "mobilenet_v1-a0.50-r160 int8 tflite (1 threads, litert)" in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_latest_of_repeated_profiles_counts(profile):
    old, new = (profile(ms, conditions={"started": f"2026-01-0{day}"}) for day, ms in enumerate((3.0, 2.0), start=1))
    assert only_pair([new, old], [profile(2.0, seed=2)]).base == new


def only_pair(base, new):
    (pair,) = compare(base, new).pairs
    return pair


def test_several_machines_are_paired_each_with_itself(profile):
    base = [profile(ms, host={"name": name}) for name, ms in (("pi3", 40.0), ("pi4", 20.0))]
    new = [profile(ms, host={"name": name}, seed=1) for name, ms in (("pi4", 20.0), ("pi3", 30.0))]
    found = compare(base, new)
    assert [(pair.base.host["name"], pair.verdict) for pair in found.pairs] == [("pi4", "~"), ("pi3", "faster")]


def test_unlike_conditions_are_refused_with_every_difference(profile):
    other = profile(host={"cpu": "Cortex-A72"}, runtime_version="2.4.0")
    with pytest.raises(UsageError) as caught:
        compare([profile()], [other])
    assert "(CPU: Xeon against Cortex-A72; runtime: litert 2.3.0 against litert 2.4.0)" in str(caught.value)
    assert "--anyway" in str(caught.value)
    found = compare([profile()], [other], anyway=True)
    assert len(found.unlike) == 2
    assert found.pairs[0].interval is not None


def test_a_difference_of_all_pairs_is_named_once(profile):
    base = [profile(), profile(2.0, "int8")]
    new = [replace(each, host={**each.host, "cpu": "Cortex-A72"}) for each in base]
    assert compare(base, new, anyway=True).unlike == ("CPU: Xeon against Cortex-A72",)


@pytest.mark.parametrize(
    "changes", [{"invalid": Remark("throttled", reasons=["hot"])}, {"host": {"emulated": "qemu-aarch64"}}]
)
def test_what_must_not_be_used_is_refused(profile, changes):
    with pytest.raises(UsageError, match="the first is unusable: "):
        compare([profile(**changes)], [profile(seed=1)])
    assert "the second is unusable" in compare([profile()], [profile(**changes)], anyway=True).unlike[0]
