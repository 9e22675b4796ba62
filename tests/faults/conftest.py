"""A disk to fill, a command line to run on it, and models that are as small as they come."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import pytest

from mobilenet_edge import cli
from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.sweep.stages import execute, make, measurement
from mobilenet_edge.workers.call import call
from tests.faults.disk import Disk, mount
from tests.faults.sweeps import GRID


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Its one line on stderr, which is no traceback."""
        (line,) = self.err.splitlines()
        assert line.startswith("mnet: ")
        return line


Mnet = Callable[..., Said]


@pytest.fixture
def mnet(capsys: pytest.CaptureFixture[str]) -> Mnet:
    """Run `mnet` in this process."""

    def mnet(*words: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Said(stop.value.code, said.out, said.err)

    return mnet


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "disk").mkdir()
    with mount(tmp_path / "disk") as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def one_model() -> Iterator[None]:
    """Build a variant once: Keras takes seconds, and is not what breaks here. It is saved and written each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(creation, "build", cache(creation.build))
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Keras model, `a.keras`, and its float32 files."""
    out = tmp_path_factory.mktemp("made")
    creation.create(ModelSpec(0.25, 32, 10), out=out / "a.keras")
    for each in export.run(out / "a.keras", precisions=("float32",), out=out):
        each.path.rename(out / f"a{each.path.suffix}")
    return out


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """Profiles of them."""
    path = tmp_path_factory.mktemp("records") / "profiles.json"
    words = "--runs 4 --seconds 0 --rounds 2 --no-limit --json"
    with pytest.raises(SystemExit) as stop:
        cli.main(["profile", str(made / "a.onnx"), str(made / "a.tflite"), *words.split(), str(path)])
    assert stop.value.code == 0
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A sweep of one variant and one artifact."""
    path = tmp_path / "sweep.toml"
    path.write_text(GRID)
    return path


class Here:
    """A pool that does the work in this process, where TensorFlow is loaded already."""

    remote = False
    size = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, requests: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, request in enumerate(requests):
            yield index, call(execute.FUNCTION, dict(request))


@pytest.fixture
def quick_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build and export in this process, and leave out the machine's limit: seconds that no fault here is about."""
    monkeypatch.setattr(make, "open_pool", lambda *_: Here())
    monkeypatch.setattr(measurement, "Plan", lambda **how: Plan(**how, limit=False))


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Choose the folder for temporary files, of this process and of those it starts."""

    def choose(folder: Path) -> None:
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", str(folder))

    return choose


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], bytes]:
    """Make a model that runs in no time, x + value on an image, as the bytes of an .onnx file."""
    from onnx import TensorProto, helper

    def make(value: float = 1) -> bytes:
        shape = [1, 8, 8, 3]
        graph = helper.make_graph(
            [helper.make_node("Add", ["x", "value"], ["y"])],
            "tiny",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
            [helper.make_tensor("value", TensorProto.FLOAT, [], [value])],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        return bytes(made.SerializeToString())

    return make


@pytest.fixture
def model(tmp_path: Path, tiny: Callable[[float], bytes]) -> Path:
    """Such a model as a file."""
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny(1))
    return path
