"""Every reader of the package with inputs that it takes, and what is done with what it returns.

A reader may refuse in one line (`MnetError`) and nothing else; what it takes can be shown and written. So each goes as
far as a verb would: past the parser, to the text on the screen and the JSON in a file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from mobilenet_edge import records, units
from mobilenet_edge.budget import baseline, budgets
from mobilenet_edge.commands import init, inspect, table
from mobilenet_edge.data import labels
from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats import archive, costs, keras
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.formats.onnx import read as onnx
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.hosts import answer, devices
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Evaluation, Failure, Inspection, Profile, Record, Remark
from mobilenet_edge.report import inventory
from mobilenet_edge.sweep import config
from mobilenet_edge.sweep.manifest import Manifest
from mobilenet_edge.sweep.stage import Stage
from tests.formats.conftest import ABOUT, keras_file, quantised
from tests.properties import mutation
from tests.properties.mutation import Mutate

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Attributes:
        read: Takes an input whole, to the end; an `MnetError` is a refusal, all else a finding.
        seeds: Makes inputs that are taken.
        mutate: Changes one of them.
    """

    read: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    mutate: Mutate


def refused(reader: Reader, data: bytes) -> bool:
    """Read something; say whether it was refused, in one line as it must be.

    Raises:
        AssertionError: The refusal is no line, or cannot be printed.
        Exception: Whatever else the reader does: a finding.
    """
    try:
        reader.read(data)
    except MnetError as error:
        message = str(error)
        assert message, "a refusal says nothing"
        assert len(message.splitlines()) == 1, f"a refusal of several lines: {message!r}"
        _shown(message)
        return True
    return False


def _shown(text: str) -> None:
    """What is shown can be written, as UTF-8."""
    text.encode()


