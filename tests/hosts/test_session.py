"""A conversation over other commands than ssh: the real agent on this machine, and some that misbehave."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts import bootstrap, session
from mobilenet_edge.hosts.session import Broken, Connection

pytestmark = pytest.mark.slow


class Broke(HostError):
    """Carries what a session found, so that a test can look at it."""

    def __init__(self, broken: Broken) -> None:
        super().__init__("broke")
        self.broken = broken


def opened(*command: str) -> Connection:
    return Connection(command, "pi", Broke)


def speaking(code: str) -> tuple[str, ...]:
    """A stand-in for the agent: reads the payload, greets, then does as the code says with `lines` of requests."""
    from mobilenet_edge.hosts import payload

    program = f"""
import sys, json, os, time
sys.stdin.buffer.read({len(payload.pack())})
def say(text): print("{bootstrap.MARK}" + text, flush=True)
say('{{"hello": "1"}}')
{code}
"""
    return (sys.executable, "-c", program)


@pytest.fixture
def agent() -> Iterator[Connection]:
    conversation = opened(sys.executable, "-c", bootstrap.code())
    yield conversation
    conversation.close()


def test_a_request_and_its_fault(agent: Connection):
    with pytest.raises(UsageError, match=r"^pi: no mode is called 'nonsense'"):
        agent.run({"mode": "nonsense"}, {}, 30)
    assert not agent.ended


def test_a_file_arrives_under_its_name(agent: Connection, tmp_path: Path):
    (tmp_path / "néw file.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"^pi: néw file\.onnx is not a model that onnxruntime can open"):
        agent.run({"mode": "time"}, {"artifact": tmp_path / "néw file.onnx"}, 60)


def test_a_file_that_is_not_here(agent: Connection, tmp_path: Path):
    with pytest.raises(InputError, match=r"^cannot read .*none\.onnx: no such file"):
        agent.run({"mode": "time"}, {"artifact": tmp_path / "none.onnx"}, 60)


def test_closing_twice_is_no_matter(agent: Connection):
    agent.close()
    agent.close()
    assert agent.ended


def test_a_command_that_ends_at_once():
    with pytest.raises(Broke) as caught:
        opened(sys.executable, "-c", "import sys; sys.stderr.write('no'); sys.exit(7)")
    assert caught.value.broken == Broken(7, b"no")


def test_a_refusal():
    refusal = f"""print('hello'); print('{bootstrap.MARK}{{"refused": "old", "reason": "3.7"}}')"""
    with pytest.raises(Broke) as caught:
        opened(sys.executable, "-c", refusal)
    assert caught.value.broken.refusal == {"refused": "old", "reason": "3.7"}


def test_a_broken_line():
    with pytest.raises(HostError, match=r"^pi sent an unreadable message"):
        opened(sys.executable, "-c", f"print('{bootstrap.MARK}{{')")


def test_an_end_in_the_middle():
    conversation = opened(*speaking("sys.stdin.readline(); sys.stderr.write('oh'); os._exit(255)"))
    with pytest.raises(Broke) as caught:
        conversation.run({"mode": "limit"}, {}, 30)
    assert caught.value.broken == Broken(255, b"oh", "the request 'limit'")
    assert conversation.ended
    conversation.close()


def test_silence_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session, "GRACE_SECONDS", 1.0)
    conversation = opened(*speaking("time.sleep(600)"))
    start = time.monotonic()
    with pytest.raises(HostError, match=r"^pi stopped answering while it worked on the request 'limit'"):
        conversation.run({"mode": "limit"}, {}, 0.5)
    # 0.5 s for the worker and 1 s of grace.
    assert 1.4 < time.monotonic() - start < 300
    conversation.close()


def test_silence_while_connecting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session, "CONNECT_SECONDS", 0.5)
    with pytest.raises(HostError, match=r"^pi stopped answering while connecting"):
        opened("sleep", "600")


def test_a_command_that_never_reads_is_ended_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(session, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(session, "MIN_BYTES_PER_SECOND", 1e9)
    conversation = opened(*speaking("time.sleep(600)"))
    # More than a pipe holds.
    (tmp_path / "big").write_bytes(bytes(1 << 22))
    with pytest.raises(HostError, match=r"^pi stopped answering while it worked on big"):
        conversation.run({"mode": "time"}, {"artifact": tmp_path / "big"}, 30)
    conversation.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"code": None, "stdout": "", "stderr": ""},
            "^the worker did not answer on the request 'limit' on pi within 5",
        ),
        ({"code": -11, "stdout": "", "stderr": ""}, r"^the runtime crashed on the request 'limit' on pi \(signal 11"),
        ({"code": 1, "stdout": "", "stderr": "a\nB\x1b[31m\x07ad"}, r"\(exit code 1\): B \[31m ad$"),
        ({"code": 0, "stdout": "[]", "stderr": ""}, "^the worker's answer on the request 'limit' on pi cannot be"),
        ({"error": {"kind": "failed", "message": "no\nspace\x1b]0;x\x07"}}, "^pi: no space ]0;x$"),
    ],
)
def test_what_a_keeper_may_answer(answer: dict[str, object], message: str):
    conversation = opened(*speaking(f"sys.stdin.readline(); say(json.dumps({answer!r})); sys.stdin.read()"))
    with pytest.raises(HostError, match=message) as caught:
        conversation.run({"mode": "limit"}, {}, 5)
    assert str(caught.value).isprintable()
    assert not conversation.ended
    conversation.close()


def test_texts_of_a_document_are_printable():
    document = {"host": {"board": "Pi\x1b[2J", "isa": ["a\nb"], "cores": 4}}
    answer = {"code": 0, "stdout": json.dumps(document), "stderr": ""}
    conversation = opened(*speaking(f"sys.stdin.readline(); say(json.dumps({answer!r})); sys.stdin.read()"))
    assert conversation.run({"mode": "limit"}, {}, 5) == {"host": {"board": "Pi [2J", "isa": ["a b"], "cores": 4}}
    conversation.close()


def test_no_thread_stays(agent: Connection):
    before = threading.active_count()
    with pytest.raises(UsageError):
        agent.run({"mode": "nonsense"}, {}, 30)
    deadline = time.monotonic() + 300
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
