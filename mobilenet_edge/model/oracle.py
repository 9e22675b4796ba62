"""Keras itself as the judge of a graph: what it computes from the same file, and how far the graph is from that."""

from __future__ import annotations

import io
import json
import re
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.graph.run import run
from mobilenet_edge.model import hdf5
from mobilenet_edge.model.read import Model
from mobilenet_edge.model.tf import load_keras

# The end of a message that is longer.
_LONGEST: Final = 400
_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")


def check_keras(path: Path, model: Model, images: NDArray[np.float32]) -> float:
    """Compare a graph with what Keras computes from its file.

    Args:
        path: The file.
        model: As `read` made it.
        images: float32 (n, h, w, c), as the model takes them in front of the layers that became its rule.

    Returns:
        The largest difference as a share of Keras's largest output.

    Raises:
        InputError: Keras cannot load the file; its reason is given to its end.
        MissingExtraError: TensorFlow is not installed.
    """
    wanted = np.asarray(load(path, model.version)(images, training=False), np.float64)
    given = run(model.graph, model.rule.apply(images)).reshape(wanted.shape)
    return float(np.abs(given - wanted).max() / max(np.abs(wanted).max(), np.finfo(np.float32).tiny))


def load(path: Path, version: tuple[int, int]) -> Any:
    """Load a file with the Keras that fits it. `read` must have accepted it: then nothing in it is code.

    Files of Keras 2 go to tf-keras, where that is installed: Keras 3 refuses some, and has another hard sigmoid.

    Args:
        path: The file; Keras gets a copy with the parts that were read and no others.
        version: Of the Keras that wrote it.

    Returns:
        A keras.Model.

    Raises:
        InputError: Keras cannot load it; its reason is given to its end, where it stands.
        MissingExtraError: TensorFlow is not installed.
    """
    data = files.read_bytes(path)
    keras = _keras(version)
    try:
        with tempfile.TemporaryDirectory(prefix="mnet-") as folder, warnings.catch_warnings():
            # What Keras warns of while it loads is what it fails for afterwards.
            warnings.simplefilter("ignore")
            checked = _copy(Path(folder), data, str(path))
            return keras.models.load_model(checked, compile=False, safe_mode=True)
    except Exception as error:
        if isinstance(error, OSError) and (full := files.no_room(error)):
            raise full from error
        # Keras raises whatever comes up, in bold, with pages of configuration before its reason.
        text = " ".join(_STYLE.sub("", str(error)).split()) or type(error).__name__
        reason = text if len(text) <= _LONGEST else f"… {text[-_LONGEST:]}"
        raise InputError(f"{path} cannot be loaded by Keras {keras.__version__}: {reason}") from error


def _keras(version: tuple[int, int]) -> Any:
    keras = load_keras()
    if version < (3, 0):
        try:
            import tf_keras
        except ImportError:
            return keras
        return tf_keras
    return keras


def _copy(folder: Path, data: bytes, name: str) -> Path:
    if data.startswith(hdf5.SIGNATURE):
        path = folder / "model.h5"
        path.write_bytes(data)
        return path
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w") as target, zipfile.ZipFile(io.BytesIO(data)) as source:
        target.writestr("config.json", json.dumps({**json.loads(source.read("config.json")), "compile_config": None}))
        target.writestr("metadata.json", source.read("metadata.json"))
        target.writestr(hdf5.MEMBER, hdf5.inside(data, name))
    return path
