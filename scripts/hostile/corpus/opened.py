"""Open a sample of the corpus with the runtimes themselves: `mnet profile` and `mnet evaluate`, as far as one image."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from corpus.all import SEED, corpus
from corpus.case import Case
from corpus.run import Outcome
from corpus.seeds import load
from corpus.verbs import code
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation import classifier
from mobilenet_edge.formats import contradictions
from mobilenet_edge.formats.artifact import read
from mobilenet_edge.profiling import latency, settings

# Of each category, and most of them pass the reader: only those show what the runtime makes of them.
OF_EACH: Final = 24
AS_FEW: Final = settings.Plan(runs=1, seconds=0, rounds=1, max_seconds=5, limit=False)
SLACK_SECONDS: Final = 60.0


def run(sound: Path, of_each: int = OF_EACH, seconds: float | None = None, processes: int = 2) -> list[Outcome]:
    """Profile or evaluate a sample, in turn.

    Args:
        sound: The folder of `seeds.make`.
        of_each: Files of each category.
        seconds: Begin no other file after so long, None for no such limit.
        processes: At once.
    """
    until = None if seconds is None else time.monotonic() + seconds
    settings.SLACK_SECONDS = SLACK_SECONDS  # type: ignore[misc]
    chosen = sample(sound, of_each)
    with tempfile.TemporaryDirectory(prefix="corpus-") as name, ThreadPoolExecutor(processes) as pool:
        places = [Path(name, str(index)) for index in range(len(chosen))]
        made = pool.map(lambda each: _outcome(*each, until), zip(chosen, places, range(len(chosen)), strict=True))
        return [each for each in made if each is not None]


def sample(sound: Path, of_each: int) -> Sequence[Case]:
    """Choose files of each category that say what a runtime may make of them, in shuffled order."""
    chance, held = random.Random(SEED), {}
    for case in corpus(load(sound)):
        if case.run is not None and case.name.endswith((".tflite", ".onnx")):
            # Reservoir sampling: the files are too many to keep.
            kept, seen = held.setdefault(case.category, ([], [0]))
            seen[0] += 1
            if len(kept) < of_each:
                kept.append(case)
            elif (place := chance.randrange(seen[0])) < of_each:
                kept[place] = case
    chosen = [case for kept, _ in held.values() for case in kept]
    return chance.sample(chosen, len(chosen))


def profiled(path: Path) -> None:
    """`mnet profile --runs 1`."""
    latency.profile([path], AS_FEW)


def evaluated(path: Path) -> None:
    """`mnet evaluate`, on one grey image."""
    found = read(path)
    contradictions.refuse(found)
    with classifier.start(found, 1) as model:
        height, width = model.input.size
        if max(height, width) > 4096:
            raise InputError(f"images of {height} by {width} pixels")
        model.ask(np.full((height, width, model.rule.channels), 127, np.uint8))
        model.answer()


def _outcome(case: Case, folder: Path, index: int, until: float | None) -> Outcome | None:
    if until is not None and time.monotonic() > until:
        return None
    folder.mkdir()
    path = folder / f"case{Path(case.name).suffix}"
    path.write_bytes(case.data)
    got, bad = None, ""
    try:
        got = code(evaluated if index % 3 == 2 else profiled, path)
    except Exception as error:  # noqa: BLE001 - what is looked for
        bad = f"{type(error).__name__}: {str(error)[:200]}"
    path.unlink()
    allowed = case.run or case.codes
    if not bad and got not in allowed:
        bad = f"exit code {got}, not {sorted(allowed)}"
    return Outcome(case.name, case.category, got, bad)
