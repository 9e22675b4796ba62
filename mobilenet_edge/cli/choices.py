"""Define the values of options with a fixed choice."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from mobilenet_edge.device.runtimes import AUTO, RUNTIMES


class FormatOption(StrEnum):
    """Format of an artifact."""

    tflite = "tflite"
    onnx = "onnx"


class Precision(StrEnum):
    """Precision of an artifact."""

    float32 = "float32"
    float16 = "float16"
    dynamic = "dynamic"
    int8 = "int8"
    mixed = "mixed"


class Io(StrEnum):
    """Element type of the inputs and outputs of an int8 file."""

    int8 = "int8"
    uint8 = "uint8"
    float32 = "float32"


class TargetOption(StrEnum):
    """Processor that an int8 file is exported for."""

    generic = "generic"
    x86 = "x86"
    x86_vnni = "x86-vnni"
    arm64 = "arm64"
    edgetpu = "edgetpu"
    ethos_u55_32 = "ethos-u55-32"
    ethos_u55_64 = "ethos-u55-64"
    ethos_u55_128 = "ethos-u55-128"
    ethos_u55_256 = "ethos-u55-256"
    ethos_u65_256 = "ethos-u65-256"
    ethos_u65_512 = "ethos-u65-512"
    ethos_u85_128 = "ethos-u85-128"
    ethos_u85_256 = "ethos-u85-256"
    ethos_u85_512 = "ethos-u85-512"
    ethos_u85_1024 = "ethos-u85-1024"
    ethos_u85_2048 = "ethos-u85-2048"
    tflm = "tflm"


class Family(StrEnum):
    """Family of architectures."""

    mobilenet_v1 = "mobilenet_v1"
    mobilenet_v2 = "mobilenet_v2"


class Effort(StrEnum):
    """Effort of the quantiser: quick, or slower and more accurate."""

    fast = "fast"
    best = "best"


if TYPE_CHECKING:

    class PreflightOption(StrEnum):
        """Target whose supported operators are known."""

else:
    _CPUS = ("generic", "x86", "x86-vnni", "arm64")
    PreflightOption = StrEnum("PreflightOption", {each.name: each.value for each in TargetOption if each not in _CPUS})


class TableFormat(StrEnum):
    """Format of a table."""

    markdown = "markdown"
    csv = "csv"
    json = "json"


class ComparisonFormat(StrEnum):
    """Format of a comparison."""

    text = "text"
    markdown = "markdown"


class CheckFormat(StrEnum):
    """Format of the result of a check."""

    text = "text"
    json = "json"
    markdown = "markdown"
    junit = "junit"
    github = "github"
    benchmark = "benchmark"


class BundleTarget(StrEnum):
    """What a bundle is for."""

    pi = "pi"
    cpp = "cpp"
    android = "android"
    web = "web"
    compiler = "compiler"
    micro = "micro"


if TYPE_CHECKING:

    class RuntimeOption(StrEnum):
        """Runtime that runs an artifact."""

        auto = AUTO
else:
    # Type checkers know the members of an enum only where they are written out.
    RuntimeOption = StrEnum("RuntimeOption", {name.replace("-", "_"): name for name in (AUTO, *RUNTIMES)})
