"""`mnet train`: a classifier of one's own pictures as a .keras file."""

from __future__ import annotations

from pathlib import Path

from mobilenet_edge.records import Training
from mobilenet_edge.training import trainer
from mobilenet_edge.training.arguments import Arguments


def run(data: Path, options: Arguments, *, out: Path, force: bool = False) -> Training:
    """Train a classifier as `trainer.train` does."""
    return trainer.train(data, options, out=out, force=force)
