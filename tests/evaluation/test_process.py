from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.errors import HostError, InputError, MissingExtraError
from mobilenet_edge.evaluation import process

pytestmark = pytest.mark.slow

FACTS = (
    '{"runtime": "fake", "runtime_version": "1", "dtype": "float32", "shape": [1, 2],'
    ' "input": {"model": "m", "shape": [1, 64, 64, 3], "dtype": "float32", "scale": null, "zero_point": null}}'
)
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
IMAGE = np.zeros((1, 64, 64, 3), np.float32)  # 49,152 bytes


@pytest.fixture
def program(monkeypatch):
    """Run a program in place of the real one."""

    def use(code: str) -> None:
        monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", code))

    return use


def open_and_ask(times: int = 1) -> None:
    with process.start(Path("m.onnx"), "onnx", 1) as running:
        for _ in range(times):
            running.send(IMAGE)
            running.receive()


def test_crash_while_opening_is_one_line(program):
    program(KILL)
    with pytest.raises(HostError, match=r"the runtime crashed on m\.onnx \(signal 11, segmentation fault\)"):
        open_and_ask()


def test_crash_while_running_is_one_line(program):
    program(f"print('''{FACTS}''', flush=True); import sys; sys.stdin.buffer.read(100); {KILL}")
    with pytest.raises(HostError, match="signal 11"):
        open_and_ask(times=100)  # more than a pipe holds


def test_end_without_a_reason_is_told(program):
    program(f"print('''{FACTS}''', flush=True)")
    with pytest.raises(HostError, match=r"the process that ran m\.onnx ended early"):
        open_and_ask(times=100)


@pytest.mark.parametrize("first", ["", f"print('''{FACTS}''', flush=True); "], ids=["opening", "answering"])
def test_a_model_that_hangs_is_ended(program, monkeypatch, first):
    monkeypatch.setattr(process, "LIMIT_SECONDS", 3.0)
    program(f"{first}import time; time.sleep(600)")
    with pytest.raises(HostError, match=r"did not answer on m\.onnx within 3 s"):
        open_and_ask()


def test_a_model_that_takes_no_image_is_an_input_error(program):
    program(f"print('''{FACTS}'''.replace('[1, 64, 64, 3]', '[1, 128]'), flush=True)")
    with pytest.raises(InputError, match="not one RGB or grey image"):
        open_and_ask()


def test_exception_in_the_process_is_its_last_line(program):
    program("import sys; print('noise', file=sys.stderr); raise RuntimeError('no kernel for Foo')")
    with pytest.raises(HostError, match="RuntimeError: no kernel for Foo"):
        open_and_ask()


def test_noise_on_stderr_fills_no_pipe(program):
    loud = "import sys; sys.stderr.write('x' * 1_000_000)"
    program(f"{loud}; print('''{FACTS}''', flush=True); {loud}; sys.stdout.buffer.write(bytes(8))")
    with process.start(Path("m.onnx"), "onnx", 1) as running:
        running.send(IMAGE)
        assert running.receive().tolist() == [[0, 0]]


def test_process_ends_with_the_block(program, monkeypatch):
    program(f"print('''{FACTS}''', flush=True); import time; time.sleep(600)")
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[0])
    with pytest.raises(KeyboardInterrupt), process.start(Path("m.onnx"), "onnx", 1):
        raise KeyboardInterrupt
    assert started[0].returncode == -9


def test_text_named_as_a_model_is_an_input_error(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_text("no model")
    with pytest.raises(InputError, match=r"m\.onnx"), process.start(path, "onnx", 1):
        pass


def test_keras_without_tensorflow_names_the_extra(monkeypatch):
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="build"), process.start(Path("m.keras"), "keras", 1):
        pass


@pytest.mark.data
def test_reference_model_answers_like_itself(data):
    path = data / "reference" / "mobilenet_v1_0.25_128_quant.tflite"
    with process.start(path, "tflite", 1) as running:
        assert (running.shape, running.input.size, running.input.dtype) == ((1, 1001), (128, 128), "uint8")
        assert not running.input.needs_grid
        grey = running.input.fill(np.zeros((128, 128, 3), np.float32))
        running.send(grey)
        first = running.receive()
        running.send(grey, grey)
        np.testing.assert_array_equal(running.receive(), [*first, *first])
