"""Places that may not be written, and files that may not be read: one line, before anything is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Mnet, Said
from tests.faults.disk import Disk

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# Root may write anywhere, unless it gives up the right to.
MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")

WRITERS = {
    "build": "build --alpha 0.25 --rho 32 --out {place}",
    "export": "export {made}/a.keras --precision float32 --out {place}",
    "inspect": "inspect {made}/a.onnx --json {place}/a.json",
    "profile": "profile {made}/a.onnx --json {place}/a.json",
    "evaluate": "evaluate {made}/a.onnx --data {made} --json {place}/a.json",
    "sweep": "sweep {config} --out {place}",
    "report": "report {records} --out {place}",
    "table": "table {records} --out {place}/a.md",
    "check": "check {made}/a.onnx --budgets {budgets} --out {place}/a.txt",
    "record": "check {made}/a.onnx --budgets {budgets} --record {place}/a.jsonl",
}
# One that looks before it works, one that measures, one that only writes.
ASKED = ("sweep", "profile", "table")
READERS = {
    "inspect": "inspect {secret}",
    "profile": "profile {secret}",
    "table": "table {secret}",
    "sweep": "sweep {secret}",
    "compare": "compare {secret} {secret}",
}


@pytest.fixture
def budgets(tmp_path: Path) -> Path:
    path = tmp_path / "budgets.toml"
    path.write_text('[[budget]]\nartifact = "*.onnx"\nsize = "9 MB"\n')
    return path


def mortal(*words: str) -> Said:
    """Run `mnet` as somebody whom permissions bind."""
    prefix = MORTAL if os.geteuid() == 0 else ()
    whole = [*prefix, sys.executable, "-m", "mobilenet_edge", *words]
    made = subprocess.run(whole, capture_output=True, text=True, timeout=300)
    return Said(made.returncode, made.stdout, made.stderr)


@pytest.mark.parametrize("verb", WRITERS)
def test_a_disk_that_cannot_be_written(
    verb: str, disk: Disk, mnet: Mnet, made: Path, records: Path, config: Path, budgets: Path
) -> None:
    (disk.folder / "kept").write_text("kept")
    disk.freeze()
    words = WRITERS[verb].format(place=disk.folder, made=made, records=records, config=config, budgets=budgets)
    said = mnet(*words.split())
    assert said.code == 3
    assert said.line.endswith("read-only file system; choose another place")
    assert disk.contents() == {"kept": b"kept"}


@pytest.mark.parametrize("verb", ASKED)
def test_a_folder_of_somebody_else(verb: str, made: Path, records: Path, config: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o555)
    words = WRITERS[verb].format(place=place, made=made, records=records, config=config, budgets="")
    said = mortal(*words.split())
    assert said.code == 3
    assert said.line.endswith("permission denied; choose another place")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("verb", READERS)
def test_a_file_of_somebody_else(verb: str, made: Path, records: Path, config: Path, tmp_path: Path) -> None:
    source = {"table": records, "compare": records, "sweep": config}.get(verb, made / "a.onnx")
    secret = tmp_path / f"secret{source.suffix}"
    secret.write_bytes(source.read_bytes())
    secret.chmod(0)
    said = mortal(*READERS[verb].format(secret=secret).split())
    assert said.code == 3
    assert f"{secret}" in said.line
    assert "permission denied; check its permissions" in said.line
