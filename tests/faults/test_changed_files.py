"""A file that is removed or changed while it is measured: the figures are of no file that there is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.hosts.local import Local
from tests.faults.conftest import Mnet

pytestmark = [pytest.mark.faults, pytest.mark.slow]

WORDS = ["--runs", "2", "--seconds", "0", "--rounds", "2", "--no-limit"]
Fault = Callable[[Path, bytes], object]


def swap(path: Path, other: bytes) -> None:
    """As an export into the same folder does it."""
    path.with_suffix(".new").write_bytes(other)
    path.with_suffix(".new").replace(path)


FAULTS: dict[str, tuple[Fault, str]] = {
    "removed": (lambda path, other: path.unlink(), "was removed during the measurement"),
    "a folder now": (lambda path, other: (path.unlink(), path.mkdir()), "was removed during the measurement"),
    "replaced": (swap, "was changed during the measurement"),
    "written over": (lambda path, other: path.write_bytes(other), "was changed during the measurement"),
    "cut off": (lambda path, other: os.truncate(path, 50), "was changed during the measurement"),
    "grown": (lambda path, other: path.write_bytes(path.read_bytes() + b" "), "was changed during the measurement"),
}


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Do something once so many workers have answered."""

    def after(count: int, fault: Callable[[], object]) -> None:
        run, asked = Local.run, []

        def counted(self: Local, request: Mapping[str, Any], *rest: Any, **more: Any) -> dict[str, Any]:
            answer = run(self, request, *rest, **more)
            asked.append(request["mode"])
            if len(asked) == count:
                fault()
            return answer

        monkeypatch.setattr(Local, "run", counted)

    return after


@pytest.mark.parametrize(("fault", "count"), [*((fault, 1) for fault in FAULTS), ("removed", 3), ("replaced", 3)])
def test_it_is_no_result(
    fault: str,
    count: int,
    model: Path,
    tiny: Callable[[float], bytes],
    after: Callable[..., None],
    mnet: Mnet,
    tmp_path: Path,
) -> None:
    # Memory and two rounds: after the first worker, or after all of them.
    break_it, sentence = FAULTS[fault]
    after(count, lambda: break_it(model, tiny(2)))
    said = mnet("profile", model, *WORDS, "--json", tmp_path / "a.json")
    assert said.code == 3
    assert f"{model} {sentence}" in said.line
    assert not (tmp_path / "a.json").exists()


def test_the_others_are_measured(
    model: Path, tiny: Callable[[float], bytes], after: Callable[..., None], mnet: Mnet, tmp_path: Path
) -> None:
    (tmp_path / "other.onnx").write_bytes(tiny(3))
    after(6, lambda: swap(model, tiny(2)))
    said = mnet("profile", model, tmp_path / "other.onnx", *WORDS, "--json", tmp_path / "a.json")
    assert said.code == 6
    failure, profile = json.loads((tmp_path / "a.json").read_text())
    assert (failure["kind"], failure["exit_code"], profile["kind"]) == ("failure", 3, "profile")
    assert "was changed" in failure["reason"]


def test_the_same_content_is_no_change(
    model: Path, tiny: Callable[[float], bytes], after: Callable[..., None], mnet: Mnet
) -> None:
    after(1, lambda: swap(model, tiny(1)))
    assert mnet("profile", model, *WORDS).code == 0
