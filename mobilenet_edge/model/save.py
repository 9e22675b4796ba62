"""A Keras model as the bytes of a .keras file: the same model gives the same bytes."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_OBJECT: Final = re.compile(r'("shared_object_id": )(\d+)')


def keras_bytes(model: Any) -> bytes:
    """Serialise a keras.Model. What Keras takes from the clock and from memory addresses is taken out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        return _settled(path)


def _settled(path: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "metadata.json":
                data = _undated(data)
            elif name == "config.json":
                data = _numbered(data)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            target.writestr(entry, data)
    return buffer.getvalue()


def _undated(metadata: bytes) -> bytes:
    return json.dumps({key: value for key, value in json.loads(metadata).items() if key != "date_saved"}).encode()


def _numbered(config: bytes) -> bytes:
    """Number shared objects in the order they appear; Keras uses their addresses."""
    numbers: dict[str, int] = {}
    text = _OBJECT.sub(lambda match: f"{match[1]}{numbers.setdefault(match[2], len(numbers))}", config.decode())
    return text.encode()
