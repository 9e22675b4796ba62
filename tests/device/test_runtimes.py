from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mobilenet_edge.device import delegate, runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError, RuntimeBroken, RuntimeMissing
from mobilenet_edge.device.runtimes import RUNTIMES, Runtime, TensorInfo, litert, wheels


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make exactly the named runtimes appear to be installed."""

    def pretend(*names: str) -> None:
        monkeypatch.setattr(Runtime, "installed", lambda self: self.name in names)

    return pretend


def touch(path: Path, content: bytes = b"") -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tflite", b"", "tflite"),
        ("a.bin", b"\x1c\0\0\0TFL3 and more", "tflite"),
        ("mobilenet_v1-a0.50-r160.int8.onnx", b"\x08\x09", "onnx"),
    ],
)
def test_format_is_read_off_the_mark_or_the_name(tmp_path: Path, name: str, content: bytes, expected: str):
    assert runtimes.model_format(touch(tmp_path / name, content)) == expected


def test_another_format_is_refused_with_the_way_on(tmp_path: Path):
    with pytest.raises(InvalidModel, match=r"^a\.txt is neither a \.tflite nor an \.onnx file; make one with: mnet"):
        runtimes.model_format(touch(tmp_path / "a.txt"))


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(InvalidModel, match=r"^a\.tflite cannot be read: No such file"):
        runtimes.model_format(tmp_path / "a.tflite")


def test_auto_takes_the_first_installed(tmp_path: Path, install: Callable[..., None]):
    model = touch(tmp_path / "a.tflite")
    install("litert", "tflite-runtime", "onnxruntime")
    assert runtimes.choose(model).name == "litert"
    install("tflite-runtime")
    assert runtimes.choose(model).name == "tflite-runtime"


def test_a_named_runtime_is_taken(tmp_path: Path):
    assert runtimes.choose(touch(tmp_path / "a.tflite"), "tflite-runtime") == RUNTIMES["tflite-runtime"]


def test_an_unknown_runtime_names_the_known(tmp_path: Path):
    with pytest.raises(RequestError, match="no runtime is called 'tvm'; give one of auto, litert, tflite-runtime"):
        runtimes.choose(touch(tmp_path / "a.tflite"), "tvm")


def test_a_runtime_of_the_other_format_names_those_of_this(tmp_path: Path):
    with pytest.raises(RequestError, match=r"onnxruntime does not open a\.tflite; use litert or tflite-runtime"):
        runtimes.choose(touch(tmp_path / "a.tflite"), "onnxruntime")


@pytest.mark.parametrize(
    ("machine", "extra"),
    [({"litert", "tflite-runtime"}, "tflite"), ({"tflite-runtime"}, "tflite-legacy"), (set(), None)],
)
def test_a_missing_runtime_is_named_as_this_machine_can_have_it(
    tmp_path: Path,
    install: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    machine: set[str],
    extra: str | None,
):
    install()
    monkeypatch.setattr(Runtime, "wheel", lambda self: self.wheels[0] if self.name in machine else None)
    monkeypatch.setattr(wheels, "here", lambda: ("armv7l", (3, 13), (2, 41)))
    with pytest.raises(RuntimeMissing, match="is not installed") as caught:
        runtimes.choose(touch(tmp_path / "a.tflite"))
    assert caught.value.extra == extra
    none = "LiteRT is not installed, and there is no wheel of it for armv7l, Python 3.13 and glibc 2.41"
    assert (str(caught.value) == none) == (extra is None)


def test_a_runtime_that_is_not_installed_is_not_imported(monkeypatch: pytest.MonkeyPatch):
    ghost = replace(RUNTIMES["onnxruntime"], title="Ghost", package="no_such_package.interpreter")
    assert not ghost.installed()
    with pytest.raises(RuntimeMissing, match="Ghost is not installed"):
        ghost.load()


@pytest.mark.parametrize(
    ("glibc", "cure"),
    [
        ((2, 36), "install it again"),
        ((2, 31), "run: pip install ai-edge-litert==2.1.0"),
        (None, "no version of it fits this machine"),
    ],
)
def test_a_runtime_that_does_not_load_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, glibc: tuple[int, int] | None, cure: str
):
    touch(tmp_path / "brokenruntime.py", b"raise ImportError('libfoo.so: GLIBC_2.34 not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(wheels, "here", lambda: ("aarch64", (3, 11), glibc))
    broken = replace(RUNTIMES["litert"], title="Broken", package="brokenruntime")
    with pytest.raises(RuntimeBroken) as caught:
        broken.load()
    assert str(caught.value) == f"Broken is installed but cannot be loaded: libfoo.so: GLIBC_2.34 not found; {cure}"


def test_tflite_runtime_with_numpy_2_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setattr(Runtime, "load", lambda self: ModuleType("interpreter"))
    monkeypatch.setattr(np, "__version__", "2.4.6")
    with pytest.raises(RuntimeBroken, match=r"needs NumPy 1, and NumPy 2\.4\.6 is installed; run: pip"):
        litert.open_session(RUNTIMES["tflite-runtime"], tmp_path / "a.tflite", 1)


class FakeInterpreter:
    """A model with a signature of its own choice, which cannot be prepared."""

    def __init__(self, signature: list[int], failure: Exception) -> None:
        self.signature = signature
        self.failure = failure

    def get_input_details(self) -> list[dict[str, object]]:
        return [{"name": "image", "index": 0, "shape_signature": self.signature}]

    def allocate_tensors(self) -> None:
        raise self.failure


def open_fake(monkeypatch: pytest.MonkeyPatch, signature: list[int], failure: Exception) -> InvalidModel:
    package = ModuleType("interpreter")
    package.Interpreter = lambda **_: FakeInterpreter(signature, failure)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", ModuleType("ai_edge_litert"))
    monkeypatch.setattr(Runtime, "load", lambda self: package)
    with pytest.raises(InvalidModel) as caught:
        litert.open_session(RUNTIMES["litert"], Path("folder/a.tflite"), 1)
    return caught.value


def test_an_image_of_no_fixed_size_is_refused(monkeypatch: pytest.MonkeyPatch):
    error = open_fake(monkeypatch, [-1, -1, 224, 3], ValueError("never reached"))
    assert str(error) == "input 'image' of a.tflite has no fixed size (?, ?, 224, 3); export it with one"


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "Encountered unresolved custom op: edgetpu-custom-op.\nSee instructions: …",
            "a.tflite is compiled for the Edge TPU: give --delegate /usr/lib/libedgetpu.so.1, "
            "or use the .tflite it was compiled from",
        ),
        (
            "Encountered unresolved custom op: MyOp.\nSee instructions: …",
            "a.tflite needs an operator that LiteRT does not have: Encountered unresolved custom op: MyOp",
        ),
        ("tensor 3 is odd", "a.tflite is not a model that LiteRT can open: tensor 3 is odd"),
    ],
)
def test_a_refusal_is_explained(monkeypatch: pytest.MonkeyPatch, reason: str, message: str):
    monkeypatch.setattr(delegate, "find", lambda: ["/usr/lib/libedgetpu.so.1"])
    assert str(open_fake(monkeypatch, [-1, 224, 224, 3], RuntimeError(reason))) == message


@pytest.mark.slow
@pytest.mark.data
def test_litert_opens_and_runs_a_foreign_model(reference: Path, capfd: pytest.CaptureFixture[str]):
    session = runtimes.open_model(reference, threads=2)
    assert (session.runtime, session.version.count(".")) == ("litert", 2)
    assert session.inputs == (TensorInfo("input", (1, 128, 128, 3), "uint8", 0.0078125, 128),)
    assert [(out.shape, out.dtype, out.scale) for out in session.outputs] == [((1, 1001), "uint8", 1 / 256)]
    (scores,) = session.run([np.full((1, 128, 128, 3), 128, np.uint8)])
    # Each of 1001 scores is rounded to 1/256 by at most half a step; most are 0, and what is lost is less than 0.5.
    assert 0.5 < scores.sum() / 256 < 1.5
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.data
def test_litert_outputs_are_the_callers_own(reference: Path):
    session = runtimes.open_model(reference)
    random = np.random.default_rng(0)
    first, second = (random.integers(0, 256, (1, 128, 128, 3), np.uint8) for _ in range(2))
    (kept,) = session.run([first])
    before = kept.copy()
    session.run([second])
    np.testing.assert_array_equal(kept, before)
    np.testing.assert_array_equal(session.run([first])[0], before)


@pytest.mark.slow
@pytest.mark.data
def test_litert_refuses_a_truncated_model(reference: Path, tmp_path: Path):
    model = touch(tmp_path / "cut.tflite", reference.read_bytes()[:300_000])
    with pytest.raises(InvalidModel, match=r"^cut\.tflite is not a model that LiteRT can open: The model is not a val"):
        runtimes.open_model(model)


@pytest.mark.slow
@pytest.mark.data
def test_litert_refuses_a_model_for_the_edge_tpu(reference: Path, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(InvalidModel, match="is compiled for the Edge TPU"):
        runtimes.open_model(reference.with_name("mobilenet_v1_0.25_128_quant_edgetpu.tflite"))
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_onnxruntime_opens_and_runs(make_onnx: Callable[..., Path]):
    session = runtimes.open_model(make_onnx())
    assert session.runtime == "onnxruntime"
    assert session.inputs == (TensorInfo("x", (1, 8, 8, 3), "float32"),)
    image = np.arange(192, dtype=np.float32).reshape(1, 8, 8, 3)
    (kept,) = session.run([image])
    session.run([image * 2])
    np.testing.assert_array_equal(kept, image + 1)


@pytest.mark.slow
@pytest.mark.parametrize("batch", ["N", None])
def test_onnxruntime_opens_any_batch_as_one(make_onnx: Callable[..., Path], batch: str | None):
    session = runtimes.open_model(make_onnx((batch, 8, 8, 3)))
    assert session.inputs[0].shape == session.outputs[0].shape == (1, 8, 8, 3)
    assert session.run([np.zeros((1, 8, 8, 3), np.float32)])[0].shape == (1, 8, 8, 3)


@pytest.mark.slow
def test_onnxruntime_opens_a_scalar(make_onnx: Callable[..., Path]):
    assert runtimes.open_model(make_onnx(())).inputs[0].shape == ()


@pytest.mark.slow
def test_onnxruntime_refuses_an_image_of_no_fixed_size(make_onnx: Callable[..., Path]):
    with pytest.raises(InvalidModel, match=r"input 'x' of tiny\.onnx has no fixed size \(1, H, W, 3\); export it"):
        runtimes.open_model(make_onnx((1, "H", "W", 3)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"), [(b"hello\n", "Protobuf parsing failed"), (b"", "No graph was found in the protobuf")]
)
def test_onnxruntime_refuses_what_is_no_model(tmp_path: Path, content: bytes, reason: str):
    with pytest.raises(InvalidModel) as caught:
        runtimes.open_model(touch(tmp_path / "bad.onnx", content))
    assert str(caught.value) == f"bad.onnx is not a model that onnxruntime can open: {reason}"


@pytest.mark.slow
def test_onnxruntime_failing_in_a_run_is_a_fault_of_the_model(make_onnx: Callable[..., Path]):
    session = runtimes.open_model(make_onnx())
    with pytest.raises(InvalidModel, match=r"^the model cannot be run: .*INVALID_ARGUMENT"):
        session.run([np.zeros((2, 2, 2, 2), np.float32)])


@pytest.mark.slow
def test_onnxruntime_keeps_no_events(tmp_path):
    code = "from mobilenet_edge.device.runtimes import RUNTIMES; RUNTIMES['onnxruntime'].load()"
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    env.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert list(tmp_path.iterdir()) == []
