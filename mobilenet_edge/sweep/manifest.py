"""Record finished stages: one small file for each, written after the files that it lists."""

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
SCHEMA: Final = 1
SHOWN: Final = 3


class Manifest:
    """The stages done in a folder.

    Attributes:
        out: The folder with the results; the manifest is in `.mnet` below it.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def stale_reason(self, stage: Stage) -> str | None:
        """Return why a stage must run, None where it is up to date."""
        entry = self._entry(stage)
        if entry is None:
            return "never done"
        before, after = (
            {key: value for key, value in each.items() if key not in stage.unknown}
            for each in (entry["ingredients"], _plain(stage.ingredients))
        )
        changed = list(differences(before, after))
        if changed:
            more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
            return ", ".join(changed[:SHOWN]) + more
        return next(filter(None, (self._wrong(output) for output in entry["outputs"])), None)

    def outputs(self, stage: Stage) -> list[Path]:
        """Return the files of a recorded stage."""
        entry = self._entry(stage)
        return [] if entry is None else [self.out / output["path"] for output in entry["outputs"]]

    def sha256(self, stage: Stage) -> list[str]:
        """Return the digests of these files, as hex, without reading them."""
        entry = self._entry(stage)
        return [] if entry is None else [str(output["sha256"]) for output in entry["outputs"]]

    def record(self, stage: Stage, outputs: Sequence[Path]) -> None:
        """Record that a stage is done; its files are in place by now.

        Raises:
            InputError: The folder cannot be written.
        """
        entry = {
            "schema_version": SCHEMA,
            "stage": stage.name,
            "ingredients": _plain(stage.ingredients),
            "outputs": [self._output(path) for path in outputs],
        }
        files.write_text(self._path(stage), json.dumps(entry, indent=1) + "\n")

    def _output(self, path: Path) -> dict[str, Any]:
        facts = path.stat()
        name = path.relative_to(self.out).as_posix()
        return {"path": name, "bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns, "sha256": digest(path)}

    def _wrong(self, output: dict[str, Any]) -> str | None:
        path = self.out / output["path"]
        try:
            facts = path.stat()
        except (OSError, ValueError):  # or no name of a file at all
            return f"{output['path']} is missing"
        # Unchanged in size and time is believed; touched or copied, the content decides.
        if facts.st_size == output["bytes"] and facts.st_mtime_ns == output["mtime_ns"]:
            return None
        same = facts.st_size == output["bytes"] and digest(path) == output["sha256"]
        return None if same else f"{output['path']} was changed"

    def _entry(self, stage: Stage) -> dict[str, Any] | None:
        """What is remembered; an entry that cannot be read, or is of another version, is as good as none."""
        try:
            entry = strict.loads(self._path(stage).read_bytes())
            whole = entry["schema_version"] == SCHEMA and entry["stage"] == stage.name
            whole = whole and isinstance(entry["ingredients"], dict)
            # A stage always leaves a file; where none is noted, the note is damaged.
            whole = whole and bool(entry["outputs"]) and all(map(_is_output, entry["outputs"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return dict(entry) if whole else None

    def place(self, stage: Stage, suffix: str) -> Path:
        """Name a file for what a stage makes beside artifacts; in the manifest's own folder."""
        # Two names may differ only in what a file's name cannot hold.
        short = hashlib.sha256(stage.name.encode()).hexdigest()[:8]
        return self.out / FOLDER / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', stage.name)[:100]}.{short}.{suffix}"

    def _path(self, stage: Stage) -> Path:
        return self.place(stage, "stage.json")


def _is_output(output: Any) -> bool:
    kinds = {"path": str, "bytes": int, "mtime_ns": int, "sha256": str}
    return all(isinstance(output[name], kind) for name, kind in kinds.items())


def _plain(ingredients: Any) -> Any:
    """As JSON gives it back: tuples become lists."""
    return json.loads(json.dumps(ingredients))
