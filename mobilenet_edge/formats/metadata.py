"""What an artifact says of itself: read by every verb, so that nothing has to be typed in again.

Schema version 2. A field is added with a default and keeps the version; a field that changes its meaning raises it.
Version 1 is read too: its images were square, their pixels scaled alike in all channels.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, get_args

from mobilenet_edge import schema
from mobilenet_edge.data.preprocess import PARTS, Origin, Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import strict

SCHEMA_VERSION: Final = 2
KEY: Final = "mobilenet_edge"  # the ONNX metadata key
LABELS_KEY: Final = "mobilenet_edge.labels"  # the ONNX metadata key of the labels
# Characters of a reason in a message; it may quote what a file holds.
LONGEST: Final = 200
MEMBER: Final = "mobilenet_edge.json"  # the name inside the zip of a .tflite or .keras


@dataclass(frozen=True)
class Weights:
    """Where the weights came from.

    Attributes:
        source: "random", "imagenet", or the name of the file they were read from.
        seed: Of random weights.
        sha256: Of the weights, as hex.
    """

    source: str
    seed: int | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Calibration:
    """What the quantiser saw.

    Attributes:
        source: "images" or "synthetic".
        count: Number of images used.
        sha256: Of the preprocessed images, as hex.
        method: How ranges were chosen.
        note: What a reader must know, repeated by every table ("synthetic calibration; accuracy unknown").
    """

    source: str
    count: int
    sha256: str
    method: str
    note: str = ""


@dataclass(frozen=True)
class Training:
    """How the weights were learned, where `mnet train` learned them.

    Attributes:
        data: Name of the folder of pictures.
        split: Digest of the classes and of which picture is in which split, as hex.
        pictures: Number of pictures in "train", "validation" and "test".
        body: What the body began with: "imagenet", "random" or the name of a file.
        teacher: Name of the file whose answers were learned, None without one.
        epochs: Of fine-tuning.
        accuracy: Share of right answers of the float model on the scored pictures.
        scored: "test" or "validation".
        n: Number of scored pictures.
    """

    data: str
    split: str
    pictures: dict[str, int]
    body: str
    teacher: str | None
    epochs: int
    accuracy: float
    scored: str
    n: int


@dataclass(frozen=True)
class Quantisation:
    """An affine grid: real = (integer - zero_point) * scale."""

    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise ValueError(f"a quantisation scale must be above 0, got {self.scale}")


@dataclass(frozen=True)
class Agreement:
    """The artifact against the float graph, measured when it was exported.

    Attributes:
        snr_db: Signal-to-noise ratio of the logits, in dB.
        top1: Share of inputs with the same top-1 as the float graph, or what `measure` says.
        count: Number of inputs compared.
        inputs: "images", or "noise" on which the outputs are nearly uniform and a top-1 is chance.
        measure: "same top-1", in older files "top-1"; "same side" of one score's threshold; "same labels" of several;
            "cosine" of features.
        held_out: Whether these are images that the quantiser did not see; a file that was not calibrated saw none.
    """

    snr_db: float
    top1: float
    count: int
    inputs: str = "images"
    measure: str = "top-1"
    held_out: bool = False


@dataclass(frozen=True)
class Estimate:
    """What Vela estimates of a compiled file; nothing of it was measured, and operators on the CPU are not in it.

    Attributes:
        system: System configuration that is assumed, in Vela's words: clock and memories.
        memory_mode: Where weights and activations are, in Vela's words.
        clock_mhz: Clock of the NPU.
        sram_bytes: SRAM used.
        other_bytes: DRAM and flash used.
        cycles: Cycles of one inference.
        ms: Time of one inference.
    """

    system: str
    memory_mode: str
    clock_mhz: float
    sram_bytes: int
    other_bytes: int
    cycles: int
    ms: float


@dataclass(frozen=True)
class Compilation:
    """What a device's compiler reported of the file it made.

    Attributes:
        compiler: Name and version.
        runtime: Oldest runtime of the device that the file was compiled for; 0 where there are none.
        mapped: Operators that run on the device.
        on_cpu: Operators left on the CPU.
        subgraphs: Parts that run on the device.
        on_chip_bytes: Parameters kept on the chip, None where not reported; likewise below.
        on_chip_free_bytes: Room for parameters that is left there.
        off_chip_bytes: Parameters streamed at every inference.
        accelerator: What it was compiled for, where the compiler knows several.
        macs: Multiply-accumulates of all operators, None where not counted.
        mapped_macs: Those of the operators on the device.
        fallbacks: Each operator left on the CPU, with the compiler's reason.
        estimate: The compiler's estimate of memory and time.
    """

    compiler: str
    runtime: int
    mapped: int
    on_cpu: int
    subgraphs: int | None = None
    on_chip_bytes: int | None = None
    on_chip_free_bytes: int | None = None
    off_chip_bytes: int | None = None
    accelerator: str = ""
    macs: int | None = None
    mapped_macs: int | None = None
    fallbacks: tuple[str, ...] = ()
    estimate: Estimate | None = None


@dataclass(frozen=True)
class Metadata:
    """Everything an artifact carries about itself.

    Attributes:
        variant: Name of the model; `mobilenet_v1-a0.50-r160` for a MobileNet of the paper.
        precision: "float32", "int8", "float16", "dynamic" or "mixed".
        classes: Number of outputs, 0 for a model without a classifier.
        spec: The `ModelSpec`, None for a model that is not one of the paper's.
        macs: Multiply-accumulates of one inference.
        parameters: Weights and biases after folding.
        preprocess: Input rule.
        weights: Provenance of the weights.
        io: Element type of input and output: "float32", "int8" or "uint8".
        input: QuantParams of an integer input, None for float32.
        output: QuantParams of an integer output, None for float32.
        scheme: How weights and activations are stored, in words; empty for float32.
        target: Where the file is meant to run.
        calibration: What the quantiser saw, None where it needs to see nothing: all but int8 and mixed.
        agreement: Figures of the check after writing; of a compiled file, those of the file it was compiled from.
        compilation: What the compiler of `target` reported, None for a file that no compiler made.
        labels: Class names in output order, empty where unknown.
        training: How the weights were learned, None where `mnet train` did not learn them.
        tools: Package versions that made the file.
    """

    variant: str
    precision: str
    classes: int
    macs: int
    parameters: int
    preprocess: Preprocess
    weights: Weights
    spec: ModelSpec | None = None
    io: str = "float32"
    input: Quantisation | None = None
    output: Quantisation | None = None
    scheme: str = ""
    target: str = "generic"
    calibration: Calibration | None = None
    agreement: Agreement | None = None
    compilation: Compilation | None = None
    labels: tuple[str, ...] = ()
    training: Training | None = None
    tools: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any("\n" in label for label in self.labels):
            raise InputError("a label runs over two lines; name each class on one line")

    def to_json(self) -> str:
        """Serialise: sorted keys and no spaces, so that the same facts give the same bytes."""
        about = {"schema_version": SCHEMA_VERSION, **asdict(self)}
        # As version 1 spelt it, for programs that read nothing but how pixels are scaled.
        about["preprocess"]["channels"] = self.preprocess.colour.upper()
        return json.dumps(about, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Metadata:
        """Parse what `to_json` wrote; `source` names the file in messages.

        Raises:
            InputError: Not JSON, a field is missing or of the wrong type, or written by a newer version.
        """
        try:
            data = strict.loads(text)
            version = data.pop("schema_version")
            if version not in (1, SCHEMA_VERSION):
                newer = f"metadata schema {version!r:.40}, this is schema {SCHEMA_VERSION}"
                raise InputError(f"{source}: {newer}; upgrade mobilenet-edge")
            data["preprocess"] = _preprocess(data["preprocess"], version)
            return schema.from_dict(cls, data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
            fact = " ".join(str(error).split())
            fact = fact if len(fact) <= LONGEST else f"{fact[:LONGEST]}…"
            raise InputError(f"{source}: metadata cannot be read ({fact}); export the model again") from error


def apart(about: Metadata) -> tuple[str, str]:
    """Split into JSON without labels, and the labels one a line: files keep them apart."""
    return replace(about, labels=()).to_json(), "".join(f"{label}\n" for label in about.labels)


def joined(text: str, labels: str) -> str:
    """Put together again what `apart` split.

    Raises:
        ValueError: `text` is not a JSON object.
    """
    try:
        return json.dumps({**strict.loads(text), "labels": labels.removesuffix("\n").split("\n")})
    except (TypeError, RecursionError) as error:
        raise ValueError("its metadata is not a JSON object") from error


def _preprocess(data: dict[str, Any], version: int) -> dict[str, Any]:
    """Return the fields of a `Preprocess`, with tuples where JSON has lists."""
    if version == 1:
        data = {**data, "size": [data["resolution"]] * 2, "colour": data["channels"].lower()}
        data |= {name: [data[name]] * 3 for name in ("scale", "offset")}
        # mnet built most of these models; what it assumed of others was not written down.
        data["origin"] = dict.fromkeys(PARTS, "metadata")
    known = get_args(Origin)
    data["origin"] = {part: each for part, each in data["origin"].items() if each in known}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
