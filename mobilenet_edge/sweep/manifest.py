"""Record completed stages, each in a small file that is written after the files it lists."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files
from mobilenet_edge.records import strict
from mobilenet_edge.sweep.stage import Stage, differences, digest

FOLDER: Final = ".mnet"
ENTRY: Final = "stage.json"
SCHEMA: Final = 1
MAX_CHANGES: Final = 3


class Manifest:
    """Completed stages in a folder.

    Attributes:
        out: Folder of the results; the manifest is in its subfolder `.mnet`.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def stale_reason(self, stage: Stage) -> str | None:
        """Return the reason why a stage must run, or None if it is fresh."""
        entry = self._entry(stage)
        if entry is None:
            return "never run"
        before, after = (
            {key: value for key, value in ingredients.items() if key not in stage.unknown}
            for ingredients in (entry["ingredients"], _plain(stage.ingredients))
        )
        changed = list(differences(before, after))
        if changed:
            more = f" and {len(changed) - MAX_CHANGES} more" if len(changed) > MAX_CHANGES else ""
            return ", ".join(changed[:MAX_CHANGES]) + more
        return next(filter(None, (self._output_error(output) for output in entry["outputs"])), None)

    def outputs(self, stage: Stage) -> list[Path]:
        """Return the output files of a recorded stage."""
        entry = self._entry(stage)
        return [] if entry is None else [self.out / output["path"] for output in entry["outputs"]]

    def sha256(self, stage: Stage) -> list[str]:
        """Return the recorded digests of the output files in hex."""
        entry = self._entry(stage)
        return [] if entry is None else [str(output["sha256"]) for output in entry["outputs"]]

    def record(self, stage: Stage, outputs: Sequence[Path]) -> None:
        """Record a completed stage, whose output files exist.

        Raises:
            InputError: The folder cannot be written.
        """
        entry = {
            "schema_version": SCHEMA,
            "stage": stage.name,
            "ingredients": _plain(stage.ingredients),
            "outputs": [self._output(path) for path in outputs],
        }
        files.write_text(self.path(stage, ENTRY), json.dumps(entry, indent=1) + "\n")

    def _output(self, path: Path) -> dict[str, Any]:
        facts = path.stat()
        name = path.relative_to(self.out).as_posix()
        return {"path": name, "bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns, "sha256": digest(path)}

    def _output_error(self, output: dict[str, Any]) -> str | None:
        path = self.out / output["path"]
        try:
            facts = path.stat()
        except (OSError, ValueError):  # ValueError: not a valid file name
            return f"{output['path']} is missing"
        # Equal size and time count as unchanged; if only the time differs, the content decides.
        if facts.st_size == output["bytes"] and facts.st_mtime_ns == output["mtime_ns"]:
            return None
        same = facts.st_size == output["bytes"] and digest(path) == output["sha256"]
        return None if same else f"{output['path']} was changed"

    def _entry(self, stage: Stage) -> dict[str, Any] | None:
        """Read the entry of a stage; return None if it is missing, unreadable or of another version."""
        try:
            entry = strict.loads(self.path(stage, ENTRY).read_bytes())
            valid = entry["schema_version"] == SCHEMA and entry["stage"] == stage.name
            valid = valid and isinstance(entry["ingredients"], dict)
            # A stage always has output files, so an entry without any is damaged.
            valid = valid and bool(entry["outputs"]) and all(map(_is_output, entry["outputs"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return dict(entry) if valid else None

    def path(self, stage: Stage, suffix: str) -> Path:
        """Return the path of a file of a stage in the folder of the manifest."""
        # The digest keeps names apart that differ only in characters that a file name cannot hold.
        short = hashlib.sha256(stage.name.encode()).hexdigest()[:8]
        return self.out / FOLDER / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', stage.name)[:100]}.{short}.{suffix}"


def _is_output(output: Any) -> bool:
    types = {"path": str, "bytes": int, "mtime_ns": int, "sha256": str}
    return all(isinstance(output[name], type_) for name, type_ in types.items())


def _plain(ingredients: Any) -> Any:
    """Convert to what JSON reads back: tuples become lists."""
    return json.loads(json.dumps(ingredients))
