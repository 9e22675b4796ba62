"""A sweep that is stopped at any moment, and whose files are then damaged, ends as if nothing had been."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenet_edge import files
from mobilenet_edge.commands import sweep
from mobilenet_edge.errors import Interrupted
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.formats.onnx.write import float_onnx
from mobilenet_edge.formats.tflite.write import float_tflite
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Profile
from mobilenet_edge.sweep import stage
from tests.formats.conftest import ABOUT, keras_file, quantised

CONFIG = """
[grid]
alpha = [0.25, 0.5]
rho = [32]
classes = 3
precision = ["float32"]
[profile]
runs = 1
seconds = 0
rounds = 1
"""
# Two builds, two exports of two files, four profiles.
STAGES = 2 + 2 + 4
VERSIONS = cache(stage.versions)
GRAPH = quantised().graph
PLAIN = {"keras": keras_file(), "tflite": float_tflite(GRAPH), "onnx": float_onnx(GRAPH)}


@dataclass
class Machine:
    """What builds, exports and measures, and can be stopped at any of its steps.

    Attributes:
        stop: At which step from now, None for never.
        asked: What it was asked to do since the beginning.
    """

    stop: int | None = None
    asked: list[str] = field(default_factory=list)
    size: int = 1
    remote: bool = False

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self) -> None:
        if self.stop is not None:
            self.stop -= 1
            if self.stop < 0:
                raise KeyboardInterrupt

    def run(self, requests: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, request in enumerate(requests):
            self.step()
            yield index, {"files": list(self._make(request))}

    def _make(self, request: Mapping[str, Any]) -> Iterator[str]:
        building = request["verb"] == "build"
        stem = ModelSpec(**request["spec"]).name if building else Path(request["model"]).name.removesuffix(".keras")
        self.asked.append(f"{request['verb']} {stem}")
        about = replace(ABOUT, variant=stem, precision="float32")
        for kind in ("keras",) if building else request["formats"]:
            name = f"{stem}.keras" if building else artifact.file_name(stem, "float32", kind)
            self._write(Path(request["out"]) / name, PLAIN[kind], about)
            yield name

    def _write(self, path: Path, data: bytes, about: Metadata) -> None:
        # Both before a file is there and when it is, but nothing is noted.
        self.step()
        artifact.write(path, data, about)
        self.step()

    def measure(self, paths: Sequence[Path], *_: object, **__: object) -> list[Profile]:
        self.step()
        self.asked += [f"profile {path.name}" for path in paths]
        made = [_profile(path) for path in paths]
        self.step()
        return made


def _profile(path: Path) -> Profile:
    found = artifact.read(path)
    return Profile(
        **found.identity(), runtime="litert", runtime_version="1", threads=1, load_ms=1, first_ms=1,
        times_ns=tuple(1000 + int(digit, 16) for digit in found.sha256[:4]), round_sizes=(4,), host={"name": "local"},
    )  # fmt: skip


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sweep.toml").write_text(CONFIG)
        yield folder


def run(machine: Machine, folder: Path, stop: int | None = None) -> str | None:
    """Sweep until the end, and return the table, or until the machine stops."""
    machine.stop = stop
    makers, measure = (
        patch.object(sweep.make, "open_pool", lambda *_: machine),
        patch.object(sweep.measurement.latency, "profile"),
    )
    # Looked up hundreds of times, which takes most of the time and gives the same.
    with makers, patch.object(stage, "versions", VERSIONS), measure as stand_in:
        stand_in.side_effect = machine.measure
        try:
            return sweep.run(folder / "sweep.toml", sweep.SweepOptions(), out=folder / "out")[0]
        except Interrupted:
            return None


def held(folder: Path) -> dict[str, bytes]:
    """Every file but the manifest, whose times differ, and the paths in the records."""
    out = folder / "out"
    found = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    return {name: data.replace(str(folder).encode(), b"") for name, data in found.items()}


def damage(path: Path, how: str) -> None:
    if how == "remove":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "flip":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    else:
        files.write_bytes(path, path.read_bytes())


@cache
def calm() -> tuple[str, dict[str, bytes], list[str]]:
    with _folder() as folder:
        machine = Machine()
        text = run(machine, folder)
        assert text is not None
        assert len(machine.asked) == STAGES
        return text, held(folder), machine.asked


STOPS = st.lists(st.integers(0, 20), max_size=5)


@pytest.mark.slow
@settings(max_examples=15)
@given(stops=STOPS)
def test_stopped_anywhere_it_goes_on_and_ends_alike(stops: list[int]) -> None:
    text, wanted, asked = calm()
    with _folder() as folder:
        machine = Machine()
        for stop in stops:
            run(machine, folder, stop)
        assert run(machine, folder) == text
        assert held(folder) == wanted
        # What was done is not done again: at most what was under way, which of measuring is all at once.
        assert set(machine.asked) == set(asked)
        made = [each for each in machine.asked if not each.startswith("profile")]
        assert len(made) <= 4 + len(stops)
        machine.asked.clear()
        assert run(machine, folder, stop=0) == text
        assert machine.asked == []


@pytest.mark.slow
@settings(max_examples=15)
@given(
    stops=STOPS,
    harm=st.lists(st.tuples(st.integers(0, 99), st.sampled_from(("remove", "cut", "flip", "touch"))), min_size=1),
)
def test_what_is_damaged_is_made_anew_and_nothing_else_is_lost(stops: list[int], harm: list[tuple[int, str]]) -> None:
    text, wanted, _ = calm()
    with _folder() as folder:
        machine = Machine()
        for stop in stops:
            run(machine, folder, stop)
        run(machine, folder)
        for place, how in harm:
            there = sorted(path for path in (folder / "out").rglob("*") if path.is_file() and path.stat().st_size)
            damage(there[place % len(there)], how)
        assert run(machine, folder) == text
        assert held(folder) == wanted
        machine.asked.clear()
        assert run(machine, folder, stop=0) == text
        assert machine.asked == []


def test_a_copied_file_is_believed() -> None:
    with _folder() as folder:
        machine = Machine()
        run(machine, folder)
        machine.asked.clear()
        for path in (folder / "out").glob("*.tflite"):
            damage(path, "touch")
        assert run(machine, folder, stop=0) is not None
        assert machine.asked == []
