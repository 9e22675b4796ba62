"""Open a file that was just written and compare it with the float graph it came from."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion import passes
from mobilenet_edge.device.faults import DeviceError, RuntimeMissing
from mobilenet_edge.device.runtimes import Session, open_model
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Agreement, Quantisation
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import exact
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.records.record import CALIBRATED

# The graph's own float32 run is one order of the sums, a file's another: its rounding may be some times as large.
_ORDERS: Final = 8.0
# Where that run happens to round to nothing: of the random walk that a file's roundings are, so many deviations.
_DEVIATIONS: Final = 4.0
# A file below these has collapsed: honest ones reach 40 dB with float16 weights and 15 dB with int8 ones, the known
# failures are near 0.
LEAST_SNR_DB: Final[Mapping[str, float]] = {"float16": 30.0, "dynamic": 6.0, "int8": 6.0, "mixed": 6.0}
LEAST_TOP1: Final = 0.5
# Steps of an 8-bit softmax by which the best two classes must differ for a top-1 to be asked for; those of random
# weights are nearly alike, and an int8 file answers with a tie.
DECIDED: Final = 2 / 256
# A float file is exact or wrong, which some images show; a signal-to-noise ratio is steady after some more.
FLOAT_IMAGES: Final = passes.EXACT
PROBED_IMAGES: Final = 32
_ADVICE: Final = {
    "float16": "export with --precision float32",
    "dynamic": "export with --precision float16",
    **dict.fromkeys(CALIBRATED, "calibrate with images like those the model will see"),
}
_CONVERSIONS: Final = ("QUANTIZE", "DEQUANTIZE", "QuantizeLinear", "DequantizeLinear")
# Left in float where they make the model's output.
_CLOSING: Final = ("Softmax", "Sigmoid")
# The same in a .tflite file, which leaves them in float only where other layers are.
_CLOSING_MIXED: Final = (*_CLOSING, "SOFTMAX", "LOGISTIC")
_WEIGHTED: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "Conv", "Gemm")


@dataclass(frozen=True)
class Reference:
    """What the float graph says of some images.

    Attributes:
        images: float32 (n, h, w, c), preprocessed.
        outputs: Of the whole graph: float32 (n, ...).
        logits: Before the closing softmax or sigmoid, the outputs where there is none.
        real: Whether the images are images, so that a top-1 means something.
        exact: Of the whole graph on the first images, computed in float64: (m, ...).
        terms: Number of products that one output is summed from, over all layers.
        head: What the outputs mean.
        held_out: Whether the quantiser does not see them.
    """

    images: Array
    outputs: Array
    logits: Array
    real: bool
    exact: NDArray[np.float64]
    terms: int
    head: Head = Head.classes
    held_out: bool = False

    @classmethod
    def of(cls, graph: Graph, images: Array, *, real: bool, head: Head = Head.classes) -> Reference:
        """Run a graph on images, float32 (n, h, w, c)."""
        # Two names for one tensor where no softmax closes the graph.
        made = passes.outputs(graph, images, tuple(dict.fromkeys((graph.logits, graph.output.name))))
        terms = sum(math.prod(node.kernel.shape[:-1]) for node in graph.weighted())
        return cls(images, made[-1], made[0], real, exact(graph, images[:FLOAT_IMAGES]), terms, head)

    @property
    def tolerance(self) -> float:
        """How far a float32 file may be from `exact`: by what rounding does to this graph on these images.

        The rounding of the graph's own float32 run stands for any order of the same sums, whatever amplifies it on the
        way. Its least is that of a random walk of one rounding a term.
        """
        rounding = float(np.abs(self.outputs[: len(self.exact)] - self.exact).max())
        unit = float(np.finfo(np.float32).eps) / 2 * float(np.abs(self.exact).max())
        return _ORDERS * rounding + _DEVIATIONS * unit * math.sqrt(self.terms)

    def first(self, count: int) -> Reference:
        """The same of the first images only."""
        few = {name: getattr(self, name)[:count] for name in ("images", "outputs", "logits", "exact")}
        return replace(self, **few)


@dataclass(frozen=True)
class Grids:
    """Of a file with integer ends, and of the same file cut off before its softmax."""

    input: Quantisation
    output: Quantisation
    logits: Quantisation


def float_file(kind: str, data: bytes, reference: Reference) -> Agreement:
    """Check a float32 file.

    Raises:
        BuildError: An output differs from that of the graph in float64 by more than rounding explains.
    """
    reference = _unseen(reference.first(FLOAT_IMAGES))
    outputs = run_file(kind, data, reference.images)
    worst = float(np.abs(outputs - reference.exact).max())
    if not worst <= reference.tolerance:
        raise BuildError(
            f"the float32 .{kind} differs from the model by {worst:.2g}, and rounding explains "
            f"{reference.tolerance:.2g}; please report this as a bug"
        )
    return _agreement(outputs, reference.outputs, outputs, reference)


def small_file(kind: str, precision: str, data: bytes, probe: bytes, reference: Reference) -> Agreement:
    """Check a file of float16 or int8 weights with float activations.

    Args:
        kind: "tflite" or "onnx".
        precision: "float16" or "dynamic".
        data: The file.
        probe: The same model cut off before its softmax.
        reference: What the float graph says.

    Raises:
        BuildError: The outputs are further from the float graph's than rounding the weights explains.
    """
    reference = _unseen(reference)
    few = reference.first(PROBED_IMAGES)
    outputs, logits = _run_both((kind, data, reference.images, None, None), (kind, probe, few.images, None, None))
    return _kept(kind, precision, _agreement(logits, few.logits, outputs, reference), reference)


def int8_file(
    kind: str,
    data: bytes,
    probe: bytes,
    grids: Grids | None,
    reference: Reference,
    least_logit: float = -math.inf,
) -> tuple[Agreement, Array]:
    """Check an int8 file; return its real outputs (n, ...), too.

    Args:
        kind: "tflite" or "onnx".
        data: The file.
        probe: The same model cut off before its softmax, whose steps of 1/256 would hide the logits' noise.
        grids: Of integer ends; None where the file takes and gives floats.
        reference: What the float graph says.
        least_logit: What the file cuts off below, because its closing op does not see it, is no noise.

    Raises:
        BuildError: An operator is not int8, or the outputs have nothing to do with the float graph's any more.
    """
    integer_only(artifact.READERS[kind].contents(data), kind)
    entry, leave, cut = (grids.input, grids.output, grids.logits) if grids else (None, None, None)
    few = reference.first(PROBED_IMAGES)
    outputs, logits = _run_both((kind, data, reference.images, entry, leave), (kind, probe, few.images, entry, cut))
    wanted = np.maximum(few.logits, np.float32(least_logit))
    return _kept(kind, "int8", _agreement(logits, wanted, outputs, reference), reference), outputs


def mixed_file(kind: str, data: bytes, probe: bytes, mixed: MixedGraph, reference: Reference) -> Agreement:
    """Check a file whose first layers are float.

    Args:
        kind: "tflite" or "onnx".
        data: The file.
        probe: The same model cut off before its softmax.
        mixed: What was written.
        reference: What the float graph says.

    Raises:
        BuildError: Another number of layers is float, an operator behind them is not int8, or the outputs have nothing
            to do with the float graph's any more.
    """
    mixed_at(artifact.READERS[kind].contents(data), kind, mixed.layers)
    few = reference.first(PROBED_IMAGES)
    outputs, logits = _run_both((kind, data, reference.images), (kind, probe, few.images))
    wanted = np.maximum(few.logits, np.float32(mixed.rest.least_logit))
    return _kept(kind, "mixed", _agreement(logits, wanted, outputs, reference), reference)


def mixed_at(contents: Contents, kind: str, layers: int) -> None:
    """Check that a model has so many float layers, and integers from there on.

    Raises:
        BuildError: It has not.
    """
    converts = [operator.kind in _CONVERSIONS for operator in contents.operators]
    place = converts.index(True) if any(converts) else len(converts)
    front, rest = contents.operators[:place], contents.operators[place:]
    found = sum(operator.kind in _WEIGHTED for operator in front)
    if found != layers:
        raise BuildError(
            f"the mixed .{kind} has {found} float layers before its integers, not {layers}; please report this as a bug"
        )
    integer_only(replace(contents, operators=rest), kind, _CLOSING_MIXED)


def _unseen(reference: Reference) -> Reference:
    """For a file that nothing was fitted for: no image was seen."""
    return replace(reference, held_out=reference.real)


def comparable(head: Head, *logits: Array) -> tuple[Array, ...]:
    """Take out of logits (n, classes) what all classes share, which a softmax does not see."""
    if head not in (Head.classes, Head.logits):
        return logits
    return tuple(each - each.mean(axis=-1, keepdims=True) for each in logits)


def integer_only(contents: Contents, kind: str, closing: Collection[str] = _CLOSING) -> None:
    """Check that every operator between the ends works on integers.

    Raises:
        BuildError: One does not; the message names it.
    """
    made_by = {name: operator.kind for operator in contents.operators for name in operator.outputs}
    read_by: dict[str, set[str]] = {}
    for operator in contents.operators:
        for name in operator.inputs:
            read_by.setdefault(name, set()).add(operator.kind)
    for operator in contents.operators:
        if operator.kind in _CONVERSIONS or (operator.kind in closing and operator.outputs[0] in contents.outputs):
            continue
        if kind == "tflite":
            tensors = [contents.tensors[name] for name in (*operator.inputs, *operator.outputs)]
            good = all(tensor.dtype in ("int8", "int32") for tensor in tensors)
        else:
            # A bias is float in the file and fused by the runtime.
            inputs = operator.inputs[:2] if operator.kind in ("Conv", "Gemm") else operator.inputs
            good = {made_by.get(name) for name in inputs} == {"DequantizeLinear"} and all(
                read_by.get(name) == {"QuantizeLinear"} for name in operator.outputs
            )
        if not good:
            raise BuildError(f"{operator.kind} {operator.outputs[0]!r} of the int8 .{kind} works on floats")


def _kept(kind: str, precision: str, found: Agreement, reference: Reference) -> Agreement:
    """Refuse a file that has lost the model."""
    asked = reference.real and _decided(reference) >= 0.5
    same = found.top1 >= LEAST_TOP1 or not asked
    # Said so that a NaN fails.
    if not (found.snr_db >= LEAST_SNR_DB[precision] and same):
        raise BuildError(
            f"the {precision} .{kind} has lost the model: {found.snr_db:.1f} dB signal-to-noise of the logits, "
            f"{found.measure} on {found.top1:.0%} of {found.count} images; {_ADVICE[precision]}"
        )
    return found


def _decided(reference: Reference) -> float:
    """Share of images for which 8 bits can tell the answer: first from second, or a score from its threshold."""
    flat = reference.outputs.reshape(len(reference.outputs), -1)
    if reference.head is Head.features:
        return 1.0
    if reference.head.binary or reference.head is Head.labels:
        return float((np.abs(flat - reference.head.threshold) > DECIDED).all(axis=1).mean())
    second, first = np.partition(flat, -2, axis=1)[:, -2:].T
    return float((first - second > DECIDED).mean())


def _run_both(*calls: tuple[Any, ...]) -> list[NDArray[np.float32]]:
    """Run a file and its probe at the same time, each as `run_file` says."""
    with workers() as pool:
        return list(pool.map(lambda call: run_file(*call), calls))


def run_file(
    kind: str, data: bytes, images: Array, entry: Quantisation | None = None, leave: Quantisation | None = None
) -> NDArray[np.float32]:
    """Run a file on images (n, h, w, c); return its outputs (n, ...), reals where `leave` is the grid of integers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{kind}"
        path.write_bytes(data)
        try:
            session = open_model(path, threads=1)
            outputs = [_infer(session, image, entry) for image in images]
        except RuntimeMissing as error:
            raise MissingExtraError(f"a .{kind} is run to check it, but {error}", error.extra or "export") from error
        except DeviceError as error:
            raise BuildError(f"the .{kind} just written cannot be run: {error}") from error
    stacked = np.stack(outputs).astype(np.float32)
    return stacked if leave is None else (stacked - leave.zero_point) * np.float32(leave.scale)


def _infer(session: Session, image: Array, grid: Quantisation | None) -> NDArray[Any]:
    tensor = session.inputs[0]
    value: NDArray[Any] = image
    if grid is not None:
        limits = np.iinfo(tensor.dtype)
        value = np.clip(np.rint(image / grid.scale) + grid.zero_point, limits.min, limits.max)
    if tensor.shape[1] == image.shape[2] and tensor.shape[3] != image.shape[2]:
        value = value.transpose(2, 0, 1)
    (output,) = session.run([np.ascontiguousarray(value[None], tensor.dtype)])
    squeezed = output[0]
    if squeezed.ndim == 3 and tensor.shape[1] == image.shape[2]:
        squeezed = squeezed.transpose(1, 2, 0)
    return np.asarray(squeezed)


def _agreement(logits: Array, wanted: Array, outputs: Array, reference: Reference) -> Agreement:
    snr_db = scores.snr_db(*comparable(reference.head, wanted, logits))
    return Agreement(
        round(float(np.clip(snr_db, -200, 200)), 2),
        round(reference.head.likeness(outputs, reference.outputs), 4),
        len(outputs),
        "images" if reference.real else "noise",
        reference.head.measure,
        reference.held_out,
    )
