"""`mnet check`: compare artifacts with their budgets."""

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

# Module of report/verdicts by format, imported on demand so that a check starts quickly.
FORMATS: Final = {
    "text": "plain",
    **{name: name for name in ("json", "markdown", "junit", "github", "benchmark")},
}


@dataclass(frozen=True)
class CheckOptions:
    """Options of a check.

    Attributes:
        budgets: Budget file.
        baseline: File, `git:REF` or `git:REF:PATH`, or None for the baseline in the budget file, if there is one.
        only: Keys of the metrics to check; empty for all.
        update: Whether to tighten the ratchets in the budget file.
        record: History file to append to.
    """

    budgets: Path = budgets.PATH
    baseline: str | None = None
    only: tuple[str, ...] = ()
    update: bool = False
    record: Path | None = None


def run(paths: Sequence[Path], options: CheckOptions = CheckOptions()) -> Check:
    """Compare artifacts and records with budgets.

    Args:
        paths: Model files, files written by `--json`, and folders of both; empty for the files that match the
            `artifact` patterns of the budgets.
        options: Options of the check.

    Raises:
        InputError: The budget file is invalid, another file cannot be read, or there is nothing to check.
        UsageError: There is no such metric.
    """
    _check_metrics(options.only)
    if options.record is not None:
        files.try_file(options.record)
    loaded = budgets.load(options.budgets)
    before = _baseline(loaded, options.baseline)
    models, sources = _split(paths or list(_matching_files(loaded)))
    subjects, notes = gather(models, [record for source in sources for record in records.read(source)])
    if not subjects:
        where = ", ".join(map(str, paths)) or str(options.budgets)
        raise InputError(f"no artifact and no record in {where}; give model files or files written by --json")
    if options.only:
        notes.append(f"Only {', '.join(options.only)} checked; other limits were skipped.")
    judged = verdict.judge(loaded, subjects, before, options.only, _expected(loaded, paths))
    free = [subject.artifact for subject in verdict.unmatched(loaded, subjects)]
    check = Check(loaded, tuple(subjects), tuple(judged), before, tuple(notes), tuple(free))
    if options.update:
        check = _tighten(check)
    if options.record is not None:
        commit, date = git.head()
        history.append(options.record, list(history.entries(subjects, commit, date)))
    return check


def dump(check: Check, format: str = "text") -> str:
    """Format a check in one of `FORMATS`, without a final line break.

    Raises:
        UsageError: There is no such format.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")
    text: str = importlib.import_module(f"{verdicts.__name__}.{FORMATS[format]}").dump(check)
    return text


def exit_code(check: Check) -> int:
    """Return 1 if a budget failed or is missing, else 0."""
    return int(any(verdict.bad for verdict in check.verdicts))


def _check_metrics(only: Sequence[str]) -> None:
    for key in only:
        if key not in METRICS:
            hint = schema.nearest(key, METRICS, f"known: {', '.join(METRICS)}")
            raise UsageError(f"unknown metric {key!r}; {hint}")


def _baseline(loaded: Budgets, source: str | None) -> baseline.Baseline | None:
    if source is not None:
        return baseline.read(source, loaded.baseline)
    # The baseline in the budget file does not exist before the first check.
    default = loaded.baseline
    return baseline.read(default) if default and Path(default).exists() else None


def _expected(loaded: Budgets, paths: Sequence[Path]) -> Callable[[Subject], bool]:
    """Return a predicate for artifacts of the baseline: in the given folders, or else matching the patterns."""
    folders = [path for path in paths if path.is_dir()]
    patterns = [] if paths else [pattern for budget in loaded.budgets for pattern in budget.artifact]

    def belongs(subject: Subject) -> bool:
        path = PurePath(subject.artifact)
        return any(path.is_relative_to(folder) for folder in folders) or any(
            path.match(pattern) for pattern in patterns
        )

    return belongs


def _tighten(check: Check) -> Check:
    text, changes = ratchet.tighten(check.budgets, check.verdicts)
    if changes:
        files.write_text(check.budgets.path, text)
    return replace(check, changes=tuple(changes))


def _matching_files(loaded: Budgets) -> Iterator[Path]:
    """Yield the files in the current folder that match the patterns of the budgets."""
    patterns = dict.fromkeys(glob for budget in loaded.budgets for glob in budget.artifact)
    for pattern in patterns:
        yield from sorted(path for path in Path().glob(pattern) if path.is_file() and _is_model(path))


def _split(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Split files into models and records, without duplicates."""
    distinct = list(dict.fromkeys(file for path in paths for file in _files(path)))
    return [file for file in distinct if _is_model(file)], [file for file in distinct if not _is_model(file)]


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or the artifacts and records in a folder, without Keras models, tables and checks."""
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
        return True  # an invalid file gets an error later instead of being skipped
