"""Which arrays a layer has, in the order in which Keras makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mobilenet_edge.model.read.architecture import Layer

Variables = tuple[str, ...]
# Updated by training's statistics, not by its gradients: legacy files have them behind all others.
UNTRAINED: Final = frozenset(("moving_mean", "moving_variance", "mean", "variance", "count"))


def variables(layer: Layer) -> Variables:
    """Name the arrays of a layer; none where it has none, or where mnet does not know it."""
    rule = _RULES.get(layer.kind)
    return rule(layer.config) if rule else ()


def _biased(*names: str) -> Callable[[Any], Variables]:
    return lambda config: (*names, *(["bias"] if config.get("use_bias", True) else []))


def _normalised(config: Any) -> Variables:
    scale, centre = config.get("scale", True), config.get("center", True)
    return (*(["gamma"] if scale else []), *(["beta"] if centre else []), "moving_mean", "moving_variance")


def _adapted(config: Any) -> Variables:
    return () if config.get("mean") is not None else ("mean", "variance", "count")


_RULES: Final[dict[str, Callable[[Any], Variables]]] = {
    "Conv2D": _biased("kernel"),
    "DepthwiseConv2D": _biased("depthwise_kernel"),
    "SeparableConv2D": _biased("depthwise_kernel", "pointwise_kernel"),
    "Dense": _biased("kernel"),
    "BatchNormalization": _normalised,
    "Normalization": _adapted,
}
