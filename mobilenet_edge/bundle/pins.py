"""Pin what a bundle's program needs to versions that have wheels for the board."""

from __future__ import annotations

from importlib.metadata import version

from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.device.runtimes import RUNTIMES

_64_BIT = 'platform_machine != "armv7l"'
_32_BIT = 'platform_machine == "armv7l"'


def write(model: Deployment) -> str:
    """Write requirements.txt: the versions that gave the expected answers, and for 32-bit ARM the last there are."""
    common = [f"numpy=={version('numpy')}", f"pillow=={version('pillow')}"]
    if model.artifact.format == "onnx":
        return _lines("No wheels of onnxruntime for 32-bit ARM.", [*common, f"onnxruntime=={version('onnxruntime')}"])
    litert = f"ai-edge-litert=={model.runtime_version}" if model.runtime == "litert" else "ai-edge-litert>=2.1"
    legacy = RUNTIMES["tflite-runtime"].wheels[0].requirement.replace("'", "").split()
    return _lines(
        "64-bit systems have ai-edge-litert (glibc 2.34 or newer); 32-bit ARM has tflite-runtime, up to Python 3.11.",
        [
            *(f"{each}; {_64_BIT}" for each in (common[0], litert)),
            *(f"{each}; {_32_BIT}" for each in legacy),
            common[1],
        ],
    )


def _lines(note: str, requirements: list[str]) -> str:
    return "\n".join([f"# {note}", *requirements]) + "\n"
