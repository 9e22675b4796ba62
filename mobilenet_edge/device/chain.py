"""Time each operator of a .tflite model: each runs as a separate model, in the order of the whole model."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mobilenet_edge.device import gemm_tflite, inputs
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.device.gemm import Shape
from mobilenet_edge.device.pieces import Pieces
from mobilenet_edge.device.runtimes import Runtime, Session
from mobilenet_edge.device.timing import Stop

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Results differ only where the runtime fuses operators in the whole model, and then by rounding: a share of the
# largest output for floats, steps for integers.
TOLERANCE: Final = 1e-3
INTEGER_TOLERANCE: Final = 2


@dataclass(frozen=True)
class Link:
    """An open model and its input values."""

    session: Session
    values: Sequence[NDArray[Any]]

    def time(self, clock: Callable[[], int]) -> int:
        """Feed the inputs, which also brings them into the cache, and time one run in ns."""
        self.session.feed(self.values)
        start = clock()
        self.session.invoke()
        return clock() - start


@dataclass(frozen=True)
class Chain:
    """An open model and its open pieces, each with the input values it has in the whole model.

    Attributes:
        whole: The whole model.
        links: The pieces, in execution order.
        idle: A 1 x 1 product, whose time is the overhead of calling any model.
    """

    whole: Link
    links: tuple[Link, ...]
    idle: Link


@dataclass(frozen=True)
class Times:
    """Times in ns, one per round."""

    whole: list[int]
    links: tuple[list[int], ...]
    idle: list[int]


def open_chain(runtime: Runtime, path: Path, pieces: Pieces, *, threads: int, seed: int) -> Chain:
    """Open a model, its pieces and the idle model, and run each piece once on the outputs of the pieces before it.

    Raises:
        InvalidModel: The model or a piece of it cannot be opened or run.
        RequestError: The pieces give another result than the whole model.
    """
    whole = _with_noise(runtime.open(path, threads), seed)
    tensors = dict(zip(pieces.inputs, whole.values))
    links = []
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        # A removed file stays mapped for as long as a session needs it.
        for piece in pieces.write(Path(folder) / path.name):
            link = Link(runtime.open(Path(folder) / path.name, threads), [tensors[index] for index in piece.inputs])
            tensors.update(zip(piece.outputs, link.session.run(link.values)))
            links.append(link)
        product = Path(folder) / "idle.tflite"
        product.write_bytes(gemm_tflite.write("float32", Shape(1, 1, 1)))
        idle = _with_noise(runtime.open(product, threads), seed)
    if not all(map(_close, (tensors.get(index) for index in pieces.outputs), whole.session.run(whole.values))):
        raise RequestError(
            f"the operators of {path.name}, run one by one, give another result than the model; time it whole"
        )
    return Chain(whole, tuple(links), idle)


def measure(chain: Chain, stop: Stop, clock: Callable[[], int] = time.perf_counter_ns) -> Times:
    """Time rounds until `stop` is reached: all pieces, with the idle model halfway, then the whole model."""
    times = Times([], tuple([] for _ in chain.links), [])
    began = clock()
    while not (times.whole and stop.reached(len(times.whole), clock() - began)):
        for index, link in enumerate(chain.links):
            if index == len(chain.links) // 2:
                times.idle.append(chain.idle.time(clock))
            times.links[index].append(link.time(clock))
        # The pieces have evicted the weights of the whole model from the cache, so its first run is not counted.
        chain.whole.time(clock)
        times.whole.append(chain.whole.time(clock))
    return times


def _with_noise(session: Session, seed: int) -> Link:
    return Link(session, inputs.noise(session.inputs, seed=seed, count=1)[0])


def _close(actual: NDArray[Any] | None, expected: NDArray[Any]) -> bool:
    if actual is None or actual.shape != expected.shape:
        return False
    # As floats, because the difference of 8-bit integers may overflow.
    actual, expected, is_integer = actual.astype(float), expected.astype(float), expected.dtype.kind in "iu"
    largest = float(np.max(np.abs(expected), initial=0, where=np.isfinite(expected)))
    tolerance = INTEGER_TOLERANCE if is_integer else TOLERANCE * largest
    return bool(np.allclose(actual, expected, rtol=0, atol=tolerance, equal_nan=True))
