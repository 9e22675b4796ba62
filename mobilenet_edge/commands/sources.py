"""The files that a verb is given: models and records, and folders of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from mobilenet_edge import files, records
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Record

# What runs: a .keras file in a folder is what the others were made from.
RUNNABLE: Final = (".tflite", ".onnx")


def models(paths: Sequence[Path]) -> list[Path]:
    """Take the model files of folders for them: every .tflite and .onnx, sorted by name.

    Raises:
        InputError: A folder has none.
    """
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix in RUNNABLE and each.is_file())
        if not inside:
            raise InputError(f"{path} is a folder without .tflite or .onnx files; give a model file")
        found += inside
    return found


def read(paths: Sequence[Path]) -> list[Record]:
    """Read the records of files that `--json` wrote, and of folders of such files.

    Tables and checks in a folder are passed over, and so is a file that is given again with its folder.

    Raises:
        InputError: A file cannot be read or holds something else.
    """
    return [
        record
        for file in dict.fromkeys(each for path in paths for each in _files(path))
        for record in records.read(file)
    ]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (each for each in sorted(path.glob("*.json")) if not _is_table(each))


def _is_table(path: Path) -> bool:
    try:
        data = json.loads(files.read_bytes(path))
    except ValueError:
        return False
    return isinstance(data, dict) and ("tables" in data or data.get("kind") == "check")
