"""What an option can be, where there is a choice."""

from __future__ import annotations

from enum import StrEnum


class FormatOption(StrEnum):
    """Of an artifact."""

    tflite = "tflite"
    onnx = "onnx"


class Precision(StrEnum):
    """Of an artifact."""

    float32 = "float32"
    float16 = "float16"
    dynamic = "dynamic"
    int8 = "int8"


class Io(StrEnum):
    """Element type of an int8 file's ends."""

    int8 = "int8"
    uint8 = "uint8"
    float32 = "float32"


class TargetOption(StrEnum):
    """Where an int8 file is meant to run."""

    generic = "generic"
    x86 = "x86"
    x86_vnni = "x86-vnni"
    arm64 = "arm64"
    edgetpu = "edgetpu"


class Family(StrEnum):
    """Which MobileNet."""

    mobilenet_v1 = "mobilenet_v1"
    mobilenet_v2 = "mobilenet_v2"


class Effort(StrEnum):
    """How long the quantiser may take."""

    fast = "fast"
    best = "best"


class PreflightOption(StrEnum):
    """A target that can tell what it would take of a file."""

    edgetpu = "edgetpu"


class TableFormat(StrEnum):
    """Of a table."""

    markdown = "markdown"
    csv = "csv"
    json = "json"


class ComparisonFormat(StrEnum):
    """Of a comparison."""

    text = "text"
    markdown = "markdown"
    json = "json"


class CheckFormat(StrEnum):
    """Of a check."""

    text = "text"
    json = "json"
    markdown = "markdown"
    junit = "junit"
    github = "github"
    benchmark = "benchmark"


class AdviceFormat(StrEnum):
    """Of a recommendation."""

    text = "text"
    json = "json"


class RuntimeOption(StrEnum):
    """What runs an artifact."""

    auto = "auto"
    litert = "litert"
    tflite_runtime = "tflite-runtime"
    onnxruntime = "onnxruntime"
