from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.local import Local, environment

MODEL = Path("folder/x.tflite")


def stand_in(code: str) -> Local:
    """A host whose worker runs `code` instead."""
    return Local(command=(sys.executable, "-c", code))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_local_is_a_host():
    host: Host = Local()
    assert host.name == "local"


def test_little_of_the_environment_reaches_the_worker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PATH", "/bin")
    found = environment()
    assert "OMP_NUM_THREADS" not in found
    assert found["PATH"] == "/bin"
    assert found["PYTHONPATH"].split(os.pathsep) == [str(Path(mobilenet_edge.__file__).parents[1]), "/somewhere"]


def test_no_empty_entry_makes_the_current_folder_importable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert environment()["PYTHONPATH"] == str(Path(mobilenet_edge.__file__).parents[1])


@pytest.mark.slow
def test_the_request_arrives_whole_and_leased():
    echo = stand_in("import sys, json; json.dump({'echo': json.loads(sys.stdin.readline())}, sys.stdout)")
    echoed = echo.run({"mode": "time", "threads": 2}, MODEL, limit_seconds=30)["echo"]
    assert echoed == {"mode": "time", "threads": 2, "artifact": str(MODEL.resolve()), "leased": True}


@pytest.mark.slow
def test_much_output_does_not_block():
    flood = stand_in("import sys; sys.stderr.write('x' * 10**6); sys.stdout.write('{\"a\": \"' + 'y' * 10**6 + '\"}')")
    assert len(flood.run({}, MODEL, limit_seconds=30)["a"]) == 10**6


@pytest.mark.slow
def test_a_crash_is_a_message():
    crash = stand_in("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(
        HostError, match=r"crashed on x\.tflite \(signal 11, segmentation fault\): the file may be corr"
    ):
        crash.run({}, MODEL, limit_seconds=30)


@pytest.mark.slow
def test_garbage_is_a_message():
    with pytest.raises(HostError, match=r"answer on x\.tflite cannot be read \(hello\)"):
        stand_in("print('hello')").run({}, MODEL, limit_seconds=30)


@pytest.mark.slow
def test_a_worker_that_never_reads_is_a_message():
    with pytest.raises(HostError, match=r"failed on x\.tflite \(exit code 3\): it said nothing"):
        stand_in("import os; os._exit(3)").run({"padding": "x" * 10_000}, MODEL, limit_seconds=30)


@pytest.mark.slow
def test_a_hanging_worker_is_ended(tmp_path: Path):
    note = tmp_path / "pid"
    hang = stand_in(f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    start = time.monotonic()
    with pytest.raises(HostError, match=r"did not answer on x\.tflite within 1 s"):
        hang.run({}, MODEL, limit_seconds=1)
    assert time.monotonic() - start < 10
    assert not alive(int(note.read_text()))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_mnet(tmp_path: Path, number: int):
    """SIGINT is Ctrl-C; a killed mnet cannot clean up, but the worker's stdin closes with it."""
    note = tmp_path / "pid"
    worker = (
        "import os, sys; sys.stdin.readline()\n"
        f"open({str(note)!r}, 'w').write(str(os.getpid()) + ' ')\n"
        "sys.stdin.read()"  # as the real one does beside its work
    )
    mnet = (
        "import sys; from pathlib import Path; from mobilenet_edge.hosts.local import Local\n"
        f"Local(command=(sys.executable, '-c', {worker!r})).run({{}}, Path('x'), limit_seconds=600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", mnet], stderr=subprocess.DEVNULL, env={**os.environ, **environment()}
    ) as process:
        _wait_for(lambda: note.exists() and note.read_text().endswith(" "))
        process.send_signal(number)
        process.wait(timeout=10)
    _wait_for(lambda: not alive(int(note.read_text())))


@pytest.mark.slow
@pytest.mark.data
def test_the_real_worker_answers(data: Path):
    model = data / "reference/mobilenet_v1_0.25_128_quant.tflite"
    request = {"mode": "time", "steady": {"runs": 3}}
    document = Local().run(request, model, limit_seconds=60)
    assert len(document["times_ns"]) == 3


@pytest.mark.slow
def test_the_worker_is_not_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(InputError, match=r"^nowhere\.tflite cannot be read"):
        Local().run({"mode": "time"}, Path("nowhere.tflite"), limit_seconds=60)


@pytest.mark.slow
def test_a_text_file_is_refused(tmp_path: Path):
    model = tmp_path / "hello.tflite"
    model.write_text("hello")
    with pytest.raises(
        InputError, match=r"^hello\.tflite is not a model that LiteRT can open: The model is not a valid"
    ):
        Local().run({"mode": "time"}, model, limit_seconds=60)


@pytest.mark.slow
def test_an_unknown_runtime_is_a_usage_error(tmp_path: Path):
    model = tmp_path / "hello.tflite"
    model.write_text("hello")
    with pytest.raises(UsageError, match="no runtime is called 'tvm'"):
        Local().run({"mode": "time", "runtime": "tvm"}, model, limit_seconds=60)


def _wait_for(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
