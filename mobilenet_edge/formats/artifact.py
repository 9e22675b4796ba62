"""A model file, and what it says of itself. Read with the standard library alone: no runtime is started."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import keras
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.formats.onnx import read as onnx
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.records.record import CALIBRATED

# A .keras file in a folder is what the others were exported from.
RUNNABLE: Final = (".tflite", ".onnx")
READERS: Final = {"tflite": tflite, "onnx": onnx, "keras": keras}
# By the end of a file's name.
FORMATS: Final = {"tflite": "tflite", "onnx": "onnx", "keras": "keras", "h5": "keras", "hdf5": "keras"}


@dataclass(frozen=True)
class Artifact:
    """A model file on disk.

    Attributes:
        path: As it was given.
        format: "tflite", "onnx" or "keras".
        data: The whole file.
        metadata: What mnet wrote into it; None for somebody else's model.
        contents: Its tensors and operators; reading them checks the structure.
    """

    path: Path
    format: str
    data: bytes
    metadata: Metadata | None
    contents: Contents

    @property
    def size_bytes(self) -> int:
        """File size."""
        return len(self.data)

    @cached_property
    def sha256(self) -> str:
        """Digest of the file, as hex."""
        return hashlib.sha256(self.data).hexdigest()

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            InputError: The place cannot be written.
        """
        files.write_bytes(Path(path), self.data)

    @property
    def precision(self) -> str:
        """As the metadata says, else as the element types of the weights show."""
        return self.metadata.precision if self.metadata else self.contents.precision

    def identity(self) -> dict[str, Any]:
        """The keyword arguments that every `records.Record` begins with."""
        own = {
            "artifact": str(self.path),
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "format": self.format,
            "precision": self.precision,
        }
        about = self.metadata
        if about is None:
            lacks = ("variant, preprocessing and provenance: the file was not made by mnet or carries no metadata",)
            return {**own, "variant": self.path.name.removesuffix(self.path.suffix), "lacks": lacks}
        return {
            **own,
            "variant": about.variant,
            "spec": asdict(about.spec) if about.spec else None,
            "target": about.target,
            "macs": about.macs,
            "parameters": about.parameters,
            "weights": about.weights.source,
            "calibration": asdict(about.calibration) if about.calibration else None,
        }


def find(paths: Sequence[Path]) -> list[Path]:
    """Take the model files of folders for them: every .tflite and .onnx, sorted by name.

    Raises:
        InputError: A folder has none.
    """
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix in RUNNABLE and each.is_file())
        if not inside:
            raise InputError(f"{path} is a folder without .tflite or .onnx files; give a model file")
        found += inside
    return found


def read(path: Path) -> Artifact:
    """Read a model file and check its structure.

    Raises:
        InputError: Missing, a folder, not a model, cut off, or with metadata that cannot be read.
    """
    kind = _kind(path)
    data = files.read_bytes(path)
    with _as_input_error(path):
        contents = READERS[kind].contents(data)
        text = READERS[kind].metadata(data)
    about = None if text is None else Metadata.from_json(text, str(path))
    return Artifact(path, kind, data, about, contents)


def metadata(path: Path) -> tuple[bytes, Metadata | None]:
    """Read a model file and what it says of itself, but don't look at its contents: that is most of the time.

    Raises:
        InputError: Missing, a folder, cut off, or with metadata that cannot be read.
    """
    kind = _kind(path)
    data = files.read_bytes(path)
    with _as_input_error(path):
        text = READERS[kind].metadata(data)
    return data, None if text is None else Metadata.from_json(text, str(path))


def _kind(path: Path) -> str:
    if (path / "saved_model.pb").exists():
        raise InputError(
            f"{path} is a SavedModel, which is a program, not a model file; write one with Keras 2: pip install "
            f"tf-keras, then python -c \"import tf_keras; tf_keras.models.load_model('{path}').save('model.keras')\""
        )
    kind = FORMATS.get(path.suffix.removeprefix("."))
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a model file in it")
    if kind is None:
        raise InputError(f"{path} is not a model file mnet knows; it reads .tflite, .onnx, .keras and .h5")
    return kind


@contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (IndexError, KeyError) as error:
        # The readers check every offset; what is left is a number that refers to a tensor, buffer or name of the file.
        raise _damaged(path, "a reference in it leads nowhere") from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, fact: str) -> InputError:
    return InputError(f"{path} is not a whole {path.suffix} model: {fact}; export or copy it again")


def write(path: Path, data: bytes, about: Metadata) -> None:
    """Put the metadata into a model file's bytes and write the file, whole or not at all."""
    files.write_bytes(path, embed(path, data, about))


def embed(path: Path, data: bytes, about: Metadata) -> bytes:
    """Return the file's bytes with the metadata inside, by the format's own convention."""
    whole: bytes = READERS[path.suffix.removeprefix(".")].embed(data, about)
    return whole


def file_name(variant: str, precision: str, kind: str, target: str = "generic") -> str:
    """Name an artifact. The dot in alpha breaks `Path.with_suffix`: names are built, never derived.

    Only files with integer activations differ by target, and bear its name unless they run everywhere.
    """
    made_for = f"-{target}" if precision in CALIBRATED and target != "generic" else ""
    return f"{variant}.{precision}{made_for}.{kind}"
