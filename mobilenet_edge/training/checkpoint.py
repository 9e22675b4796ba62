"""The state of fine-tuning after an epoch, as files, so that a run that was killed goes on."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mobilenet_edge import files

WEIGHTS: Final = "weights.npz"
CURVE: Final = "curve.json"


@dataclass(frozen=True)
class Epoch:
    """Loss on the training pictures, loss and accuracy on the validation pictures; epoch 0 is before fine-tuning."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float


def keep(model: Any, curve: Sequence[Epoch], state: Path) -> None:
    """Write the weights and the optimiser of a keras.Model, and the curve so far.

    Raises:
        InputError: The folder cannot be written.
    """
    data = io.BytesIO()
    np.savez(data, *model.get_weights(), *(np.asarray(variable) for variable in model.optimizer.variables))
    points = json.dumps([vars(point) for point in curve]).encode()
    files.write_together({state / WEIGHTS: data.getvalue(), state / CURVE: points})


def restore(model: Any, state: Path) -> list[Epoch] | None:
    """Continue from what `keep` wrote for a compiled keras.Model of the same shapes.

    Returns:
        The curve so far; empty where there is no state, None where it is damaged. The model is unchanged by both.
    """
    if not (state / CURVE).exists():
        return []
    model.optimizer.build(model.trainable_variables)
    weights, variables = model.get_weights(), model.optimizer.variables
    try:
        curve = [Epoch(**point) for point in json.loads((state / CURVE).read_bytes())]
        # By its bytes: NumPy leaves a damaged file open.
        with np.load(io.BytesIO((state / WEIGHTS).read_bytes()), allow_pickle=False) as stored:
            arrays = [stored[name] for name in stored.files]
        shapes = [np.shape(array) for array in (*weights, *variables)]
        if [array.shape for array in arrays] != shapes or [point.epoch for point in curve] != list(range(len(curve))):
            return None
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    model.set_weights(arrays[: len(weights)])
    for variable, value in zip(variables, arrays[len(weights) :], strict=True):
        variable.assign(value)
    return curve
