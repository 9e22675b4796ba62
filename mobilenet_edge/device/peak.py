"""The mode "limit": what this machine reaches in a matrix product, which no model on it will beat.

Pointwise convolutions, nearly all of MobileNet's arithmetic, are matrix products with constant weights. A large one has
every advantage: no other operator beside it, and sizes that suit the caches. The fastest run counts, as in STREAM: a
limit that other programs lower is none.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device import gemm_onnx, gemm_tflite, inputs, runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.gemm import Shape
from mobilenet_edge.device.timing import Stop, repeat

if TYPE_CHECKING:
    from mobilenet_edge.device.worker import Request

# MobileNet's own layers, at alpha 0.5 and 1: which suits a machine best depends on its caches. A run of the small ones
# is short enough to be undisturbed now and then on a busy machine.
SHAPES: Final = (Shape(784, 128, 128), Shape(196, 256, 256), Shape(784, 256, 256), Shape(196, 512, 512))
# Chained: onnxruntime changes the layout only before the first and after the last op.
COUNT: Final = 8
# Each is tried in short turns among the others: what disturbs the machine for a moment does not lower the limit.
TURNS: Final = 3
WARMUP: Final = Stop(runs=1)
STEADY: Final = Stop(runs=5, seconds=0.04, cap_seconds=0.2)


@dataclass(frozen=True)
class ProductFormat:
    """How products are made for a model format.

    Attributes:
        write: Makes a model of activations of an element type, and so many products of a shape.
        dtypes: Of the activations, for float32 and for int8 weights; of several the fastest counts.
    """

    write: Callable[[str, Shape, int], bytes]
    dtypes: Mapping[str, tuple[str, ...]]


# uint8 is fast on x86 and int8 on Arm, and a file can have either.
FORMATS: Final = {
    "tflite": ProductFormat(gemm_tflite.write, {"float32": ("float32",), "int8": ("int8",)}),
    "onnx": ProductFormat(gemm_onnx.write, {"float32": ("float32",), "int8": ("uint8", "int8")}),
}


@dataclass(frozen=True)
class Rate:
    """What a product reached in its fastest run: 1e9 multiply-accumulates a second."""

    gmacs: float
    dtype: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype} ({self.shape.m} x {self.shape.k}) by ({self.shape.k} x {self.shape.n})"


def run(request: Request) -> dict[str, Any]:
    """Measure the fastest product in float32 and in int8.

    Returns:
        runtime, runtime_version; float32_gmacs and int8_gmacs in 1e9 multiply-accumulates a second, None where the
        runtime cannot multiply so; shape [m, k, n] of the fastest of all; and how, a sentence.

    Raises:
        RequestError: No runtime is named, or none is called so.
        RuntimeMissing: It is not installed.
        RuntimeBroken: It cannot be loaded.
        InvalidModel: It runs neither product.
    """
    if request.runtime not in runtimes.RUNTIMES:
        names = ", ".join(runtimes.RUNTIMES)
        raise RequestError(f"the limit is one runtime's, and {request.runtime!r} is none; name one of {names}")
    runtime = runtimes.RUNTIMES[request.runtime]
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        path = Path(folder) / f"product.{runtime.format}"
        products = {
            kind: [
                product
                for dtype in dtypes
                for shape in SHAPES
                if (product := _open(runtime, path, dtype, shape, request)) is not None
            ]
            for kind, dtypes in FORMATS[runtime.format].dtypes.items()
        }
        best = {kind: _fastest(each) for kind, each in products.items()}
    found = [each for each in best.values() if each is not None]
    if not found:
        raise InvalidModel(f"{runtime.title} runs no 1 x 1 convolution here; install it anew")
    return {
        "runtime": runtime.name,
        "runtime_version": next(each[0].session.version for each in products.values() if each),
        **{f"{kind}_gmacs": each and round(each.gmacs, 2) for kind, each in best.items()},
        "shape": list(max(found, key=lambda each: each.gmacs).shape),
        "how": f"{COUNT} 1 x 1 convolutions with constant weights, the fastest run of {len(SHAPES)} sizes: "
        + "; ".join(map(str, found)),
    }


@dataclass(frozen=True)
class _Product:
    session: runtimes.Session
    dtype: str
    shape: Shape

    def rate(self) -> Rate:
        repeat(self.session.invoke, WARMUP)
        times = repeat(self.session.invoke, STEADY)
        return Rate(COUNT * self.shape.macs / min(times), self.dtype, self.shape)


def _open(runtime: runtimes.Runtime, path: Path, dtype: str, shape: Shape, request: Request) -> _Product | None:
    """Open a product, and run it once; None where the runtime has no kernel for it."""
    path.write_bytes(FORMATS[runtime.format].write(dtype, shape, COUNT))
    try:
        session = runtime.open(path, request.threads)
        session.run(inputs.noise(session.inputs, seed=request.seed, count=1)[0])
    except InvalidModel:
        return None
    return _Product(session, dtype, shape)


def _fastest(products: Sequence[_Product]) -> Rate | None:
    """The best rate of all turns; what is far behind after the first has no further one."""
    best = None
    for _ in range(TURNS):
        rates = [each.rate() for each in products]
        best = max(filter(None, (best, *rates)), key=lambda each: each.gmacs, default=None)
        products = [each for each, rate in zip(products, rates) if best and rate.gmacs > best.gmacs / 2]
    return best
