"""All that is known of a row is told, in one line each."""

from mobilenet_edge.records import Failure, Remark
from mobilenet_edge.report.html.provenance import command, conditions
from mobilenet_edge.report.rows import join
from tests.report.html.grid import HOSTILE, PI, SPECS, evaluation, hostile, identity, prediction, profile

OWN = identity(SPECS[1])


def told(*records):
    (row,) = join(records)
    return dict(conditions(row))


def test_latency_accuracy_machine_and_how():
    host = {**PI, "memory_bytes": 4_000_000_000, "before": {"load": 0.1}, "after": {"load": 1.0, "temperature_c": 61.5}}
    own = told(profile(OWN, 2.0, host=host, threads=4), evaluation(OWN, 0.586, agreement=0.95, reference="x.keras"))
    # 0.98 to 1.09 of 2 ms in steps of a hundredth: the median is between 1.03 and 1.04.
    assert own["median"].startswith("2.07 ±")
    assert own["percentiles"] == "p90 2.16 ms"
    assert own["runs"] == "12 in 3 processes"
    assert own["threads"] == "4"
    assert own["top-1"] == "58.6% (54.6% to 62.6%)"
    assert own["agreement"] == "95.0% with x.keras"
    assert own["published top-1"] == "57.7 % (QAT)"
    assert own["memory"] == "4.00 GB"
    assert own["load"] == "0.1 before, 1 after"
    assert own["CPU temperature, °C"] == "unknown before, 61.5 after"
    assert own["measured"] == "2026-11-22T10:00:00+00:00"
    assert own["warmup"] == "runs 5"


def test_a_latency_that_must_not_be_used_has_no_figure():
    own = told(profile(OWN, 2.0, invalid=Remark("throttled", reasons=["hot"])))
    assert "median" not in own
    assert own["runtime"] == "litert 2.3.0"


def test_a_prediction_says_so():
    assert told(prediction(OWN, 2.0))["predicted median"] == "2.00 ms, not measured (95 %: 1.80 to 2.20 ms)"


def test_a_failure_has_its_reason():
    gone = Failure(variant="x", format="onnx", precision="int8", stage="export", reason="no room", exit_code=5)
    assert told(gone) == {"could not export": "no room"}


def test_every_line_is_printable():
    pairs = [pair for row in join(hostile()) for pair in conditions(row)]
    assert all(text.isprintable() and title.isprintable() for title, text in pairs)
    assert any(HOSTILE.replace("\x1b", " ")[:20] in text for _, text in pairs)


def test_a_delegate_and_a_provider_are_measured_again_by_their_own_option():
    def line(kind, path, **options):
        own = {"path": path, "options": options, "nodes": 1, "total": 1, "kind": kind}
        return command(join([profile(OWN, 2.0, delegate=own)])[0])

    assert line("provider", "XnnpackExecutionProvider").endswith(" --provider XnnpackExecutionProvider")
    assert line("edgetpu", "/usr/lib/libedgetpu.so.1", device="usb").endswith(
        " --delegate /usr/lib/libedgetpu.so.1 --delegate-option device=usb"
    )
