"""Measure the peak rate of matrix products on this machine, which no model exceeds (the mode "limit").

Nearly all of MobileNet's arithmetic is in pointwise convolutions, which are matrix products with constant weights. The
products measured here run alone and have sizes that suit the caches. The fastest run counts, as in the STREAM
benchmark, so that other programs do not lower the limit.
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

# Layers of MobileNet at alpha 0.5 and 1. The best size depends on the caches of the machine; on a busy machine only
# short runs, those of the small sizes, are sometimes undisturbed.
SHAPES: Final = (Shape(784, 128, 128), Shape(196, 256, 256), Shape(784, 256, 256), Shape(196, 512, 512))
# Chained: onnxruntime changes the layout only before the first and after the last op.
PRODUCTS: Final = 8
# The sizes are measured in several short rounds, so that a brief disturbance does not lower the limit.
ROUNDS: Final = 3
WARMUP: Final = Stop(runs=1)
STEADY: Final = Stop(runs=3, seconds=0.008, cap_seconds=0.2)
# A product below this share of the best leaves after a round: more than a disturbance, less than another kernel.
NEAR: Final = 0.7


@dataclass(frozen=True)
class ProductFormat:
    """The products of a model format.

    Attributes:
        write: Writes a model, given the dtype of its activations, the size of a product and the number of products.
        dtypes: Dtypes of the activations to try, by the dtype of the weights; the fastest counts.
    """

    write: Callable[[str, Shape, int], bytes]
    dtypes: Mapping[str, tuple[str, ...]]


# An .onnx file can have either 8-bit type: uint8 is faster on x86, int8 on Arm.
FORMATS: Final = {
    "tflite": ProductFormat(gemm_tflite.write, {"float32": ("float32",), "int8": ("int8",)}),
    "onnx": ProductFormat(gemm_onnx.write, {"float32": ("float32",), "int8": ("uint8", "int8")}),
}


@dataclass(frozen=True)
class Rate:
    """Rate of a product in its fastest run, in 1e9 multiply-accumulates per second."""

    gmacs: float
    dtype: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype} ({self.shape.m} x {self.shape.k}) by ({self.shape.k} x {self.shape.n})"


def run(request: Request) -> dict[str, Any]:
    """Measure the fastest product in float32 and in int8.

    Returns:
        runtime, runtime_version; float32_gmacs and int8_gmacs in 1e9 multiply-accumulates per second, None if the
        runtime has no kernel for that type; shape [m, k, n] of the fastest product; and how (the method, in words).

    Raises:
        RequestError: The request names no known runtime.
        RuntimeMissing: The runtime is not installed.
        RuntimeBroken: The runtime cannot be loaded.
        InvalidModel: The runtime runs neither product.
    """
    if request.runtime not in runtimes.RUNTIMES:
        names = ", ".join(runtimes.RUNTIMES)
        raise RequestError(
            f"the limit is measured for one runtime, and {request.runtime!r} is none; give one of {names}"
        )
    runtime = runtimes.RUNTIMES[request.runtime]
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        path = Path(folder) / f"product.{runtime.format}"
        products = {
            weights: [
                product
                for dtype in dtypes
                for shape in SHAPES
                if (product := _open(runtime, path, dtype, shape, request)) is not None
            ]
            for weights, dtypes in FORMATS[runtime.format].dtypes.items()
        }
        fastest = {weights: _fastest(candidates) for weights, candidates in products.items()}
    rates = [rate for rate in fastest.values() if rate is not None]
    if not rates:
        raise InvalidModel(f"{runtime.title} runs no 1 x 1 convolution here; install it again")
    return {
        "runtime": runtime.name,
        "runtime_version": next(candidates[0].session.version for candidates in products.values() if candidates),
        **{f"{weights}_gmacs": rate and round(rate.gmacs, 2) for weights, rate in fastest.items()},
        "shape": list(max(rates, key=lambda rate: rate.gmacs).shape),
        "how": f"{PRODUCTS} 1 x 1 convolutions with constant weights, the fastest run of {len(SHAPES)} sizes: "
        + "; ".join(map(str, rates)),
    }


@dataclass(frozen=True)
class _Product:
    session: runtimes.Session
    dtype: str
    shape: Shape

    def rate(self) -> Rate:
        repeat(self.session.invoke, WARMUP)
        times = repeat(self.session.invoke, STEADY)
        return Rate(PRODUCTS * self.shape.macs / min(times), self.dtype, self.shape)


def _open(runtime: runtimes.Runtime, path: Path, dtype: str, shape: Shape, request: Request) -> _Product | None:
    """Open a product and run it once; None if the runtime has no kernel for it."""
    path.write_bytes(FORMATS[runtime.format].write(dtype, shape, PRODUCTS))
    try:
        session = runtime.open(path, request.threads)
        session.run(inputs.noise(session.inputs, seed=request.seed, count=1)[0])
    except InvalidModel:
        return None
    return _Product(session, dtype, shape)


def _fastest(products: Sequence[_Product]) -> Rate | None:
    """Return the best rate of all rounds; products far below it leave after a round."""
    best = None
    for _ in range(ROUNDS):
        rates = [product.rate() for product in products]
        best = max(filter(None, (best, *rates)), key=lambda rate: rate.gmacs, default=None)
        products = [product for product, rate in zip(products, rates) if best and rate.gmacs > best.gmacs * NEAR]
    return best
