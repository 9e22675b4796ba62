"""The other end of a connection, in this process: two pipes, and workers that are small scripts."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge import __version__
from mobilenet_edge.device import agent

MARK = "mark: "


class Talk:
    """Our end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worker = folder / "worker.py"
        there, self._write = os.pipe()
        self._read, out = os.pipe()
        self._said = os.fdopen(self._read, "rb")
        self._thread = threading.Thread(target=self._serve, args=(there, out))
        self._thread.start()
        self.hello = self.hear()

    def _serve(self, there: int, out: int) -> None:
        try:
            agent.serve(str(self.folder), str(self.worker), MARK, there, out)
        finally:
            os.close(there)
            os.close(out)

    def say(self, message: dict[str, Any], data: bytes = b"") -> None:
        os.write(self._write, json.dumps(message).encode() + b"\n" + data)

    def hear(self) -> dict[str, Any]:
        assert self._said.readline() == b"\n"
        line = self._said.readline().decode()
        assert line.startswith(MARK)
        return json.loads(line.removeprefix(MARK))

    def put(self, name: str, data: bytes, sha256: str | None = None) -> dict[str, Any]:
        self.say({"put": name, "bytes": len(data), "sha256": sha256 or hashlib.sha256(data).hexdigest()}, data)
        return self.hear()

    def run(self, code: str, request: dict[str, Any] | None = None, limit: float = 30) -> dict[str, Any]:
        self.start(code, request, limit)
        return self.hear()

    def start(self, code: str, request: dict[str, Any] | None = None, limit: float = 30) -> None:
        self.worker.write_text(code)
        self.say({"run": request or {}, "limit_seconds": limit, "environment": ["PATH"]})

    def end(self) -> None:
        if self._thread.is_alive():
            os.close(self._write)
            self._thread.join(20)
        assert not self._thread.is_alive()
        self._said.close()


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk(tmp_path)
    yield talk
    talk.end()


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def wait_for_text(path: Path) -> str:
    deadline = time.monotonic() + 300
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text().strip()


def test_it_greets(talk: Talk):
    assert talk.hello["hello"] == __version__
    assert talk.hello["machine"] == os.uname().machine


def test_a_file_is_kept_under_its_name(talk: Talk, tmp_path: Path):
    data = bytes(range(256)) * 1000 + b"\n{}\n"
    path = Path(talk.put("a b.tflite", data)["path"])
    assert path.read_bytes() == data
    assert path.name == "a b.tflite"
    assert tmp_path in path.parents
    other = Path(talk.put("a b.tflite", b"other")["path"])
    assert (path.read_bytes(), other.read_bytes()) == (data, b"other")


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../evil"])
def test_no_file_leaves_the_folder(name: str, talk: Talk, tmp_path: Path):
    path = Path(talk.put(name, b"x")["path"])
    assert path.parent.parent == tmp_path
    assert path.name == "evil"


@pytest.mark.parametrize("name", ["", ".", "..", "a/"])
def test_no_name(name: str, talk: Talk):
    assert talk.put(name, b"x")["error"]["kind"] == "failed"


