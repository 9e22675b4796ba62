from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts import Host, Unreachable, environment
from mobilenet_edge.hosts.local import Local

MODEL = {"artifact": Path("folder/x.tflite")}


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


@pytest.mark.slow
def test_the_request_arrives_whole_and_leased():
    echo = stand_in("import sys, json; json.dump({'echo': json.loads(sys.stdin.readline())}, sys.stdout)")
    echoed = echo.run({"mode": "time", "threads": 2}, MODEL, limit_seconds=300)["echo"]
    assert echoed == {"mode": "time", "threads": 2, "artifact": str(MODEL["artifact"].resolve()), "leased": True}


@pytest.mark.slow
def test_much_output_does_not_block():
    flood = stand_in("import sys; sys.stderr.write('x' * 10**6); sys.stdout.write('{\"a\": \"' + 'y' * 10**6 + '\"}')")
    assert len(flood.run({}, MODEL, limit_seconds=300)["a"]) == 10**6


@pytest.mark.slow
def test_a_crash_is_a_message():
    crash = stand_in("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(
        HostError, match=r"crashed on x\.tflite \(signal 11, segmentation fault\): the file may be corr"
    ):
        crash.run({}, MODEL, limit_seconds=300)


@pytest.mark.slow
def test_garbage_is_a_message():
    with pytest.raises(HostError, match=r"answer on x\.tflite cannot be read \(hello\)"):
        stand_in("print('hello')").run({}, MODEL, limit_seconds=300)


@pytest.mark.slow
def test_a_worker_that_never_reads_is_a_message():
    with pytest.raises(HostError, match=r"failed on x\.tflite \(exit code 3\): it printed nothing"):
        stand_in("import os; os._exit(3)").run({"padding": "x" * 10_000}, MODEL, limit_seconds=300)


@pytest.mark.slow
def test_a_hanging_worker_is_ended(tmp_path: Path):
    note = tmp_path / "pid"
    hang = stand_in(f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    start = time.monotonic()
    with pytest.raises(HostError, match=r"did not answer on x\.tflite within 5 s"):
        hang.run({}, MODEL, limit_seconds=5)
    assert time.monotonic() - start < 300
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
        f"Local(command=(sys.executable, '-c', {worker!r})).run({{}}, {{'artifact': Path('x')}}, limit_seconds=600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", mnet], stderr=subprocess.DEVNULL, env={**os.environ, **environment.of_package()}
    ) as process:
        _wait_for(lambda: note.exists() and note.read_text().endswith(" "))
        process.send_signal(number)
        process.wait(timeout=300)
    _wait_for(lambda: not alive(int(note.read_text())))


@pytest.mark.slow
def test_what_the_worker_started_ends_with_it(tmp_path: Path):
    note = tmp_path / "pid"
    child = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    worker = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(HostError, match="did not answer"):
        stand_in(worker).run({}, MODEL, limit_seconds=2)
    _wait_for(lambda: not alive(int(note.read_text())))


def test_a_python_that_is_not_there():
    with pytest.raises(Unreachable, match=r"^/no/python cannot be started: No such file or directory; check the path"):
        Local(python="/no/python").run({"mode": "time"}, limit_seconds=5)


@pytest.mark.slow
def test_another_python_runs_the_same_worker(tmp_path: Path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ntouch {tmp_path}/used\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with Local(python=str(python)) as host, pytest.raises(UsageError, match="no mode is called 'nonsense'"):
        host.run({"mode": "nonsense"}, limit_seconds=300)
    assert (tmp_path / "used").exists()


@pytest.mark.slow
@pytest.mark.data
def test_the_real_worker_answers(data: Path):
    model = data / "reference/mobilenet_v1_0.25_128_quant.tflite"
    request = {"mode": "time", "steady": {"runs": 3}}
    document = Local().run(request, {"artifact": model}, limit_seconds=300)
    assert len(document["times_ns"]) == 3


@pytest.mark.slow
def test_the_worker_is_not_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(InputError, match=r"^nowhere\.tflite cannot be read"):
        Local().run({"mode": "time"}, {"artifact": Path("nowhere.tflite")}, limit_seconds=300)


@pytest.mark.slow
def test_a_text_file_is_refused(tmp_path: Path):
    model = tmp_path / "hello.tflite"
    model.write_text("hello")
    with pytest.raises(
        InputError, match=r"^hello\.tflite is not a model that LiteRT can open: The model is not a valid"
    ):
        Local().run({"mode": "time"}, {"artifact": model}, limit_seconds=300)


@pytest.mark.slow
def test_an_unknown_runtime_is_a_usage_error(tmp_path: Path):
    model = tmp_path / "hello.tflite"
    model.write_text("hello")
    with pytest.raises(UsageError, match="no runtime is called 'tvm'"):
        Local().run({"mode": "time", "runtime": "tvm"}, {"artifact": model}, limit_seconds=300)


def _wait_for(condition, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
