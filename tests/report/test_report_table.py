"""The table in its three forms says the same, to a reader and to a machine."""

import csv as csv_module
import io
import json as json_module

import pytest

from mobilenet_edge.records import Remark
from mobilenet_edge.report import summary
from mobilenet_edge.report.cells import median_within
from mobilenet_edge.report.rows import join

INT8 = {"precision": "int8", "calibration": {"source": "images", "count": 100, "note": ""}}


@pytest.fixture
def rows(profile, evaluation):
    records = [
        profile(2.0),
        evaluation(0.6, agreement=1.0),
        profile(1.25, doubts=(Remark("swapping"),), **INT8),
        evaluation(0.586, agreement=0.918, **INT8),
    ]
    return join(records)


def cells(text):
    """Read a Markdown table back: the cells of its rows by title."""
    lines = [line for line in text.split("\n") if line.startswith("|")]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(split[0], line, strict=True)) for line in split[2:]]


def parsed(text):
    return list(csv_module.DictReader(io.StringIO(text)))


def test_a_whole_table(rows):
    assert summary.markdown(rows).split("\n\n")[:2] == [
        "### Cortex-A72, 4 cores, aarch64, Debian 12",
        "| variant                 | format | precision |   MACs | params |    size |  median ms | p90 ms "
        "|       top-1 (n) |  published | agreement | Pareto | doubts |\n"
        "| ----------------------- | ------ | --------- | -----: | -----: | ------: | ---------: | -----: "
        "| --------------: | ---------: | --------: | -----: | -----: |\n"
        "| mobilenet_v1-a0.50-r160 | tflite | float32   | 76.5 M | 1.33 M | 1.40 MB | 2.00 ±0.00 |   2.00 "
        "| 60.0 ±4.0 (500) | 59.1 float |     100.0 |      * |        |\n"
        "| mobilenet_v1-a0.50-r160 | tflite | int8      | 76.5 M | 1.33 M | 1.40 MB | 1.25 ±0.00 |   1.25 "
        "| 58.6 ±4.0 (500) |   57.7 QAT |      91.8 |      * |      1 |",
    ]


def test_notes_follow_as_a_list(rows):
    notes = summary.markdown(rows).split("\n\n")[2].split("\n")
    assert all(line.startswith("- ") for line in notes)
    assert notes[-1].startswith("- Doubt 1: ")


def test_what_was_not_measured_is_said_not_left_out(profile, evaluation):
    fast, keras = cells(summary.markdown(join([profile(precision="int8"), evaluation(format="keras")])))[::-1]
    assert fast["top-1 (n)"] == "not measured"
    assert fast["published"] == "57.7 QAT"
    assert keras["median ms"] == "not measured"
    assert keras["p90 ms"] == "-"


def test_columns_that_say_nothing_are_left_out(profile):
    (row,) = cells(summary.markdown(join([profile()])))
    assert not {"target", "runtime", "threads", "agreement", "doubts"} & row.keys()


def test_columns_that_tell_rows_apart_are_there(profile):
    records = [profile(), profile(threads=2), profile(version="2.1.0"), profile(format="onnx", target="x86-avx2")]
    found = cells(summary.markdown(join(records)))
    assert [(row["target"], row["runtime"], row["threads"]) for row in found] == [
        ("x86-avx2", "litert 2.3.0", "1"),
        ("generic", "litert 2.1.0", "1"),
        ("generic", "litert 2.3.0", "1"),
        ("generic", "litert 2.3.0", "2"),
    ]


def test_doubts_are_numbered_in_order(profile):
    a, b, c = (Remark(code) for code in ("powersave", "swapping", "no-vnni"))
    rows = join([profile(doubts=(a, c)), profile(threads=2, doubts=(b, c))])
    assert [row["doubts"] for row in cells(summary.markdown(rows))] == ["1, 2", "2, 3"]


def test_a_runtime_for_each_format_needs_no_column(profile):
    rows = join([profile(), profile(format="onnx", runtime="onnxruntime", version="1.31.1")])
    assert "runtime" not in cells(summary.markdown(rows))[0]


def test_a_foreign_file_shows_what_is_not_known(profile):
    (row,) = cells(summary.markdown(join([profile(variant="somebody", precision="unknown")])))
    assert (row["MACs"], row["params"], row["published"]) == ("-", "-", "-")
    assert "\x1b" not in summary.markdown(join([profile(variant="some\x1bbody")]))


def test_machines_have_tables_of_their_own(profile, evaluation):
    rows = join([profile(), profile(host={"cpu": "other\x1b"}), evaluation(format="keras")])
    titles = [line for line in summary.markdown(rows).split("\n") if line.startswith("#")]
    assert titles == ["### Cortex-A72, 4 cores, aarch64, Debian 12", "### other", "### Not profiled"]


def test_csv_has_plain_values(rows):
    float32, int8 = parsed(summary.csv(rows))
    assert float32["median_ms"] == "2.0"
    assert float32["top1_percent"] == "60.0"
    assert float32["resolution_px"] == "160"
    assert float32["doubts"] == ""
    assert (int8["top1_percent"], int8["agreement_percent"]) == ("58.6", "91.8")
    assert (int8["published_top1_percent"], int8["published_kind"]) == ("57.7", "QAT")
    assert int8["doubts"] == "swapping"
    assert [each["pareto"] for each in (float32, int8)] == ["1", "1"]