def test_a_file_that_is_garbled(talk: Talk, tmp_path: Path):
    error = talk.put("x.onnx", b"data", hashlib.sha256(b"date").hexdigest())["error"]
    assert error == {"kind": "failed", "message": "x.onnx did not arrive as it was sent; run it again"}
    assert not list(tmp_path.rglob("x.onnx"))
    assert "path" in talk.put("x.onnx", b"data")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left in {} for the 4 bytes of x.onnx; free some"),
        (errno.EROFS, "cannot write x.onnx to {}: Read-only file system; check the temporary folder"),
    ],
)
def test_a_disk_that_takes_no_more(
    number: int, message: str, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert talk.put("x.onnx", b"data")["error"]["message"] == message.format(tmp_path.parent)
    assert not list(tmp_path.rglob("x.onnx"))
    # The stream is still in step.
    assert "path" in talk.put("x.onnx", b"data")


@pytest.mark.slow
def test_a_worker_gets_the_request_and_little_else(talk: Talk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    code = """
import json, os, sys
request = json.loads(sys.stdin.readline())
sys.stderr.write("chatter")
print(json.dumps({"request": request, "environment": dict(os.environ), "folder": os.getcwd()}))
sys.exit(3)
"""
    done = talk.run(code, {"mode": "time"})
    assert (done["code"], done["stderr"]) == (3, "chatter")
    told = json.loads(done["stdout"])
    assert told["request"] == {"mode": "time", "leased": True}
    assert "OMP_NUM_THREADS" not in told["environment"]
    assert told["environment"]["PATH"] == os.environ["PATH"]
    assert told["folder"] == str(talk.folder)


@pytest.mark.slow
def test_a_crash_has_its_signal(talk: Talk):
    assert talk.run("import os; os.abort()")["code"] == -6


@pytest.mark.slow
def test_a_worker_that_never_reads(talk: Talk):
    assert talk.run("import os; os._exit(4)", {"padding": "x" * 200_000})["code"] == 4


@pytest.mark.slow
def test_much_is_said_on_both_streams(talk: Talk):
    done = talk.run("import sys; sys.stderr.write('e' * 10**6); sys.stdout.write('o' * 10**6 + chr(228))")
    assert done["stdout"] == "o" * 10**6 + "ä"
    assert done["stderr"] == "e" * agent.STDERR_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("also", ["", "sys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2);"])
def test_a_worker_beyond_its_limit_is_ended(also: str, talk: Talk, tmp_path: Path):
    note = tmp_path / "note"
    code = f"import os, sys, time; print(os.getpid(), file=open({str(note)!r}, 'w')); {also} time.sleep(600)"
    start = time.monotonic()
    assert talk.run(code, limit=5)["code"] is None
    assert 4.9 < time.monotonic() - start < 300
    assert not alive(int(note.read_text()))
    assert talk.run("")["code"] == 0


@pytest.mark.slow
def test_a_flood_does_not_hide_the_limit(talk: Talk):
    assert talk.run("import sys\nwhile True: sys.stderr.write('x' * 4096)", limit=1)["code"] is None


@pytest.mark.slow
def test_the_end_of_the_stream_ends_the_worker_and_its_children(talk: Talk, tmp_path: Path):
    note = tmp_path / "note"
    child = f"import os, time; print(os.getppid(), os.getpid(), file=open({str(note)!r}, 'w')); time.sleep(600)"
    talk.start(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])", limit=600)
    pids = [int(word) for word in wait_for_text(note).split()]
    talk.end()
    deadline = time.monotonic() + 300
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("ending", "code"), [("", 0), ("; sys.exit(3)", 3), ("; os.kill(os.getpid(), 11)", 128 + 11)])
def test_a_worker_may_have_the_streams_to_itself(tmp_path: Path, ending: str, code: int):
    (tmp_path / "worker").write_text(
        f"import os, sys; sys.stdout.write(sys.stdin.readline().upper()); sys.stdout.flush(){ending}"
    )
    there, write = os.pipe()
    read, out = os.pipe()
    os.write(write, json.dumps({"stream": True, "environment": ["PATH"]}).encode() + b"\n")
    with os.fdopen(read, "rb") as said, ThreadPoolExecutor() as threads:
        ended = threads.submit(agent.serve, str(tmp_path), str(tmp_path / "worker"), MARK, there, out)
        assert [said.readline() for _ in range(4)][3] == f'{MARK}{{"stream": true}}\n'.encode()
        os.write(write, b"request\n")
        assert said.readline() == b"REQUEST\n"
        with pytest.raises(SystemExit) as caught:
            ended.result()
        for each in (there, write, out):
            os.close(each)
    assert caught.value.code == code


def test_nobody_to_answer_is_an_ordinary_end(tmp_path: Path):
    there, write = os.pipe()
    read, out = os.pipe()
    os.close(read)
    agent.serve(str(tmp_path), "none", MARK, there, out)
    for each in (there, write, out):
        os.close(each)
