"""A .tflite model run operator by operator, each in a model of its own, timed where it stands in the chain."""

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

# The same kernels on the same numbers give the same bits; what a runtime fuses in the whole may differ by rounding.
TOLERANCE: Final = 1e-3
INTEGER_TOLERANCE: Final = 2


@dataclass(frozen=True)
class Link:
    """An open model, and what it is fed."""

    session: Session
    given: Sequence[NDArray[Any]]

    def time(self, clock: Callable[[], int]) -> int:
        """Feed it, which puts its input into the caches, and time one run."""
        self.session.feed(self.given)
        start = clock()
        self.session.invoke()
        return clock() - start


@dataclass(frozen=True)
class Chain:
    """The open pieces of a model, each fed what it is fed in the whole.

    Attributes:
        whole: The model itself.
        links: Its pieces, in execution order.
        idle: A model that multiplies one number by one: what calling any model takes.
    """

    whole: Link
    links: tuple[Link, ...]
    idle: Link


@dataclass(frozen=True)
class Times:
    """What was timed, in ns: one number a round."""

    whole: list[int]
    links: tuple[list[int], ...]
    idle: list[int]


def join(runtime: Runtime, path: Path, pieces: Pieces, *, threads: int, seed: int) -> Chain:
    """Open a model, its pieces and the idle one, and run the pieces once, one on the outputs of the others.

    Raises:
        InvalidModel: The model or a piece of it cannot be opened or run.
        RequestError: The pieces give another result than the whole.
    """
    whole = _fed(runtime.open(path, threads), seed)
    values = dict(zip(pieces.inputs, whole.given))
    links = []
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        # A file that is removed stays mapped for as long as a session needs it.
        for piece in pieces.write(Path(folder) / path.name):
            link = Link(runtime.open(Path(folder) / path.name, threads), [values[index] for index in piece.inputs])
            values.update(zip(piece.outputs, link.session.run(link.given)))
            links.append(link)
        product = Path(folder) / "idle.tflite"
        product.write_bytes(gemm_tflite.write("float32", Shape(1, 1, 1)))
        idle = _fed(runtime.open(product, threads), seed)
    if not all(map(_same, (values.get(index) for index in pieces.outputs), whole.session.run(whole.given))):
        raise RequestError(f"the operators of {path.name}, run one by one, give another result than it; time it whole")
    return Chain(whole, tuple(links), idle)


def measure(chain: Chain, stop: Stop, clock: Callable[[], int] = time.perf_counter_ns) -> Times:
    """Time rounds until `stop` is reached: every piece, in the middle of them the idle model, then the whole."""
    times = Times([], tuple([] for _ in chain.links), [])
    began = clock()
    while not (times.whole and stop.reached(len(times.whole), clock() - began)):
        for index, link in enumerate(chain.links):
            if index == len(chain.links) // 2:
                times.idle.append(chain.idle.time(clock))
            times.links[index].append(link.time(clock))
        # The pieces hold weights of their own, which have pushed those of the whole out of the caches.
        chain.whole.time(clock)
        times.whole.append(chain.whole.time(clock))
    return times


def _fed(session: Session, seed: int) -> Link:
    return Link(session, inputs.noise(session.inputs, seed=seed, count=1)[0])


def _same(mine: NDArray[Any] | None, theirs: NDArray[Any]) -> bool:
    if mine is None or mine.shape != theirs.shape:
        return False
    # Integers of 8 bits would overflow where they differ most.
    mine, theirs, whole_steps = mine.astype(float), theirs.astype(float), theirs.dtype.kind in "iu"
    largest = float(np.max(np.abs(theirs), initial=0, where=np.isfinite(theirs)))
    limit = INTEGER_TOLERANCE if whole_steps else TOLERANCE * largest
    return bool(np.allclose(mine, theirs, rtol=0, atol=limit, equal_nan=True))
