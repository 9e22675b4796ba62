"""Limits are tightened in the file, and nothing else in it changes."""

from __future__ import annotations

import pytest

from mobilenet_edge.budget import ratchet
from mobilenet_edge.budget.verdict import judge
from mobilenet_edge.errors import InputError

FILE = """# our limits
[[budget]]   # all of them
size = "2 kB"      # may only shrink
macs = [ '100k' , "90k" ]
min_top1 = "50 %"
ratchet = true

[[budget]]
size = "2 kB"  # stays
"""


def tighten(make, text, *subjects):
    budgets = make.budgets(text)
    return ratchet.tighten(budgets, judge(budgets, subjects))


def test_limits_become_what_the_worst_artifact_needs(make):
    one = make.subject("a", size_bytes=1200, macs=80_000, top1=0.61234)
    other = make.subject("b", size_bytes=1500, macs=70_000, top1=0.7)
    text, changes = tighten(make, FILE, one, other)
    assert text == (
        FILE.replace('"2 kB"      #', '"1.5 kB"      #')
        .replace("'100k'", '"80000"').replace('"90k"', '"80000"').replace('"50 %"', '"61.23 %"')
    )  # fmt: skip
    assert [(each.key, each.before, each.after) for each in changes] == [
        ("size", "2 kB", "1.5 kB"), ("macs", "100k", "80000"), ("macs", "90k", "80000"),
        ("min_top1", "50 %", "61.23 %"),
    ]  # fmt: skip


def test_what_was_tightened_holds_and_is_tight(make):
    subject = make.subject(size_bytes=1234, macs=80_000, top1=1 / 3 + 0.5)
    text, _ = tighten(make, FILE, subject)
    again, changes = tighten(make, text, subject)
    assert (again, changes) == (text, [])
    budgets = make.budgets(text)
    assert {each.outcome for each in judge(budgets, [subject])} == {"passed"}


def test_a_limit_never_grows(make):
    text, changes = tighten(make, FILE, make.subject(size_bytes=2001, macs=100_001, top1=0.4))
    assert (text, changes) == (FILE, [])


def test_one_artifact_beyond_the_limit_keeps_it(make):
    text, changes = tighten(make, FILE, make.subject(size_bytes=1000), make.subject("b", size_bytes=3000))
    assert "size" not in [each.key for each in changes]
    assert '"2 kB"      # may only shrink' in text


def test_a_missing_figure_keeps_the_limit(make):
    _, changes = tighten(make, FILE, make.subject(size_bytes=2000, macs=None, top1=None))
    assert changes == []


def test_line_ends_and_what_follows_stay(make):
    text = FILE.replace("\n", "\r\n")
    made, _ = tighten(make, text.rstrip(), make.subject(size_bytes=1000))
    assert made == text.rstrip().replace('"2 kB"      #', '"1 kB"      #')


@pytest.mark.parametrize(
    "text",
    [
        '[[budget]]\nsize = [\n  # "2 kB"\n  "2 kB",\n]\nratchet = true',
        '[[budget]]\nsize = "2\\u0020kB"\nratchet = true',
        'budget = [{ name = "2 kB", size = "2 kB", ratchet = true }]',
    ],
)
def test_what_cannot_be_changed_safely_is_left_to_the_user(make, text):
    with pytest.raises(InputError, match=r"budgets\.toml, line \d: size cannot be changed safely.* '1 kB' by hand"):
        tighten(make, text, make.subject(size_bytes=1000))


@pytest.mark.parametrize(
    "text", ['budget = [{ size = "2 kB", ratchet = true }]', '[[budget]]\nsize = """2 kB"""\nratchet = true']
)
def test_other_ways_of_writing_are_changed_where_they_are_clear(make, text):
    assert tighten(make, text, make.subject(size_bytes=1000))[0] == text.replace("2 kB", "1 kB")
