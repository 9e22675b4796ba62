"""A disk that is full, at every write of every verb: one line, and whatever was there before is as it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mobilenet_edge.commands import report
from mobilenet_edge.hosts import payload
from tests.faults.conftest import Mnet, Said
from tests.faults.disk import Disk, moments, pages

pytestmark = [pytest.mark.faults, pytest.mark.slow]

BUDGETS = """
[[budget]]
artifact = "*.onnx"
size = "9 MB"
ratchet = true
"""


def by_age(folder: Path) -> list[Path]:
    """The files of a folder but the lock of a sweep, in the order of their last change."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns)


def fill(disk: Disk, mnet: Mnet, words: Sequence[object]) -> int:
    """Run a verb whose files belong together: once with room, then with room for all up to one of them.

    Returns:
        At how many files it failed.
    """
    assert mnet(*words).code == 0
    # Each is written anew, beside what it replaces.
    old = disk.contents()
    limits = [*moments(sum(map(pages, map(len, old.values()))), [each.read_bytes() for each in by_age(disk.folder)])]
    for limit in limits:
        disk.limit(limit)
        refused(mnet(*words))
        assert disk.contents() == old
    disk.widen()
    assert mnet(*words).code == 0
    return len(limits)


def refused(said: Said) -> None:
    assert said.code == 3, said
    last = said.err.splitlines()[-1]
    assert last.startswith("mnet: ")
    assert "no space left on device" in last
    assert "Traceback" not in said.err


def test_build(disk: Disk, mnet: Mnet) -> None:
    assert fill(disk, mnet, ["build", "--alpha", "0.25", "--rho", "32", "--classes", "10", "--out", disk.folder]) == 1


def test_export(disk: Disk, mnet: Mnet, made: Path, tmp_path: Path) -> None:
    words = ["export", made / "a.keras", "--precision", "float32", "--precision", "dynamic", "--out"]
    assert mnet(*words, tmp_path / "calm").code == 0
    calm = by_age(tmp_path / "calm")
    assert len(calm) == 4
    for done, limit in enumerate(moments(0, [path.read_bytes() for path in calm])):
        disk.limit(limit)
        refused(mnet(*words, disk.folder))
        # Each file stands for itself: those before the one that failed are whole, and stay.
        assert disk.contents() == {path.name: path.read_bytes() for path in calm[:done]}
        disk.clear()


def test_profile(disk: Disk, mnet: Mnet, made: Path) -> None:
    words = "--runs 1 --seconds 0 --rounds 1 --no-limit --json"
    whole = ["profile", made / "a.onnx", *words.split(), disk.folder / "profiles.json"]
    assert mnet(*whole).code == 0
    old = disk.contents()
    disk.limit(pages(len(old["profiles.json"])))
    said = mnet(*whole)
    assert (said.code, disk.contents()) == (3, old)
    assert "profiles.json: no space left on device; choose another place" in said.line


def test_inspect(disk: Disk, mnet: Mnet, made: Path) -> None:
    assert fill(disk, mnet, ["inspect", made / "a.onnx", "--json", disk.folder / "inspection.json"]) == 1


def test_table(disk: Disk, mnet: Mnet, records: Path) -> None:
    assert fill(disk, mnet, ["table", records, "--out", disk.folder / "table.md"]) == 1


def test_report(disk: Disk, mnet: Mnet, records: Path) -> None:
    tried = fill(disk, mnet, ["report", records, "--out", disk.folder])
    assert tried > len(report.TABLES) + 1


def test_check(disk: Disk, mnet: Mnet, made: Path, tmp_path: Path) -> None:
    (tmp_path / "budgets.toml").write_text(BUDGETS)
    words = ["check", made / "a.onnx", "--budgets", tmp_path / "budgets.toml"]
    assert fill(disk, mnet, [*words, "--out", disk.folder / "verdicts.txt"]) == 1


