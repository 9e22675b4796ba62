"""What the fuzzers have found, each as small as it got: once a traceback, now a line of refusal or an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge import records
from mobilenet_edge.commands import table
from mobilenet_edge.conversion.coral import preflight
from mobilenet_edge.errors import HostError, InputError
from mobilenet_edge.formats.contents import Contents, Operator
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.hosts import answer
from mobilenet_edge.sweep import config
from mobilenet_edge.sweep.manifest import Manifest
from mobilenet_edge.sweep.stage import Stage
from tests.formats.conftest import ABOUT
from tests.properties.readers import READERS

HUGE = 10**400  # an int to Python and to JSON, and no double holds it


def profile(**changes: Any) -> str:
    """Records whose first, a profile, was changed."""
    first, *rest = json.loads(READERS["records"].seeds()[0])
    return json.dumps([{**first, **changes}, *rest])


def test_an_operator_without_tensors_is_judged() -> None:
    # ValueError: max() of nothing.
    (verdict,) = preflight.check(Contents({}, (Operator("RESHAPE", (), ()),), (), (), {})).verdicts
    assert verdict.kind == "RESHAPE"


@pytest.mark.parametrize("number", [HUGE, -HUGE, float("inf")])
def test_metadata_with_a_number_that_is_none(number: float) -> None:
    # OverflowError: int too large to convert to float.
    text = json.dumps({**json.loads(ABOUT.to_json()), "spec": {"alpha": number, "resolution": 32, "classes": 3}})
    with pytest.raises(InputError, match="metadata cannot be read"):
        Metadata.from_json(text.replace("Infinity", "1e400"), "a.tflite")


@pytest.mark.parametrize(
    "changes", [{"times_ns": [HUGE]}, {"load_ms": HUGE}, {"host": {"cores": HUGE}}, {"macs": HUGE}]
)
def test_records_with_a_number_that_is_none(changes: dict[str, Any]) -> None:
    # They were read, and OverflowError came when they were shown.
    with pytest.raises(InputError, match="is out of range"):
        records.loads(profile(**changes).encode(), "a.json")


@pytest.mark.parametrize("affinity", [True, 1, "0", {"cpu": 0}, [0.5], ["0"]])
def test_records_pinned_to_what_is_no_cpu(affinity: Any) -> None:
    # TypeError: 'bool' object is not iterable, from the table.
    with pytest.raises(InputError, match="affinity of conditions cannot be"):
        records.loads(profile(conditions={"affinity": affinity}).encode(), "a.json")


def test_records_calibrated_with_what_is_no_text() -> None:
    # TypeError: expected str, from the table as CSV.
    with pytest.raises(InputError, match="the source of calibration is not text"):
        records.loads(profile(calibration={"source": [None], "count": 9}).encode(), "a.json")


def test_a_table_of_half_a_character(tmp_path: Path) -> None:
    # UnicodeEncodeError when the table was written.
    (tmp_path / "a.json").write_text(profile(variant="\ud800"))
    with pytest.raises(InputError, match="lone surrogate"):
        table.run([tmp_path / "a.json"])


@pytest.mark.parametrize("name", ["\\n", "\\u001b[31m", "\\u2028"])
def test_a_message_that_quotes_a_line_break_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'grid = {{alpha = 1, rho = 32, format = "{name}"}}\n')
    with pytest.raises(InputError, match=r"unknown values in grid\.format:  ") as caught:
        config.load_sweep(tmp_path / "a.toml")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        None,
        {"a": 1},
        [{}],
        [{"path": 5, "bytes": 5, "mtime_ns": 0, "sha256": ""}],
        [None],
        "path",
        [{"path": "\ud800", "bytes": 5, "mtime_ns": 0, "sha256": ""}],
    ],
)
def test_a_stage_whose_note_is_damaged_is_to_be_done(outputs: Any, tmp_path: Path) -> None:
    # TypeError from a path that is a number; and where no file was noted, the stage was taken for done.
    made, stage = Manifest(tmp_path), Stage("export a", {"count": 50})
    (tmp_path / "a.tflite").write_bytes(b"whole")
    made.record(stage, [tmp_path / "a.tflite"])
    path = made.path(stage, "stage.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "outputs": outputs}))
    assert made.stale_reason(stage) == "never run"
    assert made.outputs(stage) == made.sha256(stage) == []


def test_a_noted_file_whose_name_is_none_is_missing(tmp_path: Path) -> None:
    # ValueError: embedded null byte.
    made, stage = Manifest(tmp_path), Stage("export a", {"count": 50})
    (tmp_path / "a.tflite").write_bytes(b"whole")
    made.record(stage, [tmp_path / "a.tflite"])
    path = made.path(stage, "stage.json")
    path.write_text(path.read_text().replace("a.tflite", "a\\u0000"))
    assert str(made.stale_reason(stage)).endswith("is missing")


@pytest.mark.parametrize("document", [b"[" * 100_000, b'{"a": ' * 100_000, b'{"times_ns": [1' + b"0" * 400 + b"]}"])
def test_a_device_that_answers_with_what_no_parser_takes(document: bytes) -> None:
    # RecursionError, and an OverflowError later.
    with pytest.raises(HostError, match=r"answer on a\.tflite on pi4 cannot be read"):
        answer.parse(answer.Ended(0, document, b""), "a.tflite", device="pi4")
