"""A pool of processes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilenet_edge import cpus
from mobilenet_edge.errors import BuildError, HostError, InputError, MnetError
from mobilenet_edge.workers import processes
from mobilenet_edge.workers.call import call
from mobilenet_edge.workers.pool import REQUESTS_PER_PROCESS, check, failed, lost

ANSWERS = """
import os, signal
from pathlib import Path
from mobilenet_edge.errors import InputError

def answer(request):
    if "kill" in request and not Path(request["kill"]).exists():
        Path(request["kill"]).write_text("once")
        os.kill(os.getpid(), signal.SIGKILL)
    if request.get("die"):
        os.write(2, b"the last words\\n")
        os._exit(9)
    if request.get("fail"):
        raise InputError("the fact; the next step")
    if request.get("bug"):
        return {}["nothing"]
    if request.get("noise"):
        print("this is no answer")
    return {"double": 2 * request["number"], "pid": os.getpid(), "cpus": sorted(os.sched_getaffinity(0))}
"""


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a function that a process of its own can import."""
    (tmp_path / "crew_answers.py").write_text(ANSWERS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    return "crew_answers:answer"


# Without a process


def test_a_call_answers(function: str) -> None:
    assert call(function, {"number": 4})["double"] == 8


def test_an_expected_failure_is_an_answer(function: str) -> None:
    assert call(function, {"fail": True}) == {"error": {"message": "the fact; the next step", "exit_code": 3}}


def test_a_bug_is_an_answer_with_its_traceback(function: str) -> None:
    answer = call(function, {"bug": True})
    assert answer["error"]["exit_code"] == 5
    assert "KeyError" in answer["error"]["message"]
    assert 'return {}["nothing"]' in answer["traceback"]


@pytest.mark.parametrize("kind", [InputError, BuildError, HostError])
def test_an_expected_failure_is_raised_as_what_it_was(kind: type[MnetError]) -> None:
    with pytest.raises(kind, match="the fact; the next step") as raised:
        check(failed(kind("the fact; the next step")))
    assert raised.value.exit_code == kind.exit_code


def test_a_bug_is_raised_with_the_traceback_of_its_process(function: str) -> None:
    with pytest.raises(RuntimeError, match=r"KeyError(?s:.*)return \{\}\[\"nothing\"\]"):
        check(call(function, {"bug": True}))


def test_a_lost_request_is_a_failure_of_the_host() -> None:
    with pytest.raises(HostError, match=r"its process ended twice \(killed\)"):
        check(lost("killed"))


def test_an_answer_is_passed_on() -> None:
    assert check({"double": 4}) == {"double": 4}


@pytest.mark.parametrize(
    ("wanted", "free", "fit"),
    [
        (4, 10 * 10**9, 4),
        (4, 5 * 10**9, 2),  # two of 2.5 GB
        (4, 10**9, 1),  # one is always tried
        (3, None, 3),  # a system that does not tell
    ],
)
def test_no_more_processes_than_fit_into_memory(
    wanted: int, free: int | None, fit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes.memory, "available_bytes", lambda: free)
    assert processes.choose_size(wanted, 2_500_000_000) == fit


def test_by_default_as_many_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.memory, "available_bytes", lambda: None)
    assert processes.choose_size(None, 1) == len(cpus.available())


# With processes


@pytest.mark.slow
def test_every_request_is_answered_once_by_few_processes(function: str) -> None:
    with processes.ProcessPool(function, 2) as pool:
        answers = dict(pool.run([{"number": number, "noise": True} for number in range(10)]))
    assert {index: answer["double"] for index, answer in answers.items()} == {n: 2 * n for n in range(10)}
    assert len({answer["pid"] for answer in answers.values()}) <= 2


@pytest.mark.slow
def test_requests_are_taken_as_they_are_needed(function: str) -> None:
    taken = []

    def requests() -> Iterator[dict[str, int]]:
        for number in range(20):
            taken.append(number)
            yield {"number": number}

    with processes.ProcessPool(function, 2) as pool:
        for done, _ in enumerate(pool.run(requests())):
            assert len(taken) <= done + 2 * REQUESTS_PER_PROCESS
    assert len(taken) == 20


@pytest.mark.slow
def test_the_processes_share_the_cores(function: str) -> None:
    with processes.ProcessPool(function, 1) as pool:
        assert dict(pool.run([{"number": 1}]))[0]["cpus"] == cpus.available()
    many = len(cpus.available())
    with processes.ProcessPool(function, many) as pool:
        found = {answer["pid"]: answer["cpus"] for _, answer in pool.run([{"number": 1}] * 4 * many)}
    assert all(len(each) == 1 for each in found.values())


@pytest.mark.slow
def test_processes_serve_several_runs_and_are_gone_at_the_end(function: str) -> None:
    with processes.ProcessPool(function, 1) as pool:
        first, second = (dict(pool.run([{"number": 1}]))[0]["pid"] for _ in range(2))
        assert first == second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.slow
def test_a_lost_process_is_replaced_and_its_request_asked_again(function: str, tmp_path: Path) -> None:
    with processes.ProcessPool(function, 1) as pool:
        requests = [{"number": 1}, {"number": 2, "kill": str(tmp_path / "killed")}, {"number": 3}]
        answers = dict(pool.run(requests))
    assert [answers[index]["double"] for index in range(3)] == [2, 4, 6]
    assert answers[0]["pid"] != answers[1]["pid"]


@pytest.mark.slow
def test_a_request_that_ends_its_process_twice_is_given_up(function: str) -> None:
    with processes.ProcessPool(function, 1) as pool:
        answers = dict(pool.run([{"die": True}, {"number": 3}]))
    assert "its process ended twice (the last words)" in answers[0]["error"]["message"]
    assert answers[1]["double"] == 6


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_who_started_it(function: str, tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "crew_answers.py").write_text(
        "import os, pathlib, time\n\n"
        "def answer(request):\n"
        f"    pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
    )
    code = (
        "from mobilenet_edge.workers import processes\n"
        f"with processes.ProcessPool({function!r}, 1) as pool:\n    list(pool.run([dict()]))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as parent:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        pid = int((tmp_path / "pid").read_text())
        parent.send_signal(how)
        parent.wait(30)
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: object, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
