"""Read and write results as JSON, as `--json` writes them; docs/records.md documents every field.

A record is flat: the identity of the artifact, then the measured values, then the conditions. A change in the meaning
of a field raises the schema version. Older versions can be read, newer ones are refused. In version 1, remarks were
sentences.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, schema
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.records import strict
from mobilenet_edge.records.classification import Classification
from mobilenet_edge.records.evaluation import Evaluation
from mobilenet_edge.records.export import Export
from mobilenet_edge.records.failure import Failure
from mobilenet_edge.records.inspection import Inspection
from mobilenet_edge.records.prediction import Prediction
from mobilenet_edge.records.profile import Profile
from mobilenet_edge.records.record import SCHEMA_VERSION, ArtifactRecord, Record
from mobilenet_edge.records.remark import Remark
from mobilenet_edge.records.training import Training

__all__ = [
    "KINDS",
    "SCHEMA_VERSION",
    "ArtifactRecord",
    "Classification",
    "Evaluation",
    "Export",
    "Failure",
    "Inspection",
    "Prediction",
    "Profile",
    "Record",
    "Remark",
    "Training",
    "dumps",
    "loads",
    "read",
    "write",
]

READABLE: Final = (1, SCHEMA_VERSION)
KINDS: Final[Mapping[str, type[Record]]] = {
    record.kind: record
    for record in (Profile, Evaluation, Inspection, Failure, Prediction, Training, Classification, Export)
}


def dumps(records: Iterable[Record]) -> str:
    """Serialise records as the JSON array of `--json`."""
    return json.dumps([record.to_dict() for record in records], indent=1) + "\n"


def write(path: Path, records: Iterable[Record]) -> None:
    """Write records to a file atomically."""
    files.write_text(path, dumps(records))


def read(path: Path) -> list[Record]:
    """Read the records of a file.

    Raises:
        InputError: The file is missing, is not JSON, holds no records, or was written by a newer version.
    """
    return loads(files.read_bytes(path), str(path))


def loads(text: bytes, source: str) -> list[Record]:
    """Parse the JSON array of `dumps`.

    Args:
        text: UTF-8.
        source: Name of the file for messages.

    Raises:
        InputError: As for `read`.
    """
    try:
        data = strict.loads(text)
        if not isinstance(data, list):
            raise TypeError("not a JSON array")
        return [_parse(entry) for entry in data]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise InputError(
            f"{source} holds no records of mnet ({_line(error)}); give a file written by --json"
        ) from error
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def _parse(entry: dict[str, Any]) -> Record:
    if entry["schema_version"] not in READABLE:
        version = f"{entry['schema_version']!r:.40}"
        raise InputError(
            f"its record schema is {version}, but this mnet reads up to {SCHEMA_VERSION}; upgrade mobilenet-edge"
        )
    cls = KINDS.get(entry["kind"])
    if cls is None:
        raise ValueError(f"unknown kind {entry['kind']!r:.40}")
    return cls(**schema.values(cls, entry))


def _line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return " ".join(str(error).split())
