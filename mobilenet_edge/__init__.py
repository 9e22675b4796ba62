"""From (alpha, rho) to a trusted tradeoff table: MobileNet on small devices.

    import mobilenet_edge as me

    model = me.build(me.ModelSpec(alpha=0.5, resolution=160), weights="imagenet")
    artifact = me.convert(model, format="tflite", precision="int8", calibration="pictures/")

This file travels to devices, so it keeps to Python 3.9 and imports nothing until a name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_MODULES = {
    "Artifact": "mobilenet_edge.formats.artifact",
    "MnetError": "mobilenet_edge.errors",
    "ModelSpec": "mobilenet_edge.model.spec",
    **dict.fromkeys(
        ("Table", "build", "convert", "evaluate", "profile", "recommend", "tradeoff"), "mobilenet_edge.api"
    ),
}

__all__ = [
    "Artifact",
    "MnetError",
    "ModelSpec",
    "Table",
    "__version__",
    "build",
    "convert",
    "evaluate",
    "profile",
    "recommend",
    "tradeoff",
]

if TYPE_CHECKING:
    from mobilenet_edge.api import Table, build, convert, evaluate, profile, recommend, tradeoff
    from mobilenet_edge.errors import MnetError
    from mobilenet_edge.formats.artifact import Artifact
    from mobilenet_edge.model.spec import ModelSpec


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
