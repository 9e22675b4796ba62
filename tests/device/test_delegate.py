"""Delegates compiled for the purpose, whose behaviour is known, in both runtimes of .tflite files."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import mobilenet_edge
from mobilenet_edge.device import delegate
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.local import Local

Compile = Callable[..., Path]
RELU, LOGISTIC, TANH, ADD = 19, 14, 28, 0  # BuiltinOperator of the schema
ARM64, ARM, X86_64 = 183, 40, 62  # e_machine


@pytest.fixture(params=["litert", pytest.param("tflite-runtime", marks=pytest.mark.legacy)])
def python(request: pytest.FixtureRequest) -> str:
    """A Python with each of the two runtimes."""
    return sys.executable if request.param == "litert" else str(request.getfixturevalue("legacy_python"))


@pytest.fixture
def branched(tmp_path: Path) -> Path:
    """y = logistic(r) + tanh(r) with r = relu(x): four operators, of which two stand side by side."""
    from mobilenet_edge.formats.tflite.builder import ModelBuilder

    file = ModelBuilder()
    x, r, left, right, y = (file.tensor(name, (1, 8), "float32") for name in "xrlmy")
    file.operator("RELU", [x], r)
    file.operator("LOGISTIC", [r], left)
    file.operator("TANH", [r], right)
    file.operator("ADD", [left, right], y, options="AddOptions")
    path = tmp_path / "branched.tflite"
    path.write_bytes(file.finish([x], [y], "by hand"))
    return path


@pytest.fixture
def compiled(data: Path) -> Path:
    """A real file of edgetpu_compiler: one custom operator."""
    return data / "reference/mobilenet_v1_0.25_128_quant_edgetpu.tflite"


def ask(python: str, model: Path, library: Path | str | None, **options: str) -> dict[str, Any]:
    """Time a model in a worker; it must say nothing of a half-made object."""
    chosen = None if library is None else {"path": str(library), "options": options}
    request = {"mode": "time", "artifact": str(model), "delegate": chosen, "steady": {"runs": 30}}
    done = subprocess.run(
        [python, "-m", "mobilenet_edge.device"],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(mobilenet_edge.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def error(document: Mapping[str, Any]) -> tuple[str, str]:
    assert "\n" not in document["error"]["message"]
    return document["error"]["kind"], document["error"]["message"]


def elf(machine: int, bits: int = 64) -> bytes:
    """The first 64 bytes of a shared library: class, little-endian, version, type 3, machine."""
    return struct.pack("<4sBBB9xHH44x", b"\x7fELF", bits // 32, 1, 1, 3, machine)


def refuse(path: object, options: object = None) -> str:
    with pytest.raises(RequestError) as caught:
        delegate.probe({"path": path, "options": options})
    return str(caught.value)


def test_a_library_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delegate, "find", list)
    assert refuse(str(tmp_path / "lib.so")) == (
        f"there is no delegate {tmp_path / 'lib.so'} on this machine; give the full path of an installed one"
    )
    monkeypatch.setattr(delegate, "find", lambda: ["/usr/lib/libedgetpu.so.1"])
    assert refuse(str(tmp_path / "lib.so")).endswith("an installed one: /usr/lib/libedgetpu.so.1")


def test_a_bare_name_is_not_searched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # ctypes would find this one where the system keeps its libraries.
    monkeypatch.chdir(tmp_path)
    assert refuse("libc.so.6").startswith(f"there is no delegate {tmp_path / 'libc.so.6'} on this machine")


def test_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "lib.so").write_bytes(b"text")
    assert refuse("~/lib.so").startswith("the delegate lib.so is not a shared library")
    assert refuse("~nobody-of-that-name/lib.so").startswith("there is no delegate")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "it is text"),
        (b"PK\3\4\xff", "not an ELF"),
        (b"", "not an ELF"),
    ],
)
def test_what_is_no_library(tmp_path: Path, content: bytes, what: str):
    path = tmp_path / "lib.so"
    path.write_bytes(content)
    assert what in refuse(str(path))


def test_a_folder(tmp_path: Path):
    assert refuse(str(tmp_path)).endswith("cannot be read: Is a directory; check its path and permissions")


@pytest.mark.parametrize(
    ("header", "name"),
    [(elf(ARM64), "aarch64"), (elf(ARM, 32), "32-bit ARM"), (elf(X86_64), "x86_64"), (elf(999), "64-bit machine 999")],
)
def test_another_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: bytes, name: str):
    here = tmp_path / "python"
    here.write_bytes(elf(3, 32))
    monkeypatch.setattr(sys, "executable", str(here))
    path = tmp_path / "lib.so"
    path.write_bytes(header)
    assert refuse(str(path)) == (
        f"the delegate lib.so is built for {name}, and this machine is i686; install the build for this architecture"
    )


def test_a_library_that_is_cut_off(tmp_path: Path):
    path = tmp_path / "lib.so"
    with Path(sys.executable).open("rb") as file:
        path.write_bytes(file.read(64))
    message = refuse(str(path))
    assert message.startswith("the delegate lib.so cannot be loaded: ")
    assert message.endswith("; install the libraries it needs, or another build")


@pytest.mark.parametrize(("path", "options"), [(None, {}), (7, {}), ("lib.so", {"device": 1}), ("lib.so", {1: "usb"})])
def test_a_request_of_the_wrong_types(path: object, options: object):
    assert refuse(path, options).startswith("a delegate needs the path of a library")


@pytest.mark.slow
def test_a_library_that_is_no_delegate(compile_library: Compile):
    library = compile_library("no_delegate")
    assert refuse(str(library)) == (
        f"{library.name} is not a TFLite delegate (it has no function tflite_plugin_create_delegate); "
        "give the library of the delegate, such as libedgetpu.so.1"
    )


@pytest.mark.slow
def test_a_delegate_for_another_machine(compile_library: Compile):
    library = compile_library("stand_in", triplet="aarch64-linux-gnu")
    if os.uname().machine == "aarch64":
        pytest.skip("here it is at home")
    assert f"the delegate {library.name} is built for aarch64, and this machine is " in refuse(str(library))


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "edgetpu"), [((), False), (("-DEDGETPU",), True)])
def test_the_edge_tpus_own_is_known_by_its_interface(
    compile_library: Compile, arguments: tuple[str, ...], edgetpu: bool
):
    library = compile_library("stand_in", *arguments)
    probed = delegate.probe({"path": str(library), "options": {"device": "usb"}})
    assert (probed.path, probed.options, probed.edgetpu) == (library, {"device": "usb"}, edgetpu)


def test_installed_libraries_are_found_once(tmp_path: Path):
    folder = tmp_path / "usr/lib/aarch64-linux-gnu"
    folder.mkdir(parents=True)
    (folder / "libedgetpu.so.1.0").touch()
    (folder / "libedgetpu.so.1").symlink_to("libedgetpu.so.1.0")
    (folder / "libedgetpu.so.2").symlink_to("nowhere")
    assert delegate.find(tmp_path) == [str(folder / "libedgetpu.so.1")]


@pytest.mark.parametrize(
    ("machine", "folder"), [(ARM64, "aarch64-linux-gnu"), (ARM, "arm-linux-gnueabihf"), (X86_64, "x86_64-linux-gnu")]
)
def test_the_path_to_give_is_that_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: int, folder: str
):
    here = tmp_path / "python"
    here.write_bytes(elf(machine))
    monkeypatch.setattr(sys, "executable", str(here))
    monkeypatch.setattr(delegate, "find", list)
    assert delegate.suggest_path() == f"/usr/lib/{folder}/libedgetpu.so.1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("take", "nodes"),
    [
        ("none", 0),
        ((ADD,), 1),
        ((LOGISTIC, TANH), 2),  # one part with two outputs
        ((RELU, ADD), 2),  # two parts
        ((RELU, LOGISTIC), 2),  # one part, whose inner tensor is used outside as well
        ((RELU, LOGISTIC, TANH, ADD), 4),
    ],
)
def test_operators_that_a_delegate_took_are_counted(
    compile_library: Compile, python: str, branched: Path, take: Any, nodes: int
):
    library = compile_library("stand_in")
    names = take if isinstance(take, str) else ",".join(map(str, take))
    assert ask(python, branched, library, take=names)["delegate"] == {
        "path": str(library), "options": {"take": names}, "nodes": nodes, "total": 4, "kind": "other",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.data
def test_operators_of_a_mobilenet_are_counted(compile_library: Compile, python: str, reference: Path):
    # 13 depthwise convolutions (4), each a part of its own; with the 15 others (3) they are one part of 28. Pooling,
    # reshape and softmax are left.
    library = compile_library("stand_in", "-DEDGETPU")
    counts = [ask(python, reference, library, take=take)["delegate"] for take in ("4", "3,4")]
    assert [(each["nodes"], each["total"], each["kind"]) for each in counts] == [
        (13, 31, "edgetpu"),
        (28, 31, "edgetpu"),
    ]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("latency_us", [500, 5000])
def test_a_known_latency_is_measured(compile_library: Compile, python: str, compiled: Path, latency_us: int):
    library = compile_library("stand_in", "-DEDGETPU")
    document = ask(python, compiled, library, latency_us=str(latency_us))
    assert {**document["delegate"], "path": "", "options": {}} == {
        "path": "", "options": {}, "nodes": 1, "total": 1, "kind": "edgetpu",
    }  # fmt: skip
    # A sleep is never shorter than asked for; how much longer it is depends on what else the machine does.
    assert latency_us / 1e3 <= min(document["times_ns"]) / 1e6


@pytest.mark.slow
@pytest.mark.data
def test_a_compiled_file_without_its_delegate(python: str, compiled: Path):
    assert error(ask(python, compiled, None)) == (
        "invalid-model",
        f"{compiled.name} is compiled for the Edge TPU: give --delegate {delegate.suggest_path()}, "
        "or use the .tflite it was compiled from",
    )


@pytest.mark.slow
@pytest.mark.data
def test_a_compiled_file_with_a_strangers_delegate(compile_library: Compile, python: str, compiled: Path):
    library = compile_library("stand_in")
    kind, message = error(ask(python, compiled, library, take="none"))
    assert kind == "invalid-model"
    assert f"for the Edge TPU, and the delegate {library.name} does not run its operator: give --del" in message


@pytest.mark.slow
def test_a_delegate_without_its_device(compile_library: Compile, python: str, branched: Path):
    library = compile_library("stand_in")
    assert error(ask(python, branched, library, device="absent")) == (
        "delegate",
        f"the delegate {library.name} did not start: no device was found; check that its device is connected and that "
        "you may use it, and its options (device=absent)",
    )


@pytest.mark.slow
def test_a_delegate_that_fails_on_a_model(compile_library: Compile, python: str, branched: Path):
    library = compile_library("stand_in")
    assert error(ask(python, branched, library, fail="prepare")) == (
        "delegate",
        f"the delegate {library.name} failed on branched.tflite; check that the file was compiled "
        "for it, and see its log",
    )


@pytest.mark.slow
def test_a_file_that_is_no_model_is_not_the_delegates_fault(compile_library: Compile, python: str, tmp_path: Path):
    model = tmp_path / "bad.tflite"
    model.write_bytes(b"\x1c\0\0\0TFL3")
    kind, message = error(ask(python, model, compile_library("stand_in")))
    assert kind == "invalid-model"
    assert message.startswith("bad.tflite is not a model that ")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["missing", "/etc/passwd"])
def test_a_wrong_path_is_refused_in_silence(python: str, branched: Path, path: str):
    assert error(ask(python, branched, path))[0] == "request"


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["prepare", "invoke"])
def test_a_crash_names_the_delegate(compile_library: Compile, python: str, branched: Path, stage: str):
    library = compile_library("stand_in")
    options = {"crash": stage, "take": str(RELU)}
    request = {"mode": "time", "delegate": {"path": str(library), "options": options}, "steady": {"runs": 3}}
    with pytest.raises(HostError) as caught:
        Local(python=python).run(request, {"artifact": branched}, limit_seconds=300)
    assert str(caught.value) == (
        f"the runtime crashed on branched.tflite with the delegate {library.name} (signal 11, segmentation fault): "
        "the two may be incompatible; use a build of the delegate for this version of the runtime"
    )


@pytest.mark.slow
def test_onnxruntime_takes_none(make_onnx: Callable[..., Path]):
    assert error(ask(sys.executable, make_onnx(), "libedgetpu.so.1")) == (
        "request",
        "a delegate runs operators of .tflite files only, not of tiny.onnx; leave it out",
    )
