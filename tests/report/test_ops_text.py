from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.report import operators

OPS = (
    {"index": 0, "name": "conv1", "kind": "CONV_2D", "ms": 0.5, "macs": 2_000_000, "bytes": 9, "gmacs_per_s": 4.0},
    {"index": 1, "name": "a/very/long/path/of/names/conv_pw_13_relu/Relu6", "kind": "CONV_2D", "ms": 1.5,
     "macs": 60_000_000, "bytes": 9, "gmacs_per_s": 40.0},
    {"index": 2, "name": "softmax", "kind": "SOFTMAX", "ms": -0.004, "macs": None, "bytes": None, "gmacs_per_s": None},
)  # fmt: skip


def test_where_the_time_goes(profile):
    about = {"ops": {"how": "prefixes, their differences", "whole_ms": 2.05}}
    shown = operators.text(replace(profile(ms=2.1, conditions=about), ops=OPS))
    # 0.5 + 1.5 - 0.004 = 1.996 ms; the first has 25 % of it.
    assert shown.splitlines() == [
        "### mobilenet_v1-a0.50-r160 tflite float32, 1 thread, local: operators",
        "",
        "| op | operator                     | type    |     ms | share |   MACs | GMAC/s |",
        "| -: | ---------------------------- | ------- | -----: | ----: | -----: | -----: |",
        "|  0 | conv1                        | CONV_2D |   0.50 | 25.1% | 2.00 M |    4.0 |",
        "|  1 | …names/conv_pw_13_relu/Relu6 | CONV_2D |   1.50 | 75.2% | 60.0 M |   40.0 |",
        "|  2 | softmax                      | SOFTMAX | -0.004 | -0.2% |      - |      - |",
        "",
        "- Operators: 2.00 ms in total; the whole inference took 2.05 ms in the same process.",
        "- By type: CONV_2D 100%.",
        "- Method: prefixes, their differences.",
    ]


def test_a_name_cannot_reach_the_terminal(profile):
    evil = {**OPS[0], "name": "conv\x1b[2J|x"}
    assert "\x1b" not in operators.text(replace(profile(), ops=(evil,)))
    assert "conv [2J\\|x" in operators.text(replace(profile(), ops=(evil,)))
