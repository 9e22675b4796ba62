"""`mnet profile` on this machine and on another at once, with a third that cannot be used."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mobilenet_edge import cli
from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import latency, targets
from mobilenet_edge.profiling.machine import Machine
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records.failure import exit_code
from mobilenet_edge.records.profile import STAGES
from tests.ssh.server import Server, wait_for

pytestmark = [pytest.mark.ssh, pytest.mark.slow]

QUICK = Plan(runs=6, seconds=0, rounds=2)


def test_two_machines_and_one_that_cannot_be_used(server: Server, model: Path):
    machines = [
        Machine(Local()),
        Machine(server.ssh(sys.executable, name="pi")),
        Machine(server.ssh("/nowhere/python", name="broken")),
    ]
    saved: list[int] = []
    here, there, missing = latency.profile([model], QUICK, machines=machines, save=lambda made: saved.append(len(made)))
    assert saved == [1, 2, 3]
    assert [each.host["name"] for each in (here, there)] == ["local", "pi"]
    # The same machine, reached in two ways, and the same stop rule.
    assert here.host["cpu"] == there.host["cpu"]
    assert here.round_sizes == there.round_sizes == (3, 3)
    assert there.limit is not None
    assert (missing.host, missing.exit_code) == ("broken", HostError.exit_code)
    assert "/nowhere/python" in missing.reason
    assert exit_code([here, there, missing]) == 6
    # The connections ended with the measurement.
    wait_for(lambda: not server.connections())


def test_a_damaged_file_does_not_end_the_others(server: Server, model: Path, tmp_path: Path):
    # Whole as far as its structure goes, and of an operator that no runtime has.
    data = model.read_bytes().replace(b"Add", b"Adx")
    (tmp_path / "odd.onnx").write_bytes(data)
    target = Machine(server.ssh(sys.executable))
    failure, good = latency.profile([tmp_path / "odd.onnx", model], QUICK, machines=[target])
    assert (failure.kind, failure.exit_code, good.kind) == ("failure", 3, "profile")
    assert "odd.onnx" in failure.reason


def test_a_name_of_the_devices_file(
    server: Server, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    (tmp_path / "bin").mkdir()
    server.command_on(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    (tmp_path / "devices.toml").write_text(f'[pi4]\nhost = "device"\npython = "{sys.executable}"\n')
    words = f"--host pi4 --devices {tmp_path}/devices.toml --runs 6 --rounds 2 --seconds 0 --json -"
    with pytest.raises(SystemExit) as stop:
        cli.main(["profile", str(model), *words.split()])
    said = capsys.readouterr()
    assert (stop.value.code, said.err) == (0, "")
    assert [each["host"]["name"] for each in json.loads(said.out)] == ["pi4"]
    assert [target.host.name for target in targets.find(["pi4"], tmp_path / "devices.toml")] == ["pi4"]


def test_pictures_are_taken_from_file_to_answer_there(server: Server, model: Path, tmp_path: Path):
    for number in range(3):
        Image.effect_noise((40 + number, 30), 90).convert("RGB").save(tmp_path / f"{number}.png")
    target = Machine(server.ssh(sys.executable, name="pi"))
    plan = replace(QUICK, limit=False)
    (profile,) = latency.profile([model], plan, machines=[target], end_to_end=tmp_path)
    assert profile.kind == "profile"
    entry = next(entry for entry in profile.end_to_end if entry["way"] == "pillow")
    # Two rounds, each with every picture; the pixels are those of mnet.
    assert (entry["pictures"], entry["runs"], entry["equal"], entry["max_difference"]) == (3, 6, 3, 0)
    assert min(entry[name] for name in STAGES) > 0
    assert profile.host["name"] == "pi"
    wait_for(lambda: not server.connections())
