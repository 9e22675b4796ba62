"""The budget file: what is read, and where it is wrong."""

from __future__ import annotations

import pytest

from mobilenet_edge.errors import InputError


def test_everything_is_read(make):
    found = make.budgets("""
baseline = "b.json"
[[budget]]
name = "all"
artifact = "results/*.tflite"
variant = ["a", "b*"]
format = "tflite"
precision = "int8"
target = "arm64"
device = "pi4"
threads = 2
size = ["1.5 MB", "+2 %"]
memory = "60 MB"
macs = "50M"
parameters = "1M"
latency = "20 ms"
min_agreement = "95 %"
min_top1 = "50 %"
[[budget]]
size = "2 MB"
ratchet = true
""")
    first, second = found.budgets
    assert found.baseline == str(found.path.parent / "b.json")
    assert [(each.metric.key, each.text) for each in first.limits] == [
        ("size", "1.5 MB"), ("size", "+2 %"), ("memory", "60 MB"), ("macs", "50M"), ("parameters", "1M"),
        ("latency", "20 ms"), ("min_agreement", "95 %"), ("min_top1", "50 %"),
    ]  # fmt: skip
    assert (first.device, first.threads, second.ratchet) == ("pi4", 2, True)
    assert (first.title, second.title) == ("all", "all artifacts")


def test_a_budget_without_name_is_called_by_its_selectors(make):
    (budget,) = make.budgets('[[budget]]\nvariant = ["a", "b"]\nprecision = "int8"\nsize = "1 MB"').budgets
    assert budget.title == "a or b, int8"


@pytest.mark.parametrize(
    ("selectors", "matches"),
    [
        ("", True),
        ('artifact = "results/*.int8.tflite"', True),
        ('artifact = "*.tflite"', True),
        ('artifact = "other/*.tflite"', False),
        ('artifact = "*/x/*.tflite"', False),
        ('variant = "mobilenet_v1-a0.25-*"', True),
        ('variant = "mobilenet_v1-a0.25"', False),
        ('variant = ["x", "mobilenet*"]', True),
        ('format = "onnx"', False),
        ('precision = "int8"\nformat = "tflite"', True),
        ('precision = "int8"\nformat = "onnx"', False),
        ('target = "generic"', True),
        ('target = "x86*"', False),
    ],
)
def test_selectors(make, selectors, matches):
    (budget,) = make.budgets(f'[[budget]]\n{selectors}\nsize = "1 MB"').budgets
    own = {"variant": "mobilenet_v1-a0.25-r128", "format": "tflite", "precision": "int8", "target": "generic"}
    assert budget.matches("some/results/x.int8.tflite", **own) is matches


def test_what_is_not_known_matches_no_pattern_but_every_star(make):
    exact, star = make.budgets(
        '[[budget]]\ntarget = "arm64"\nsize = "1 MB"\n[[budget]]\ntarget = "*"\nsize = "1 MB"'
    ).budgets
    own = {"variant": "x", "format": "onnx", "precision": "int8", "target": None}
    assert not exact.matches("x.onnx", **own)
    assert star.matches("x.onnx", **own)


GOOD = '[[budget]]\nsize = "1 MB"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD + '[[budget]]\n\nsise = "1 MB"', 5, r"unknown key 'budget\[2\]\.sise'; did you mean 'size'\?"),
        (GOOD + '[[budget]]\nmax_top1 = "1 %"', 4, r"did you mean 'min_top1'\?"),
        ("budgets = []\n", 1, r"unknown key 'budgets'; did you mean 'budget'\?"),
        (GOOD + '[[budget]]\nname = "x"\nsize = "1.5 XB"', 5, r"'1\.5 XB' is not a size"),
        (GOOD + "[[budget]]\nsize = 1500000", 4, "it must be text"),
        (GOOD + '[[budget]]\nprecision = "int9"\nsize = "1 MB"', 4, r"no precision 'int9'; did you mean 'int8'\?"),
        (GOOD + '[[budget]]\nformat = "tflight"\nsize = "1 MB"', 4, r"did you mean 'tflite'\?"),
        (GOOD + '[[budget]]\ntarget = "x68"\nsize = "1 MB"', 4, r"no target 'x68'; did you mean 'x86'\?"),
        (GOOD + '[[budget]]\nlatency = "20 ms"', 4, 'add its name in the records, such as device = "pi4"'),
        (GOOD + '[[budget]]\nsize = "1 MB"\ndevice = "pi4"', 5, "device is for latency and memory"),
        (GOOD + '[[budget]]\nsize = "1 MB"\nthreads = 0', 5, "threads must be at least 1"),
        (GOOD + '[[budget]]\nsize = "+2 %"\nratchet = true', 4, "give an absolute limit"),
        (GOOD + '[[budget]]\nmemory = "1 MB"\nratchet = true', 4, "would keep the best run"),
        (GOOD + '[[budget]]\nname = "x"', 3, "the budget limits nothing; give it size, memory"),
        (GOOD + '[[budget]]\nsize = "1 MB"\nartifact = "a/**/*.tflite"', 5, r"write one \* for each folder"),
        (GOOD + '[[budget]]\nsize = "1 MB"\nartifact = "/a/*.tflite"', 5, "relative to where mnet runs"),
        ('[budget]\nsize = "1.5 XB"', 2, "is not a size"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(make, text, line, message):
    with pytest.raises(InputError, match=rf"budgets\.toml, line {line}: .*{message}") as error:
        make.budgets(text)
    assert error.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[budget]]\nsize = ?\n", r"is not TOML: .*line 2"),
        ("", r"has no budget; add one with"),
        ("budget = []", r"has no budget; add one with \[\[budget\]\]"),
    ],
)
def test_a_file_without_budgets(make, text, message):
    with pytest.raises(InputError, match=message):
        make.budgets(text)


def test_lines_are_those_of_keys(make):
    found = make.budgets('# one\n[[budget]]\nsize = "1 MB"\n\n[[budget]]\nmacs = [\n "1M",\n]\nsize = "1 MB"\n')
    assert [found.line(0), found.line(0, "size"), found.line(1), found.line(1, "macs"), found.line(1, "size")] == [
        2, 3, 5, 6, 9,
    ]  # fmt: skip
