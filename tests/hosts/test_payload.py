"""The worker as one file: the same bytes for the same source, and it runs alone."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
import zipimport
from collections.abc import Iterator
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.hosts import payload

PACKAGE = Path(mobilenet_edge.__file__).parent


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of our own in place of the real one."""
    package = tmp_path / "mobilenet_edge"
    (package / "device").mkdir(parents=True)
    (package / "formats").mkdir()
    for each in ("__init__.py", "formats/__init__.py"):
        (package / each).write_text("")
    (package / "device/worker.py").write_text("def main():\n    return 0\n")
    monkeypatch.setattr(payload, "PACKAGE", package)
    for each in (payload.pack, payload._file):
        each.cache_clear()
    yield package
    for each in (payload.pack, payload._file):
        each.cache_clear()


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(payload.pack())) as held:
        return {name: held.read(name) for name in held.namelist()}


def test_the_bytes_depend_on_the_source_alone(source: Path):
    first = payload.pack()
    os.utime(source / "device/worker.py", (0, 0))
    payload.pack.cache_clear()
    assert payload.pack() == first
    assert payload.digest() == hashlib.sha256(first).hexdigest()
    (source / "device/worker.py").write_text("def main():\n    return 1\n")
    payload.pack.cache_clear()
    assert payload.pack() != first


def test_it_holds_device_and_codecs_and_nothing_of_the_workstation():
    found = members()
    assert list(found) == sorted(found)
    parts = ("mobilenet_edge/device/", "mobilenet_edge/formats/wire/")
    theirs = {name for name in found if not name.startswith(parts)}
    assert theirs == {"__main__.py", "mobilenet_edge/__init__.py", "mobilenet_edge/formats/__init__.py"}
    assert found["mobilenet_edge/device/worker.py"] == (PACKAGE / "device/worker.py").read_bytes()
    there = {path.relative_to(PACKAGE.parent).as_posix() for path in (PACKAGE / "device").rglob("*.py")}
    assert there < set(found)


def test_nothing_in_it_tells_when_or_where_it_was_made():
    with zipfile.ZipFile(io.BytesIO(payload.pack())) as held:
        assert {(each.date_time, each.compress_type) for each in held.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
        }


def test_the_file_is_written_once_and_again_when_it_is_gone(source: Path):
    first = payload.path()
    assert payload.path() == first
    with zipfile.ZipFile(first) as written:
        assert {name: written.read(name) for name in members()} == members()
    first.unlink()
    assert zipfile.is_zipfile(payload.path())


def test_this_machine_gets_byte_code_beside_the_source(source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "worker.pyz").write_bytes(payload.pack_compiled())
    importer = zipimport.zipimporter(str(tmp_path / "worker.pyz"))
    # Compiled from its own source, the file's name would be that in the archive.
    code = importer.get_code("mobilenet_edge/device/worker")
    assert code.co_filename == str(source / "device/worker.py")
    assert importer.get_source("mobilenet_edge/device/worker") == (source / "device/worker.py").read_text()
    # A cache of another source, which cannot be replaced, is not used.
    cache = Path(importlib.util.cache_from_source(str(source / "device/worker.py")))
    other = cache.read_bytes()
    (source / "device/worker.py").write_text("def main():\n    return 12345\n")
    payload.pack_compiled()
    assert cache.read_bytes() != other
    cache.unlink()
    cache.mkdir()
    with zipfile.ZipFile(io.BytesIO(payload.pack_compiled())) as packed:
        assert {name for name in packed.namelist() if name.endswith(".pyc")} == {
            "mobilenet_edge/__init__.pyc", "mobilenet_edge/formats/__init__.pyc",
        }  # fmt: skip
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert payload.pack_compiled() == payload.pack()


@pytest.mark.slow
def test_the_file_is_gone_with_the_process():
    code = "from mobilenet_edge.hosts import payload; print(payload.path(), payload.path().is_file())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said[1] == "True"
    assert not Path(said[0]).parent.exists()


@pytest.mark.slow
def test_it_runs_without_the_package(tmp_path: Path):
    file = tmp_path / "worker.pyz"
    file.write_bytes(payload.pack())
    request = json.dumps({"mode": "time", "artifact": str(tmp_path / "none.tflite")}) + "\n"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-v", file], input=request, capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert json.loads(done.stdout)["error"]["message"].startswith("none.tflite cannot be read")
    # -v says where each module came from; the package is installed beside, and nothing of it was taken.
    assert f"import 'mobilenet_edge.device.worker' # <zipimporter object \"{file}/" in done.stderr
    assert str(PACKAGE / "device") not in done.stderr
