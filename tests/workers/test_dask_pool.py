"""A pool on a real Dask cluster: a scheduler and worker processes on this machine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilenet_edge.errors import HostError, MissingExtraError
from mobilenet_edge.workers import cluster, dask
from mobilenet_edge.workers.pool import REQUESTS_PER_PROCESS
from tests.workers.dask_cluster import running

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

ANSWERS = """
import os, time
from pathlib import Path
from mobilenet_edge.errors import InputError

def answer(request):
    if request.get("fail"):
        raise InputError("the fact; the next step")
    if request.get("die"):
        os._exit(9)
    Path(request["folder"], str(os.getpid())).touch()
    time.sleep(request.get("seconds", 0))
    return {"double": 2 * request["number"], "bytes": request["data"]}
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of three workers that can import `cluster_answers`."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "cluster_answers.py").write_text(ANSWERS)
    with running(folder, 3) as address:
        yield address


FUNCTION = "cluster_answers:answer"


def test_every_request_is_answered(address: str, tmp_path: Path) -> None:
    requests = [{"number": number, "folder": str(tmp_path), "data": b"\xff" * number} for number in range(9)]
    with dask.DaskPool(FUNCTION, address) as pool:
        assert (pool.size, pool.remote) == (3, True)
        answers = dict(pool.run(requests))
    assert answers == {number: {"double": 2 * number, "bytes": b"\xff" * number} for number in range(9)}


def test_requests_are_taken_as_they_are_needed(address: str, tmp_path: Path) -> None:
    taken = []

    def requests() -> Iterator[dict[str, object]]:
        for number in range(40):
            taken.append(number)
            yield {"number": number, "folder": str(tmp_path), "data": b""}

    with dask.DaskPool(FUNCTION, address) as pool:
        answers = []
        for done, (place, _) in enumerate(pool.run(requests())):
            assert len(taken) <= done + REQUESTS_PER_PROCESS * 3
            answers.append(place)
    assert sorted(answers) == list(range(40))


def test_a_scheduler_that_goes_away_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cluster_answers.py").write_text(ANSWERS)
    requests = [{"number": number, "folder": str(tmp_path), "data": b"", "seconds": 0.2} for number in range(20)]
    with (
        running(tmp_path, 1) as address,
        dask.DaskPool(FUNCTION, address) as pool,
        pytest.raises(HostError, match=r"the Dask scheduler at tcp://127\.0\.0\.1:\d+ was lost \(.+\)"),
    ):
        kill_at(pool, requests, 2, int((tmp_path / "scheduler.pid").read_text()))


def kill_at(pool: dask.DaskPool, requests: list[dict[str, object]], place: int, pid: int) -> None:
    for done, _ in pool.run(requests):
        if done == place:
            os.kill(pid, signal.SIGKILL)


def test_an_expected_failure_is_an_answer(address: str) -> None:
    with dask.DaskPool(FUNCTION, address) as pool:
        (found,) = pool.run([{"fail": True}])
    assert found == (0, {"error": {"message": "the fact; the next step", "exit_code": 3}})


def test_a_worker_killed_in_the_middle_loses_nothing(address: str, tmp_path: Path) -> None:
    requests = [{"number": number, "folder": str(tmp_path), "data": b"", "seconds": 0.5} for number in range(12)]
    with dask.DaskPool(FUNCTION, address) as pool:
        answers, killed = {}, False
        for index, answer in pool.run(requests):
            answers[index] = answer["double"]
            if not killed:
                os.kill(int(next(tmp_path.iterdir()).name), signal.SIGKILL)
                killed = True
    assert answers == {number: 2 * number for number in range(12)}


def test_a_request_that_kills_every_worker_is_given_up(address: str, tmp_path: Path) -> None:
    with dask.DaskPool(FUNCTION, address) as pool:
        answers = dict(pool.run([{"die": True}, {"number": 4, "folder": str(tmp_path), "data": b""}]))
    assert answers[0]["error"]["exit_code"] == 6
    assert "its process ended" in answers[0]["error"]["message"]
    assert answers[1]["double"] == 8


def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(HostError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1; start one"):
        cluster.connect("tcp://127.0.0.1:1")


def test_what_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(HostError, match="no Dask scheduler answers at"):
        cluster.connect("no such protocol://x")


def test_distributed_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"mobilenet-edge\[cluster\]"):
        cluster.connect("127.0.0.1:8786")
