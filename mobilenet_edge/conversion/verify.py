"""Open a file that was just written and compare it with the float graph it came from."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.device.faults import DeviceError, RuntimeMissing
from mobilenet_edge.device.runtimes import Session, open_model
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.evaluation import head as heads
from mobilenet_edge.evaluation import scores
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.formats.metadata import Agreement, Quantisation
from mobilenet_edge.graph import Array

# Probabilities of a float file may differ by the rounding of sums in another order, and by no more.
FLOAT_TOLERANCE: Final = 1e-5
# A file below these has collapsed: honest ones reach 40 dB with float16 weights and 15 dB with int8 ones, the known
# failures are near 0.
LEAST_SNR_DB: Final[Mapping[str, float]] = {"float16": 30.0, "dynamic": 6.0, "int8": 6.0}
LEAST_TOP1: Final = 0.5
# Steps of an 8-bit softmax by which the best two classes must differ for a top-1 to be asked for; those of random
# weights are nearly alike, and an int8 file answers with a tie.
DECIDED: Final = 2 / 256
# A float file is exact or wrong, which few images show; a signal-to-noise ratio is steady after some more.
FLOAT_IMAGES: Final = 8
PROBED_IMAGES: Final = 32
_ADVICE: Final = {
    "float16": "export with --precision float32",
    "dynamic": "export with --precision float16",
    "int8": "calibrate with images like those the model will see",
}
_ENDS: Final = ("QUANTIZE", "DEQUANTIZE", "QuantizeLinear", "DequantizeLinear", "Softmax", "Flatten")


@dataclass(frozen=True)
class Reference:
    """What the float graph says of some images.

    Attributes:
        images: float32 (n, h, w, c), preprocessed.
        outputs: Of the whole graph: float32 (n, ...).
        logits: Before the closing softmax, the outputs where there is none.
        real: Whether the images are images, so that a top-1 means something.
        head: What the outputs mean.
        held_out: Whether the quantiser does not see them.
    """

    images: Array
    outputs: Array
    logits: Array
    real: bool
    head: Head = Head.classes
    held_out: bool = False

    def first(self, count: int) -> Reference:
        """The same of the first images only."""
        images, outputs, logits = (part[:count] for part in (self.images, self.outputs, self.logits))
        return replace(self, images=images, outputs=outputs, logits=logits)


@dataclass(frozen=True)
class Grids:
    """Of a file with integer ends, and of the same file cut off before its softmax."""

    input: Quantisation
    output: Quantisation
    logits: Quantisation


def float_file(kind: str, data: bytes, reference: Reference) -> Agreement:
    """Check a float32 file.

    Raises:
        BuildError: An output differs from the graph's by more than the rounding of sums.
    """
    reference = _unseen(reference.first(FLOAT_IMAGES))
    outputs = _run(kind, data, reference.images, None, None)
    scale = max(1.0, float(np.abs(reference.outputs).max()))
    worst = float(np.abs(outputs - reference.outputs).max()) / scale
    if not worst <= FLOAT_TOLERANCE:
        raise BuildError(f"the float32 .{kind} differs from the model by {worst:.2g}; please report this as a bug")
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
    outputs = _run(kind, data, reference.images, None, None)
    logits = _run(kind, probe, few.images, None, None)
    return _kept(kind, precision, _agreement(logits, few.logits, outputs, reference), reference)


def int8_file(
    kind: str,
    data: bytes,
    probe: bytes,
    grids: Grids | None,
    reference: Reference,
    least_logit: float = -math.inf,
) -> Agreement:
    """Check an int8 file.

    Args:
        kind: "tflite" or "onnx".
        data: The file.
        probe: The same model cut off before its softmax, whose steps of 1/256 would hide the logits' noise.
        grids: Of integer ends; None where the file takes and gives floats.
        reference: What the float graph says.
        least_logit: What the file cuts off below, because its softmax does not see it, is no noise.

    Raises:
        BuildError: An operator is not int8, or the outputs have nothing to do with the float graph's any more.
    """
    integer_only(artifact.READERS[kind].contents(data), kind)
    entry, leave, cut = (grids.input, grids.output, grids.logits) if grids else (None, None, None)
    outputs = _run(kind, data, reference.images, entry, leave)
    few = reference.first(PROBED_IMAGES)
    logits = _run(kind, probe, few.images, entry, cut)
    wanted = np.maximum(few.logits, np.float32(least_logit))
    return _kept(kind, "int8", _agreement(logits, wanted, outputs, reference), reference)


def _unseen(reference: Reference) -> Reference:
    """For a file that nothing was fitted for: no image was seen."""
    return replace(reference, held_out=reference.real)


def mutual(files: Sequence[Artifact], images: Array) -> float | None:
    """Share of images that all files answer alike: the same first answer, side of the threshold, or set of labels."""
    answers, head = [], None
    for each in files:
        grid = each.metadata.input if each.metadata else None
        outputs = _run(each.format, each.data, images, grid, None)
        head = heads.find(each, (1, *outputs.shape[1:]))
        leave = (each.metadata.output if each.metadata else None) or Quantisation(1.0, 0)
        answers.append(head.answers((outputs - leave.zero_point) * np.float32(leave.scale)))
    if head in (None, Head.features):
        return None
    return float(np.all([each == answers[0] for each in answers], axis=0).all(axis=-1).mean())


def integer_only(contents: Contents, kind: str) -> None:
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
        if operator.kind in _ENDS:
            continue
        if kind == "tflite":
            tensors = [contents.tensors[name] for name in (*operator.inputs, *operator.outputs)]
            good = all(tensor.dtype in ("int8", "int32") for tensor in tensors)
        else:
            # Tensor and weights, or both sides of a sum; a bias is float in the file and fused by the runtime.
            good = {made_by.get(name) for name in operator.inputs[:2]} == {"DequantizeLinear"} and all(
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
            f"the {precision} .{kind} has lost the model: {found.snr_db:.1f} dB signal-to-noise of the logits, same "
            f"answer ({found.measure}) on {found.top1:.0%} of {found.count} images; {_ADVICE[precision]}"
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


def _run(
    kind: str, data: bytes, images: Array, entry: Quantisation | None, leave: Quantisation | None
) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{kind}"
        path.write_bytes(data)
        try:
            session = open_model(path, threads=1)
            outputs = [_infer(session, image, entry) for image in images]
        except RuntimeMissing as error:
            raise MissingExtraError(f"a .{kind} is run to check it, but {error}", error.extra or "build") from error
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
    if reference.head in (Head.classes, Head.logits):
        # Softmax does not see what all classes share.
        logits, wanted = (each - each.mean(axis=-1, keepdims=True) for each in (logits, wanted))
    return Agreement(
        round(float(np.clip(scores.snr_db(wanted, logits), -200, 200)), 2),
        round(reference.head.likeness(outputs, reference.outputs), 4),
        len(outputs),
        "images" if reference.real else "noise",
        reference.head.measure,
        reference.held_out,
    )
