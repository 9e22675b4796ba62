"""Find the arena that a model needs in TensorFlow Lite for Microcontrollers (the mode "arena")."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device.faults import InvalidModel
from mobilenet_edge.device.inputs import noise
from mobilenet_edge.device.runtimes import RUNTIMES, tflm

if TYPE_CHECKING:
    from collections.abc import Callable

    from mobilenet_edge.device.worker import Request

# The interpreter aligns its memory to this many bytes.
STEP: Final = 16
# No model needs less, and in a few hundred bytes the interpreter crashes instead of saying that they are too few.
FLOOR: Final = 1 << 10


def run(request: Request) -> dict[str, Any]:
    """Find the smallest arena in which the interpreter allocates the tensors of a model.

    The interpreter of the wheel has 64-bit pointers and the reference kernels, and records its allocations, which takes
    part of the arena.

    Returns:
        runtime, runtime_version; arena_bytes.

    Raises:
        DeviceError: The wheel is missing, or its interpreter cannot run the model.
    """
    runtime, path = RUNTIMES["tflm"], Path(request.artifact)
    session = runtime.open(path, 1)
    session.run(noise(session.inputs, seed=request.seed, count=1)[0])
    package, (data, _) = runtime.load(), tflm.read(path)

    def fits(size: int) -> bool:
        try:
            tflm.allocate(package, data, size, path.name)
        except InvalidModel:
            return False
        return True

    return {
        "runtime": session.runtime,
        "runtime_version": session.version,
        "arena_bytes": smallest(fits, FLOOR, tflm.ample(data)),
    }


def smallest(fits: Callable[[int], bool], below: int, above: int) -> int:
    """Find the smallest multiple of `STEP` that fits, where every larger one does.

    Args:
        fits: Whether a size does.
        below: A size that is too small.
        above: A size that fits.
    """
    low, high = below // STEP, -(-above // STEP)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle * STEP) else (middle, high)
    return high * STEP
