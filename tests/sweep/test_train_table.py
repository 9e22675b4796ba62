"""`[train]` in a sweep's file: what it takes, and what contradicts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.sweep import config
from mobilenet_edge.sweep.config import Sweep

GRID = "[grid]\nalpha = [0.25, 0.5]\nrho = [64]\n"
TRAIN = '[train]\ndata = "pets"\n'


def load(folder: Path, text: str) -> Sweep:
    (folder / "sweep.toml").write_text(text)
    return config.load_sweep(folder / "sweep.toml")


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        (GRID, ("random", "random")),
        (GRID + TRAIN, ("imagenet", "imagenet")),
        (GRID + TRAIN + '[weights]\nsource = "random"\n', ("random", "random")),
        (GRID + TRAIN + 'weights = "body.h5"\n', ("body.h5", "body.h5")),
        (GRID + TRAIN + 'weights = { 0.25 = "a.h5", 0.5 = "b.h5" }\n', ("a.h5", "b.h5")),
        (GRID + TRAIN + 'weights = { "0.25" = "a.h5", "0.50" = "b.h5" }\n', ("a.h5", "b.h5")),
        ('weights = { 0.25 = "a.h5", 0.5 = "b.h5" }\n' + GRID, ("a.h5", "b.h5")),
        (GRID + '[weights]\nsource = { 0.25 = "a.h5", 0.5 = "b.h5" }\nseed = 3\n', ("a.h5", "b.h5")),
        (GRID + '[weights]\n0.25 = "a.h5"\n0.5 = "b.h5"\n', ("a.h5", "b.h5")),
    ],
)
def test_weights_of_each_alpha(tmp_path, text, sources):
    sweep = load(tmp_path, text)
    # Files are relative to that of the sweep.
    places = tuple(source if source in config.NAMES else str(tmp_path / source) for source in sources)
    assert tuple(sweep.bodies.of(alpha) for alpha in (0.25, 0.5)) == places


def test_whole_alphas(tmp_path):
    sweep = load(tmp_path, '[grid]\nalpha = [1, 2]\nrho = 64\n[weights]\n1 = "a.h5"\n2.0 = "b.h5"\n')
    assert (sweep.weights.of(1.0), sweep.weights.of(2.0)) == (str(tmp_path / "a.h5"), str(tmp_path / "b.h5"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRID + '[weights]\n0.25 = "a.h5"\n', 'weights are given for alpha 0.25, but not for 0.5; add 0.5 = "FILE"'),
        (GRID + "[weights]\n0.25 = 3\n", "weights for alpha 0.25 is 3; it must be text"),
        (GRID + TRAIN + "weights = 3\n", "weights is 3; it must be a table"),
        (GRID + '[weights]\nsorce = "random"\n', "unknown key 'weights.sorce'; did you mean 'source'?"),
        (GRID + "[train]\nepochs = 3\n", r"the table \[train\] lacks data"),
        (GRID + TRAIN + "test = 0\n", "train.test must be above 0"),
        (GRID + TRAIN + "epochs = -1\n", "epochs must be 0 or more"),
        (GRID + TRAIN + 'unfreeze = "most"\n', "unfreeze must be 0 to 13 blocks, or all"),
        (GRID + TRAIN + "unfreeze = 1.5\n", "train.unfreeze is 1.5; it must be a whole number or text"),
        (GRID + TRAIN + "min_top1 = 101\n", "min_top1 must be from 0 to 100 percent"),
        (GRID + TRAIN + '[evaluate]\ndata = "pets"\n', r"evaluate.data cannot be used with \[train\]"),
        (GRID + TRAIN + '[calibration]\nsource = "pets"\n', r"calibration.source cannot be used with \[train\]"),
    ],
)
def test_contradictions_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("lines", "budgets"),
    [("epochs = 10", [10]), ("epochs = 10\nmin_top1 = 80", [0, 3, 10]), ("epochs = 1\nmin_top1 = 80", [0, 1]),
     ("min_top1 = 80", [0])],
)  # fmt: skip
def test_budgets_grow(tmp_path, lines, budgets):
    sweep = load(tmp_path, GRID + TRAIN + lines)
    assert sweep.train is not None
    assert sweep.train.budgets() == budgets
