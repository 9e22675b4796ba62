"""Break things on purpose, for longer than the tests do, and count what came of it.

    python scripts/hostile/soak.py                          everything; takes 20 minutes on two cores
    python scripts/hostile/soak.py --kills 20 sweep         one part of it, shorter
    python scripts/hostile/soak.py --json faults.json       for the table of scripts/hostile/README.md

Parts: `sweep` kills a sweep with SIGKILL at random moments, every other time with all of its processes, and compares
what a resumed one ends with; `worker` kills the processes that measure; `disk` lets verbs write to disks of all sizes,
page by page; `pair` starts two sweeps in one folder at once. The faults are those of tests/faults. Ends with 1 if
anything was lost, left behind, crashed or hung.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.faults import disk, sweeps  # noqa: E402

MNET = (sys.executable, "-m", "mobilenet_edge")
# A sweep that is killed so often goes on to its end once.
KILLS_EACH = 5
LATE_SECONDS = 300
PROFILE = "--runs 2 --seconds 0 --rounds 3 --no-limit --json"


@dataclass
class Row:
    """One row of the table.

    Attributes:
        area: What is under attack.
        what: What was done to it.
        tried: How often.
        right: Times it ended as if nothing had been.
        refused: Times it ended in one sentence and the documented exit code, and everything was as before.
        bad: Times anything was lost or left behind, or crashed, or hung.
    """

    area: str
    what: str
    tried: int = 0
    right: int = 0
    refused: int = 0
    bad: int = 0

    def count(self, outcome: str, why: str) -> None:
        """Count one attempt; what is bad is told at once."""
        self.tried += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome == "bad":
            print(f"  {self.what}: {why}", flush=True)


@dataclass(frozen=True)
class Ground:
    """Where it happens.

    Attributes:
        folder: Empty, of its own.
        kills: How often a sweep is killed; other parts take their numbers from it.
        random: Chooses moments.
        config: A sweep of one artifact.
        calm: The folder of one that nobody disturbed.
        touches: How often one that finds all done touches its folder or starts a process.
    """

    folder: Path
    kills: int
    random: Random
    config: Path
    calm: Path
    touches: int


def prepare(folder: Path, kills: int, seed: int) -> Ground:
    """Let one sweep end in peace."""
    config, calm = folder / "sweep.toml", folder / "calm"
    config.write_text(sweeps.GRID)
    subprocess.run(sweeps.words(config, calm), check=True, capture_output=True)
    return Ground(folder, kills, Random(seed), config, calm, sweeps.touches(config, calm))


def soak_sweep(ground: Ground) -> list[Row]:
    """Kill sweeps."""
    row = Row("faults", "SIGKILL at a random moment of a sweep, then a resume to the end")
    expected = sweeps.result(ground.calm)
    for number in itertools.count():
        out = ground.folder / f"killed-{number}"
        killed = [
            sweeps.disturb(ground.config, out, ground.random.randint(1, ground.touches), bool(turn % 2))
            for turn in range(min(KILLS_EACH, ground.kills - row.tried))
        ]
        if not killed:
            break
        outcome, why = _resumed(ground, out, expected, killed)
        for _ in killed:
            row.count(outcome, why)
        print(f"  {row.tried} of {ground.kills}", flush=True)
    return [row]


def _resumed(ground: Ground, out: Path, expected: object, killed: list[sweeps.Disturbed]) -> tuple[str, str]:
    moments = f"killed at touch {', '.join(str(each.moment) for each in killed)} of its folder"
    if any(each.code != -signal.SIGKILL or "Traceback" in each.said for each in killed):
        return "bad", f"{moments}: ended by itself: {killed}"
    try:
        done = subprocess.run(sweeps.words(ground.config, out), capture_output=True, text=True, timeout=LATE_SECONDS)
    except subprocess.TimeoutExpired:
        return "bad", f"{moments}: the resumed sweep hung"
    if done.returncode:
        return "bad", f"{moments}: the resumed sweep ended with {done.returncode}: {done.stderr[-300:]}"
    if not sweeps.await_end(out):
        return "bad", f"{moments}: processes were left: {sweeps.running(out)}"
    made = sweeps.result(out)
    return ("right", "") if made == expected else ("bad", f"{moments}: another result: {made} instead of {expected}")


def soak_worker(ground: Ground) -> list[Row]:
    """Kill processes that measure."""
    row = Row("faults", "SIGKILL of the process that measures, at a random moment")
    artifact = next(ground.calm.glob("*.onnx"))
    path = ground.folder / "profiles.json"
    path.write_text("before")
    for _ in range(ground.kills):
        words = [*MNET, "profile", str(artifact), *PROFILE.split(), str(path)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            time.sleep(ground.random.uniform(0.3, 3))
            struck = _strike(process.pid)
            try:
                _, said = process.communicate(timeout=LATE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                row.count("bad", "hung")
                continue
        kept = path.read_text() == "before"
        if process.returncode == 0 and not kept:
            row.count("right", "")
            path.write_text("before")
        elif struck and process.returncode == 6 and kept and len(said.splitlines()) == 1:
            row.count("refused", "")
        else:
            row.count("bad", f"{process.returncode}, {said}")
    return [row]


def _strike(pid: int) -> bool:
    for each in list(sweeps.family(pid))[1:]:
        with suppress(OSError):
            if b"worker.pyz" in Path(f"/proc/{each}/cmdline").read_bytes():
                os.kill(each, signal.SIGKILL)
                return True
    return False


def soak_disk(ground: Ground) -> list[Row]:
    """Write to disks of all sizes."""
    records = ground.calm / "records.json"
    artifact = next(ground.calm.glob("*.onnx"))
    verbs = {
        "table": ["table", str(records), "--out", "{place}/table.md"],
        "inspect": ["inspect", str(artifact), "--json", "{place}/inspection.json"],
        "report": ["report", str(records), "--out", "{place}"],
    }
    (ground.folder / "disk").mkdir()
    with disk.mount(ground.folder / "disk") as place:
        return [_fill(ground, place, verb, words) for verb, words in verbs.items()]


def _fill(ground: Ground, place: disk.Disk, verb: str, words: list[str]) -> Row:
    row = Row("faults", f"a disk full after some pages of 4 KiB, at mnet {verb}")
    whole = [*MNET, *(word.format(place=place.folder) for word in words)]
    place.widen()
    subprocess.run(whole, check=True, capture_output=True)
    old = place.contents()
    held = sum(disk.pages(len(data)) for data in old.values())
    step = max(1, 2 * held // ground.kills)
    for limit in range(held, 2 * held + step, step):
        place.limit(limit)
        done = subprocess.run(whole, capture_output=True, text=True, timeout=LATE_SECONDS)
        intact = place.contents().keys() == old.keys()
        if done.returncode == 0 and intact:
            row.count("right", "")
        elif done.returncode == 3 and place.contents() == old and len(done.stderr.splitlines()) == 1:
            row.count("refused", "")
        else:
            row.count("bad", f"{limit - held} free pages: {done.returncode}, {done.stderr}")
    place.widen()
    for path in place.folder.iterdir():
        path.unlink()
    return row


def soak_pair(ground: Ground) -> list[Row]:
    """Start two sweeps at once."""
    row = Row("faults", "two sweeps in one folder at once")
    out = ground.folder / "pair"
    for turn in range(max(1, ground.kills // 5)):
        if turn % 2:
            (out / "records.json").unlink()  # so that both have something to write
        both = [sweeps.start(ground.config, out) for _ in range(2)]
        try:
            said = [each.communicate(timeout=LATE_SECONDS)[1] for each in both]
        except subprocess.TimeoutExpired:
            for each in both:
                each.kill()
            row.count("bad", "hung")
            continue
        codes = sorted(each.returncode for each in both)
        same = sweeps.result(out) == sweeps.result(ground.calm)
        if codes == [0, 0] and same:
            row.count("right", "")
        elif codes == [0, 3] and same and any("another sweep is at work" in each for each in said):
            row.count("refused", "")
        else:
            row.count("bad", f"{codes}, {said}")
    return [row]


PARTS: dict[str, Callable[[Ground], list[Row]]] = {
    "sweep": soak_sweep,
    "worker": soak_worker,
    "disk": soak_disk,
    "pair": soak_pair,
}


def main(arguments: list[str] | None = None) -> int:
    """Break what was named; 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--kills", type=int, default=100, help="how often (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--json", type=Path, help="write the rows here")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        ground = prepare(Path(folder), options.kills, options.seed)
        for name in options.parts or PARTS:
            began = time.monotonic()
            for row in PARTS[name](ground):
                rows.append(row)
                print(f"{row.what}: {row.tried} tried, {row.right} right, {row.refused} refused, {row.bad} bad")
            print(f"  {name} took {time.monotonic() - began:.0f} s", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return int(any(row.bad for row in rows))


if __name__ == "__main__":
    sys.exit(main())
