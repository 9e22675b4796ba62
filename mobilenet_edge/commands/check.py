"""`mnet check`: what artifacts cost, against what they may."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Final

from mobilenet_edge import files, records, schema
from mobilenet_edge.budget import baseline, budgets, git, history, ratchet, verdict
from mobilenet_edge.budget.budgets import Budgets
from mobilenet_edge.budget.gather import gather
from mobilenet_edge.budget.limit import METRICS
from mobilenet_edge.budget.subject import Subject
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.report import verdicts
from mobilenet_edge.report.verdicts import Check

# The module of report/verdicts for each, imported where it is asked for: a check answers at once.
FORMATS: Final = {
    "text": "plain",
    **{name: name for name in ("json", "markdown", "junit", "github", "benchmark")},
}


@dataclass(frozen=True)
class CheckOptions:
    """What is checked, beside the files.

    Attributes:
        budgets: The budget file.
        baseline: A file, `git:REF` or `git:REF:PATH`; None for the budget file's own, if it has one.
        only: Keys of the metrics to look at; all where there are none.
        update: Whether to tighten the ratchets in the budget file.
        record: A history to add to.
    """

    budgets: Path = budgets.PATH
    baseline: str | None = None
    only: tuple[str, ...] = ()
    update: bool = False
    record: Path | None = None


def run(paths: Sequence[Path], options: CheckOptions = CheckOptions()) -> Check:
    """Compare artifacts and records with budgets.

    Args:
        paths: Model files, files that `--json` wrote, and folders of either; without any, the files that the budgets'
            own `artifact` patterns find.
        options: How.

    Raises:
        InputError: The budget file is broken, or another file cannot be read; or nothing is there to be checked.
        UsageError: There is no such metric.
    """
    _known(options.only)
    if options.record is not None:
        files.try_file(options.record)
    loaded = budgets.load(options.budgets)
    before = _baseline(loaded, options.baseline)
    models, sources = _sorted(paths or list(_found(loaded)))
    subjects, notes = gather(models, [record for source in sources for record in records.read(source)])
    if not subjects:
        where = ", ".join(map(str, paths)) or str(options.budgets)
        raise InputError(f"no artifact and no record in {where}; give model files, or files written by --json")
    if options.only:
        notes.append(f"Only {', '.join(options.only)}: all other limits were left out.")
    found = verdict.judge(loaded, subjects, before, options.only, _expected(loaded, paths))
    free = [subject.artifact for subject in verdict.unmatched(loaded, subjects)]
    check = Check(loaded, tuple(subjects), tuple(found), before, tuple(notes), tuple(free))
    if options.update:
        check = _updated(check)
    if options.record is not None:
        commit, date = git.head()
        history.append(options.record, list(history.entries(subjects, commit, date)))
    return check


def dump(check: Check, format: str = "text") -> str:
    """Lay a check out in one of `FORMATS`, without a final line break.

    Raises:
        UsageError: There is no such format.
    """
    if format not in FORMATS:
        raise UsageError(f"no format is called {format!r}; there are {', '.join(FORMATS)}")
    laid_out: str = importlib.import_module(f"{verdicts.__name__}.{FORMATS[format]}").dump(check)
    return laid_out


def exit_code(check: Check) -> int:
    """Return 1 if a budget failed or is missing, else 0."""
    return int(any(verdict.bad for verdict in check.verdicts))


def _known(only: Sequence[str]) -> None:
    for key in only:
        if key not in METRICS:
            hint = schema.nearest(key, METRICS, f"there are {', '.join(METRICS)}")
            raise UsageError(f"nothing to limit is called {key!r}; {hint}")


def _baseline(loaded: Budgets, asked: str | None) -> baseline.Baseline | None:
    if asked is not None:
        return baseline.read(asked, loaded.baseline)
    # The first check makes the file that the budgets name.
    own = loaded.baseline
    return baseline.read(own) if own and Path(own).exists() else None


def _expected(loaded: Budgets, paths: Sequence[Path]) -> Callable[[Subject], bool]:
    """Tell which artifacts of a baseline belong to what is checked: to the folders given, or else to the patterns."""
    folders = [path for path in paths if path.is_dir()]
    patterns = [] if paths else [pattern for budget in loaded.budgets for pattern in budget.artifact]

    def belongs(subject: Subject) -> bool:
        path = PurePath(subject.artifact)
        return any(path.is_relative_to(folder) for folder in folders) or any(
            path.match(pattern) for pattern in patterns
        )

    return belongs


def _updated(check: Check) -> Check:
    made, changes = ratchet.tighten(check.budgets, check.verdicts)
    if changes:
        files.write_text(check.budgets.path, made)
    return replace(check, changes=tuple(changes))


def _found(loaded: Budgets) -> Iterator[Path]:
    """The files of the budgets' own patterns, in the current folder."""
    patterns = dict.fromkeys(each for budget in loaded.budgets for each in budget.artifact)
    for pattern in patterns:
        yield from sorted(path for path in Path().glob(pattern) if path.is_file() and _is_model(path))


def _sorted(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Tell model files from records, each once."""
    every = list(dict.fromkeys(file for path in paths for file in _files(path)))
    return [each for each in every if _is_model(each)], [each for each in every if not _is_model(each)]


def _files(path: Path) -> Iterator[Path]:
    """A file itself; of a folder the artifacts and the records, not Keras models, tables and checks."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.iterdir()):
        if file.suffix in (".tflite", ".onnx") or (file.suffix == ".json" and _is_array(file)):
            yield file


def _is_model(path: Path) -> bool:
    return path.suffix.removeprefix(".") in artifact.READERS


def _is_array(path: Path) -> bool:
    try:
        return not isinstance(json.loads(files.read_bytes(path)), dict)
    except (ValueError, RecursionError):
        return True  # broken: say so, don't pass over it