def test_csv_leaves_empty_what_is_not_known(profile, evaluation):
    keras, tflite = parsed(summary.csv(join([profile(variant="somebody"), evaluation(format="keras")])))
    assert (keras["median_ms"], keras["threads"], keras["machine"], keras["pareto"]) == ("", "", "", "0")
    assert (tflite["macs"], tflite["top1_percent"], tflite["published_kind"], tflite["images"]) == ("", "", "", "")


def test_csv_survives_commas_and_quotes_and_has_a_line_a_row(profile):
    (row,) = parsed(summary.csv(join([profile(variant='a,"b"\nc')])))
    assert row["variant"] == 'a,"b" c'


def test_json_carries_its_conditions(profile):
    conditions = {"rounds": 2, "started": "2026-01-01T00:00:00+00:00"}
    document = json_module.loads(summary.json(join([profile(2.0, conditions=conditions), profile(host={"cpu": "b"})])))
    assert document["schema_version"] == 2
    first, second = document["tables"]
    assert first["machine"] == "Cortex-A72, 4 cores, aarch64, Debian 12"
    assert first["host"] == {"name": "local", "cpu": "Cortex-A72", "cores": 4, "machine": "aarch64", "os": "Debian 12"}
    assert first["runtimes"] == ["litert 2.3.0"]
    assert any("published" in note for note in first["notes"])
    assert first["rows"][0]["conditions"] == conditions
    assert second["machine"] == "b"


def test_json_has_null_where_nothing_was_measured(evaluation):
    (only,) = json_module.loads(summary.json(join([evaluation(0.6)])))["tables"]
    assert (only["machine"], only["host"], only["runtimes"]) == (None, None, [])
    assert only["rows"][0]["median_ms"] is None
    assert only["rows"][0]["pareto"] is True


def test_json_and_csv_have_the_same_columns(rows):
    (only,) = json_module.loads(summary.json(rows))["tables"]
    assert list(only["rows"][0]) == [*parsed(summary.csv(rows))[0], "conditions"]


def test_forms_agree_on_every_figure(rows):
    for shown, plain in zip(cells(summary.markdown(rows)), parsed(summary.csv(rows)), strict=True):
        half = (float(plain["median_high_ms"]) - float(plain["median_low_ms"])) / 2
        assert shown["median ms"] == f"{float(plain['median_ms']):.2f} ±{half:.2f}"
        assert shown["top-1 (n)"].split()[0] == f"{float(plain['top1_percent']):.1f}"
        assert (shown["Pareto"] == "*") == (plain["pareto"] == "1")
        assert shown["precision"] == plain["precision"]


def test_a_gap_says_why_it_is_one(profile, failure):
    records = [
        profile(precision="int8", invalid=Remark("throttled", reasons=["hot"])),
        failure("no route"),
        failure("no memory", stage="export", format="onnx", precision="float16"),
        failure("no images", stage="evaluate", precision="int8"),
    ]
    shown = {row["precision"]: row for row in cells(summary.markdown(join(records)))}
    assert {key: (row["median ms"], row["p90 ms"], row["top-1 (n)"], row["size"]) for key, row in shown.items()} == {
        "int8": ("invalid", "-", "failed", "1.40 MB"),
        "float32": ("failed", "-", "not measured", "-"),
        "float16": ("failed", "-", "not measured", "-"),
    }
    plain = {row["precision"]: row for row in parsed(summary.csv(join(records)))}
    assert (plain["int8"]["median_ms"], plain["int8"]["not_used"]) == ("", "throttled")
    assert plain["int8"]["failed"] == "evaluate: no images"
    assert plain["float32"]["failed"] == "profile: no route"
    assert (plain["float32"]["alpha"], plain["float32"]["threads"]) == ("0.5", "1")


def test_an_emulated_latency_is_not_shown(profile):
    (row,) = cells(summary.markdown(join([profile(host={"cpu": "A72", "emulated": "qemu-aarch64"})])))
    assert (row["median ms"], row["p90 ms"]) == ("emulated", "-")


def test_a_delegate_is_shown_with_what_it_took(profile):
    own = {"path": "/usr/lib/libedgetpu.so.1", "options": {}, "nodes": 1, "total": 3, "kind": "edgetpu"}
    with_it, without = cells(summary.markdown(join([profile(delegate=own), profile(threads=2)])))
    assert with_it["delegate"] == "libedgetpu.so.1 1/3 ops"
    assert without["delegate"] == "-"
    assert "delegate" not in cells(summary.markdown(join([profile()])))[0]


@pytest.mark.parametrize(
    ("median", "interval", "text"),
    [
        (3.6412, (3.6, 3.7), "3.64 ±0.05"),
        (3.6412, (3.64, 3.644), "3.641 ±0.002"),
        (3.6412, (3.6412, 3.6413), "3.64 ±0.00"),
        (3.6412, None, "3.64"),
        (0.0512, (0.05, 0.052), "0.051 ±0.001"),
        (120.0, (100.0, 150.0), "120.00 ±25.00"),
    ],
)
def test_a_median_has_as_many_digits_as_its_interval_needs(median, interval, text):
    assert median_within(median, interval) == text
