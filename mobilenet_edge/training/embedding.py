"""Features of pictures by a frozen body, computed once for each picture and kept on disk."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import cpus, files
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.onnx.loader import open_session
from mobilenet_edge.formats.onnx.write import float_onnx
from mobilenet_edge.graph import Graph
from mobilenet_edge.training.crops import View

Array = NDArray[np.float32]

# Larger arrays of features are kept in a file.
MEMORY_BYTES: Final = 1 << 28
# Raised whenever the same key would give other features.
_VERSION: Final = 2
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Body:
    """A graph that turns a picture into a vector of features.

    Attributes:
        graph: It ends in a vector (width,).
        rule: How a picture becomes its input.
        cache: Folder in which features are kept; None keeps none.
    """

    graph: Graph
    rule: Preprocess
    cache: Path | None = None

    @property
    def key(self) -> str:
        """Digest of what the features of a view depend on, as hex."""
        rule = replace(self.rule, origin={}, evidence="")
        parts = (_VERSION, self.graph.sha256(), self.graph.input_shape, rule)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def features(
        self,
        pictures: Sequence[Picture],
        views: Callable[[Picture], Iterator[View]],
        advance: Callable[[], None] = lambda: None,
    ) -> tuple[Array, list[Picture], list[Path]]:
        """Compute the features of views of pictures.

        Args:
            pictures: Each is decoded once, and not at all where its features are kept.
            views: The same number of views for each picture.
            advance: Called after each picture.

        Returns:
            float32 (n, views, width), on disk where they would fill the memory; the n pictures they are of; and the
            files that cannot be read.

        Raises:
            InputError: None of the pictures can be read, or the cache cannot be written.
        """
        session = Session(float_onnx(self.graph))
        table = self._table(pictures, views)

        def fill(index: int) -> bool:
            values = self._of_picture(session, pictures[index], list(views(pictures[index])))
            advance()
            if values is not None:
                table[index] = values
            return values is not None

        with ThreadPoolExecutor(len(cpus.available())) as pool:
            flags = list(pool.map(fill, range(len(pictures))))
        readable = [index for index, flag in enumerate(flags) if flag]
        unreadable = [picture.path for picture, flag in zip(pictures, flags, strict=True) if not flag]
        if pictures and not readable:
            raise InputError(f"none of {len(pictures)} pictures can be read; the first: {unreadable[0]}")
        for target, source in enumerate(readable):
            if target != source:
                table[target] = table[source]
        return table[: len(readable)], [pictures[index] for index in readable], unreadable

    def _table(self, pictures: Sequence[Picture], views: Callable[[Picture], Iterator[View]]) -> Array:
        """Make an empty array for the features, in a file without a name if it is large."""
        shape = (len(pictures), len(list(views(pictures[0]))) if pictures else 0, *self.graph.output.shape)
        size = 4 * math.prod(shape)
        if size <= MEMORY_BYTES:
            return np.empty(shape, np.float32)
        try:
            with tempfile.TemporaryFile(dir=self.cache and _folder(self.cache)) as file:
                # Written, not only sized: a full disk is then an error here, and no crash later.
                for start in range(0, size, _BLOCK):
                    file.write(bytes(min(_BLOCK, size - start)))
                file.flush()
                return np.memmap(file, np.float32, "r+", shape=shape)
        except OSError as error:
            raise files.no_room(error) or InputError(f"cannot write to {self.cache}: {files.reason(error)}") from error

    def _of_picture(self, session: Session, picture: Picture, views: Sequence[View]) -> Array | None:
        path = self._path(picture, views)
        if path is not None and path.exists():
            width = self.graph.output.shape[0]
            data = np.frombuffer(files.read_bytes(path), np.float32)
            if data.size == width * len(views):
                return data.reshape(len(views), width)
        try:
            image = images.decode(picture.path)
        except InputError:
            return None
        tensors = (prepare.scale(view.pixels(image, self.rule), self.rule) for view in views)
        values = np.stack([session.run(tensor) for tensor in tensors])
        if path is not None:
            files.write_bytes(path, values.tobytes())
        return values

    def _path(self, picture: Picture, views: Sequence[View]) -> Path | None:
        if self.cache is None:
            return None
        name = hashlib.sha256(f"{picture.sha256} {views}".encode()).hexdigest()
        return self.cache / self.key[:16] / name[:2] / f"{name[2:32]}.f32"


class Session:
    """One onnxruntime session that several threads use, each for one picture."""

    def __init__(self, model: bytes) -> None:
        self._session = open_session(model)
        self._name = self._session.get_inputs()[0].name

    def run(self, tensor: Array) -> Array:
        """Run (height, width, 3); return a vector."""
        feed: dict[str, Any] = {self._name: np.ascontiguousarray(tensor.transpose(2, 0, 1)[None])}
        return np.asarray(self._session.run(None, feed)[0][0], np.float32)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def default_cache() -> Path:
    """The folder of features that are kept: `$XDG_CACHE_HOME/mobilenet-edge/features`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mobilenet-edge" / "features"
