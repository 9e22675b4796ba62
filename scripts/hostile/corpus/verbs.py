"""What is done with a file: the functions behind the verbs that read files of its suffix, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from mobilenet_edge import records
from mobilenet_edge.budget import baseline, budgets, history
from mobilenet_edge.commands import check, compare, inspect, table
from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats import costs
from mobilenet_edge.formats.artifact import read
from mobilenet_edge.hosts import devices
from mobilenet_edge.report import inventory

Verb = Callable[[Path], object]


class Wrong(Exception):
    """A result that cannot be right."""


def inspected(path: Path) -> None:
    """`mnet inspect`, for reading and as records."""
    for target in ("edgetpu", None) if path.suffix == ".tflite" else (None,):
        found = inspect.run([path], target)
        _strict(records.dumps(found))
        for record in found:
            if sum(record.bytes.values()) != record.size_bytes or min(record.bytes.values()) < 0:
                raise Wrong(f"parts of {record.bytes} in a file of {record.size_bytes} bytes")
            inventory.text(record).encode()


def dissected(path: Path) -> None:
    """What `mnet profile --ops` counts of a file."""
    costs.of(read(path).contents)


def tabulated(path: Path) -> None:
    """`mnet table` in every format."""
    for form in table.FORMATS:
        made = table.run([path], form)
        made.encode()
        if form == "json":
            _strict(made)


def compared(path: Path) -> None:
    """`mnet compare` of records with themselves."""
    compare.run(path, path)


def checked(path: Path) -> None:
    """`mnet check` against a budget that all can meet."""
    found = check.run([path], check.CheckOptions(budgets=path.parent / "sound.toml"))
    for form in check.FORMATS:
        check.dump(found, form).encode()


def based(path: Path) -> None:
    """`mnet check --baseline`."""
    baseline.read(str(path))


def budgeted(path: Path) -> None:
    """`mnet check --budgets`."""
    budgets.load(path)


def appended(path: Path) -> None:
    """`mnet check --record`."""
    history.append(path, [{"schema_version": 1}])


VERBS: Final[Mapping[str, tuple[Verb, ...]]] = {
    ".tflite": (inspected, dissected, checked),
    ".onnx": (inspected, checked),
    ".keras": (inspected,),
    ".json": (tabulated, compared, checked, based),
    ".jsonl": (appended,),
    ".toml": (budgeted, devices.load),
}


def code(verb: Verb, path: Path) -> int:
    """Return the exit code of a verb; what is no expected failure is raised.

    Raises:
        Wrong: The message is no single line, or what came out cannot be right.
    """
    try:
        verb(path)
    except MnetError as error:
        message = str(error)
        if not message or "\n" in message or len(message) > 2000:
            raise Wrong(f"a message of {len(message)} characters: {message:.80}") from error
        message.encode()
        return error.exit_code
    return 0


def _strict(text: str) -> None:
    """JSON without the numbers that it has not."""

    def refuse(constant: str) -> None:
        raise Wrong(f"{constant} in JSON")

    json.loads(text, parse_constant=refuse)
