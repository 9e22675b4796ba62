"""Whose file is it that would be written over?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata


def refuse(path: Path, about: Metadata, *, force: bool = False) -> None:
    """Refuse to write over a file, unless the same model was written there before.

    Args:
        path: Where a file is to be written.
        about: What it is to say of itself; without a digest of the weights, these are not known yet.
        force: Allow it.

    Raises:
        InputError: Something else is there.
    """
    if force or not path.exists():
        return
    try:
        _, there = artifact.metadata(path)
    except InputError:
        there = None
    if there is None or _origin(there, about) != _origin(about, about):
        raise InputError(
            f"{path} is there already and holds another model; write elsewhere with --out, or overwrite it with --force"
        )


def _origin(about: Metadata, wanted: Metadata) -> tuple[Any, ...]:
    """What stays the same when the same command is given the same input again."""
    weights = about.weights
    digest = weights.sha256 if wanted.weights.sha256 else ""
    return about.variant, about.spec, weights.source, weights.seed, digest
