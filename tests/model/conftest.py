"""Keras, started once, and models whose outputs are not uniform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.model.tf import load_keras


@pytest.fixture(scope="session")
def keras() -> Any:
    return load_keras()


@pytest.fixture(scope="session")
def randomise() -> Callable[[Any], Any]:
    """Give every variable a value that matters: fresh batch norms would fold into nothing, fresh kernels fade out."""

    def randomise(model: Any, seed: int = 0) -> Any:
        random = np.random.default_rng(seed)
        for variable in model.weights:
            shape, name = variable.shape, variable.name
            if name == "kernel":
                # He's scale keeps the signal alive through 27 layers.
                fan_in = 9 if shape[-1] == 1 and len(shape) == 4 else np.prod(shape[:-1])
                variable.assign(random.normal(0, np.sqrt(2 / fan_in), shape))
            elif name in ("gamma", "moving_variance"):
                variable.assign(random.uniform(0.5, 1.5, shape))
            elif name in ("beta", "bias", "moving_mean"):
                variable.assign(random.normal(0, 0.3, shape))
        return model

    return randomise


@pytest.fixture(scope="session")
def mobilenet(keras: Any, randomise: Callable[[Any], Any]) -> Any:
    """`keras.applications.MobileNet`, alpha 0.25 and 64 px, 10 classes."""
    return randomise(keras.applications.MobileNet((64, 64, 3), alpha=0.25, weights=None, classes=10))
