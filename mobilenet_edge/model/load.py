"""Load a .keras file from anywhere. Nothing in it is run: what is not Keras's own is refused by its name.

Keras's own safe mode is the second fence: what it lets through has changed from version to version. So Keras never gets
the file itself, but a new one with the parts that were looked at.
"""

from __future__ import annotations

import builtins
import json
import re
import tempfile
import textwrap
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import archive, artifact
from mobilenet_edge.model import hdf5
from mobilenet_edge.model.tf import load_keras

# Layers of Keras's own that hold or call code from outside.
CODE: Final = frozenset(("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"))
# Those that read files whose names the configuration gives.
FILES: Final = frozenset(("IntegerLookup", "StringLookup", "TextVectorization"))
# Where Keras's classes and functions for models live; other modules of it read files and fetch URLs.
OWN: Final = tuple(
    f"keras.{internal}{module}."
    for internal in ("", "src.")
    for module in (
        "activations", "constraints", "dtype_policies", "engine", "initializers", "layers", "losses", "metrics",
        "models", "ops", "optimizers", "quantizers", "random", "regularizers",
    )
)  # fmt: skip
CONFIG: Final = "config.json"
_LONGEST: Final = 200
_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")


def load_model(path: Path) -> Any:
    """Load a model for inference; what it was trained with (loss, metrics, optimiser) is left out.

    Returns:
        A keras.Model.

    Raises:
        InputError: Missing, not a whole .keras file, or it holds a Lambda or anything that is not Keras's own.
        MissingExtraError: TensorFlow is not installed.
    """
    model = artifact.read(path)
    if model.format != "keras":
        raise InputError(f"{path} is no Keras model; give the .keras file that mnet build or Keras saved")
    # artifact.read has parsed it already.
    config = archive.read(model.data, CONFIG) or "{}"
    _refuse_foreign(json.loads(config), str(path))
    weights = hdf5.inside(model)
    with hdf5.opened(weights, f"{path} ({hdf5.MEMBER})"):
        pass  # opening is the check
    keras = load_keras()
    try:
        with tempfile.TemporaryDirectory(prefix="mnet-") as folder, warnings.catch_warnings():
            # What Keras warns of while it loads is what it fails for afterwards.
            warnings.simplefilter("ignore")
            checked = _write(Path(folder) / "model.keras", config, weights)
            return keras.models.load_model(checked, compile=False, safe_mode=True)
    except Exception as error:
        if isinstance(error, OSError) and (full := files.no_room(error)):
            raise full from error  # Keras unpacks into the temporary folder
        # Keras raises whatever comes up, with pages of configuration, in bold, in the message.
        text = _STYLE.sub("", str(error)) or type(error).__name__
        reason = textwrap.shorten(text, _LONGEST, placeholder=" …")
        raise InputError(f"{path} cannot be loaded by Keras {keras.__version__}: {reason}") from error


def _refuse_foreign(config: dict[str, Any], path: str) -> None:
    # Not loaded, so a loss of the user's own does no harm.
    model = {key: value for key, value in config.items() if key != "compile_config"}
    for layer, entry in _entries(model):
        kind, module = str(entry["class_name"]), entry.get("module")
        if kind in CODE:
            raise InputError(
                f"{path}: layer {layer!r} is a {kind}, which holds or calls code; mnet runs no code from files: "
                f"build the model with Keras's other layers"
            )
        if kind in FILES:
            raise InputError(
                f"{path}: layer {layer!r} is a {kind}, which may read other files; no image classifier needs it: "
                f"build the model without"
            )
        registered = ">" in str(entry.get("registered_name"))
        if registered or not _is_own(module, kind, entry.get("config")):
            name = entry["registered_name"] if registered else ".".join(filter(None, (module, kind)))
            raise InputError(
                f"{path}: layer {layer!r} uses {name}, which is not Keras's own; mnet runs no code from files: "
                f"build the model with Keras's layers"
            )


def _is_own(module: object, kind: str, config: object) -> bool:
    """Say whether Keras would look nowhere but among its classes and functions for models."""
    if not all(map(str.isidentifier, kind.split(">"))):
        return False  # "utils.get_file" of the module "keras"
    if module == "builtins":
        # How Keras writes its own functions, by their names; up to 3.8 it took Python's for them, too.
        return not hasattr(builtins, str(config) if kind == "function" else kind)
    return module is None or module == "keras" or f"{module}.".startswith(OWN)


def _write(path: Path, config: str, weights: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(CONFIG, config)
        file.writestr(hdf5.MEMBER, weights)
    return path


def _entries(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a configuration, with the name of the layer it belongs to."""
    # A stack, not recursion: the depth is the file's choice.
    stack: list[tuple[str, Any]] = [("", config)]
    while stack:
        layer, value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                layer = _name(value) or layer
                yield layer, value
            stack += [(layer, each) for each in value.values()]
        elif isinstance(value, list):
            stack += [(layer, each) for each in value]


def _name(entry: dict[str, Any]) -> str | None:
    name = entry.get("name")
    if name is None and isinstance(entry.get("config"), dict):
        name = entry["config"].get("name")
    return name if isinstance(name, str) else None
