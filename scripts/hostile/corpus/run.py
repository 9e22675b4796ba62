"""Read the corpus in processes that may die, and add up what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# A process that says nothing for so long hangs where no alarm reaches it.
SILENCE_SECONDS: Final = 120
SCRIPTS: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Outcome:
    """What came of a file: the first exit code, and what is wrong with it, empty for nothing."""

    name: str
    category: str
    code: int | None
    bad: str = ""


def read(sound: Path, step: int = 1, processes: int = 2) -> list[Outcome]:
    """Read every `step`-th file of the corpus.

    Args:
        sound: The folder of `seeds.make`.
        step: 1 for all files.
        processes: At once.
    """
    with ThreadPoolExecutor(processes) as pool:
        parts = pool.map(lambda part: list(_part(sound, part * step, step * processes)), range(processes))
        return [each for part in parts for each in part]


def rows(area: str, outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """One row of the table for each category: tried, right, refused, bad."""
    made: dict[str, dict[str, Any]] = {}
    for each in outcomes:
        empty = {"area": area, "what": each.category, "tried": 0, "right": 0, "refused": 0, "bad": 0}
        row = made.setdefault(each.category, empty)
        row["tried"] += 1
        row["bad" if each.bad else "right" if each.code in (0, 1) else "refused"] += 1
    return sorted(made.values(), key=lambda row: row["what"])


def _part(sound: Path, first: int, step: int) -> Iterator[Outcome]:
    """Go on behind a file that a process died of."""
    while True:
        pending, finished = None, False
        for line in _lines(sound, first, step):
            if pending is None:
                pending = line
                continue
            yield Outcome(pending["name"], pending["category"], (*line["codes"], None)[0], line["bad"])
            first, pending = pending["index"] + step, None
        finished = pending is None
        if finished:
            return
        yield Outcome(pending["name"], pending["category"], None, "the process died or fell silent")
        first = pending["index"] + step


def _lines(sound: Path, first: int, step: int) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "corpus.read", str(sound), str(first), str(step)]
    with subprocess.Popen(command, cwd=SCRIPTS, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while True:
            watch = threading.Timer(SILENCE_SECONDS, process.kill)
            watch.start()
            line = process.stdout.readline()
            watch.cancel()
            if not line:
                break
            yield json.loads(line)