def test_a_history_keeps_what_it_has(disk: Disk, mnet: Mnet, made: Path, tmp_path: Path) -> None:
    (tmp_path / "budgets.toml").write_text(BUDGETS)
    words = ["check", made / "a.onnx", "--budgets", tmp_path / "budgets.toml", "--record", disk.folder / "a.jsonl"]
    assert mnet(*words).code == 0
    old = disk.contents()
    disk.limit(pages(len(old["a.jsonl"])))
    assert mnet(*words).code == 3
    assert disk.contents() == old


def test_a_budget_file_keeps_what_it_has(disk: Disk, mnet: Mnet, made: Path) -> None:
    (disk.folder / "budgets.toml").write_text(BUDGETS)
    old = disk.contents()
    disk.limit(1)
    words = ["check", made / "a.onnx", "--budgets", disk.folder / "budgets.toml", "--update"]
    said = mnet(*words)
    assert (said.code, disk.contents()) == (3, old)
    disk.widen()
    assert mnet(*words).code == 0
    assert disk.contents() != old


@pytest.mark.usefixtures("quick_sweep")
def test_sweep(disk: Disk, mnet: Mnet, config: Path, tmp_path: Path) -> None:
    words = ["sweep", config, "--out"]
    assert mnet(*words, tmp_path / "calm").code == 0
    calm = tmp_path / "calm"
    order = by_age(calm)
    whole = [path.read_bytes() for path in order]
    # The model, the artifact and the profile with an entry in the manifest each, the records, three tables.
    assert len(whole) == 3 * 2 + 1 + 3
    kept: set[str] = set()
    for limit in moments(0, whole):
        disk.limit(limit)
        refused(mnet(*words, disk.folder))
        names = set(disk.contents())
        # What was done stays, and nothing else.
        assert kept <= names <= {path.relative_to(calm).as_posix() for path in order}
        kept = names
    disk.widen()
    assert mnet(*words, disk.folder).code == 0
    made = disk.contents()
    name = "mobilenet_v1-a0.25-r32-c10"
    for each in (f"{name}.keras", f"{name}.float32.onnx"):
        assert made[each] == (calm / each).read_bytes()


TMP_VERBS = {
    "build": "build --alpha 0.25 --rho 32 --classes 10 --out {out}",
    "export": "export {made}/a.keras --precision float32 --out {out}",
    "profile": "profile {made}/a.onnx --runs 1 --seconds 0 --rounds 1 --no-limit --json {out}/profiles.json",
}


@pytest.mark.parametrize("verb", TMP_VERBS)
def test_a_full_folder_for_temporary_files(
    verb: str, disk: Disk, mnet: Mnet, made: Path, tmp_path: Path, temporary: Callable[[Path], None]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    temporary(disk.folder)
    payload._file.cache_clear()
    words = TMP_VERBS[verb].format(made=made, out=out).split()
    size, failures = 1, 0
    while True:
        disk.limit(size)
        said = mnet(*words)
        if said.code == 0:
            break
        refused(said)
        assert (list(out.iterdir()), disk.contents()) == ([], {})
        size, failures = size * 8, failures + 1
    assert failures > 0
    payload._file.cache_clear()


def test_no_room_for_what_measures_the_machines_limit(
    disk: Disk, mnet: Mnet, model: Path, temporary: Callable[[Path], None]
) -> None:
    temporary(disk.folder)
    payload._file.cache_clear()
    # The worker itself fits; products of several MB do not.
    disk.limit(pages(len(payload.pack_compiled())) + 2)
    said = mnet("profile", model, "--runs", 1, "--seconds", 0, "--rounds", 1)
    assert said.code == 0
    assert "could not be measured: no space left in the temporary folder" in said.out
    payload._file.cache_clear()


def test_a_full_stdout(records: Path) -> None:
    words = [sys.executable, "-m", "mobilenet_edge", "table", str(records)]
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert said.returncode == 3
    (line,) = said.stderr.splitlines()
    assert "no space left on device" in line