@contextmanager
def _file(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


# Model files


def _model(kind: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        with _file(data, f"model.{kind}") as path:
            made = inspect.run([path])
            if kind == "tflite":
                made = [*inspect.run([path], "edgetpu"), *inspect.run([path], "ethos-u55-128")]
                costs.of(tflite.contents(data))
        for each in made:
            _shown(inventory.text(each))
        records.loads(records.dumps(made).encode(), "what was written")

    return read


@cache
def _models(kind: str) -> list[bytes]:
    from mobilenet_edge.formats.onnx.write import float_onnx, int8_onnx
    from mobilenet_edge.formats.tflite.write import float_tflite, int8_tflite

    made = quantised()
    if kind == "keras":
        return [keras_file(), keras.embed(keras_file(), ABOUT)]
    plain = {
        "tflite": lambda: [float_tflite(made.graph), int8_tflite(made)],
        "onnx": lambda: [float_onnx(made.graph), int8_onnx(made)],
    }[kind]()
    module = {"tflite": tflite, "onnx": onnx}[kind]
    return [*plain, module.embed(plain[1], ABOUT)]


# What files say of themselves


def _metadata(data: bytes) -> None:
    made = Metadata.from_json(data, "model.tflite")
    assert Metadata.from_json(made.to_json(), "again") == made
    _shown(made.to_json())


def _zip(data: bytes) -> None:
    try:
        found = archive.read(data)
    except ValueError as error:  # which the readers of model files make a refusal of
        _shown(str(error))
    else:
        _shown(found or "")


# Records


def _records(data: bytes) -> None:
    made = records.loads(data, "records.json")
    assert records.loads(records.dumps(made).encode(), "again") == made


def _table(data: bytes) -> None:
    with _file(data, "records.json") as path:
        for form in table.FORMATS:
            _shown(table.run([path], form))


def _baseline(data: bytes) -> None:
    baseline.loads(data, "baseline.json")


def _worker(data: bytes) -> None:
    _shown(json.dumps(answer.parse(answer.Ended(0, data, b""), "model.tflite", device="pi4")))


@cache
def _written() -> list[bytes]:
    identity = {
        "artifact": "a.int8.tflite", "sha256": "ab" * 32, "size_bytes": 1_400_000, "format": "tflite",
        "precision": "int8", "variant": "mobilenet_v1-a0.50-r160", "target": "generic", "macs": 9, "parameters": 7,
        "spec": {"alpha": 0.5, "resolution": 160, "classes": 1000}, "weights": "random",
        "calibration": {"source": "images", "count": 9, "note": "few"},
    }  # fmt: skip
    profile = Profile(
        **identity, runtime="litert", runtime_version="2.3.0", threads=1, load_ms=3.5, first_ms=2,
        times_ns=(5, 6, 7) * 3, round_sizes=(4, 5), preprocess_ms=0.5, peak_rss_bytes=10**7,
        host={"name": "local", "cpu": "A72", "cores": 4, "isa": ["asimddp"], "before": {"load": 0.1}},
        delegate={"path": "a.so", "options": {}, "nodes": 1, "total": 2, "kind": "other"},
        conditions={"started": "2025-01-01T00:00:00Z", "rounds": 2, "affinity": None},
        limit={"float32_gmacs": 4.5, "int8_gmacs": None}, trace=({"minute": 1, "runs": 9, "median_ms": 0.1},),
        ops=({"index": 0, "name": "x", "kind": "CONV_2D", "ms": 0.1, "macs": 5},),
        notes=(Remark("no-limit", reason="x"),),
        doubts=(Remark("few-runs", runs=3, least=20),),
    )  # fmt: skip
    evaluation = Evaluation(**identity, top1=0.6, top5=0.8, n=500, interval=(0.5, 0.7), agreement=0.9, data="images")
    inspection = Inspection(
        **identity, metadata={"classes": 2}, ops={"CONV_2D": 15}, bytes={"weights": 9}, inputs=({"name": "x"},)
    )
    failure = Failure(variant="mobilenet_v1-a1.00-r224", stage="build", reason="no", exit_code=5)
    groups: list[list[Record]] = [[profile, evaluation, inspection, failure], [profile, evaluation]]
    return [records.dumps(each).encode() for each in groups]


STAGE: Final = Stage("export a", {"model": "0" * 64, "count": 50, "formats": ("tflite",)})


@contextmanager
def _manifest() -> Iterator[tuple[Manifest, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        made = Manifest(Path(folder))
        (made.out / "a.tflite").write_bytes(b"whole")
        made.record(STAGE, [made.out / "a.tflite"])
        yield made, made.path(STAGE, "stage.json")


def _noted() -> list[bytes]:
    with _manifest() as (_, path):
        return [path.read_bytes()]


def _entry(data: bytes) -> None:
    """What cannot be read is as good as never done: there is no refusal."""
    with _manifest() as (made, path):
        path.write_bytes(data)
        why = made.stale_reason(STAGE)
        _shown(f"{why} {made.sha256(STAGE)} {made.outputs(STAGE)}")
        if why is None:
            assert made.outputs(STAGE)
            assert all(path.is_file() for path in made.outputs(STAGE))
            assert len(made.sha256(STAGE)) == len(made.outputs(STAGE))


# Configuration and what is typed


def _toml(load: Callable[[Path], object]) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        with _file(data, "file.toml") as path:
            load(path)

    return read


def _sweep(path: Path) -> None:
    found = config.load_sweep(path)
    for spec in found.grid.specs():
        _shown(spec.name)


def _configs(*names: str) -> list[bytes]:
    return [(ROOT / "configs" / name).read_bytes() for name in names]


def _labels(data: bytes) -> None:
    with _file(data, "labels.txt") as path:
        for line in labels.read(path).lines:
            _shown(line)


PARSERS: Final = (
    units.parse_count, units.parse_bytes, units.parse_ms, units.parse_seconds, units.parse_rate, units.parse_share,
)  # fmt: skip


def _units(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")  # as what is typed reaches a program
    refusals = []
    for parse in PARSERS:
        try:
            value = parse(text)
        except MnetError as error:
            refusals.append(error)
        else:
            assert 0 <= value < 1e31, f"{text!r} is {value}"  # fifteen digits, and the largest unit
            _shown(units.format_count(round(value)) + units.format_bytes(round(value)) + units.format_ms(value))
    if len(refusals) == len(PARSERS):
        raise refusals[0]


def _names(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    found = ModelSpec.from_name(text)
    assert found is None or ModelSpec.from_name(found.name) == found


READERS: Final = {
    "tflite": Reader(_model("tflite"), lambda: _models("tflite"), mutation.tflite),
    "onnx": Reader(_model("onnx"), lambda: _models("onnx"), mutation.onnx),
    "keras": Reader(_model("keras"), lambda: _models("keras"), mutation.keras),
    "zip": Reader(_zip, lambda: _models("keras")[1:], mutation.directory),
    "metadata": Reader(
        _metadata, lambda: [each.to_json().encode() for each in (ABOUT, replace(ABOUT, labels=()))], mutation.document
    ),
    "records": Reader(_records, _written, mutation.document),
    "table": Reader(_table, _written, mutation.document),
    "baseline": Reader(_baseline, _written, mutation.document),
    "nesting": Reader(_records, _written, mutation.nested),
    "manifest": Reader(_entry, _noted, mutation.document),
    "worker": Reader(_worker, lambda: [b'{"host": {"cpu": "A72"}, "times_ns": [5, 6], "a": []}'], mutation.document),
    "sweep": Reader(_toml(_sweep), lambda: _configs("demo.toml", "ci.toml", "paper-grid.toml"), mutation.toml),
    "devices": Reader(_toml(devices.load), lambda: [init.template("devices.toml").encode()], mutation.toml),
    "budgets": Reader(_toml(budgets.load), lambda: _configs("budgets.toml"), mutation.toml),
    "labels": Reader(_labels, lambda: [b"n01440764 tench\nn01443537 gold fish\n"], mutation.text),
    "units": Reader(_units, lambda: [b"1.5MB", b"20 ms", b"10min", b"5/s", b"2.5%", b"1500000"], mutation.text),
    "name": Reader(_names, lambda: [b"mobilenet_v1-a0.50-r160", b"mobilenet_v1-a0.25-r32-c3"], mutation.text),
}
