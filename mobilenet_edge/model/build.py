"""MobileNets in Keras, with the layer names and weight layout of `keras.applications`."""

from __future__ import annotations

import warnings
from typing import Any, assert_never

from mobilenet_edge.model.spec import BODY, STEM, ModelSpec
from mobilenet_edge.model.tf import load_keras

# The published weights were trained with it.
DROPOUT = 1e-3


def build(spec: ModelSpec, seed: int = 0) -> Any:
    """Build the model with random weights.

    Args:
        spec: Family, width, resolution, classes and channels.
        seed: Of every initialiser: the same seed gives the same weights.

    Returns:
        A functional keras.Model: float32 (n, rho, rho, channels) in [-1, 1] to probabilities (n, classes).
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    match spec.family:
        case "mobilenet_v1":
            return _v1(keras, spec)
        case "mobilenet_v2":
            return _v2(keras, spec)
        case _:
            assert_never(spec.family)


def _v1(keras: Any, spec: ModelSpec) -> Any:
    layers = keras.layers
    image = x = layers.Input((spec.resolution, spec.resolution, spec.channels), name="input_layer")
    x = _conv(keras, x, spec.width(STEM), 3, 2, "conv1")
    for block, (stride, filters) in enumerate(BODY, 1):
        # 'same' at stride 2 pads only bottom and right on even sides, as ZeroPadding2D((0, 1), (0, 1)) does in
        # keras.applications; every side is even because rho is a multiple of 32.
        x = layers.DepthwiseConv2D(
            3, stride, "same", use_bias=False, depthwise_initializer=_lively(keras), name=f"conv_dw_{block}"
        )(x)
        x = _norm(keras, x, f"conv_dw_{block}")
        x = _conv(keras, x, spec.width(filters), 1, 1, f"conv_pw_{block}")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
    x = layers.Dropout(DROPOUT, name="dropout")(x)
    x = layers.Conv2D(spec.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((spec.classes,), name="reshape_2")(x)
    x = layers.Activation("softmax", name="predictions")(x)
    # The name keras.applications gives, which its users' code may look for.
    return keras.Model(image, x, name=f"mobilenet_{spec.alpha:0.2f}_{spec.resolution}")


def _v2(keras: Any, spec: ModelSpec) -> Any:
    shape = (spec.resolution, spec.resolution, spec.channels)
    with warnings.catch_warnings():
        # "weights='imagenet'" is for 3 channels; none are loaded.
        warnings.simplefilter("ignore")
        model = keras.applications.MobileNetV2(shape, spec.alpha, weights=None, classes=spec.classes)
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            layer.kernel.assign(_lively(keras)(layer.kernel.shape))
        elif isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(keras.initializers.HeNormal()(layer.kernel.shape))
        # Keras numbers the names that it chooses, and the second model of a process would have other bytes.
        elif isinstance(layer, keras.layers.InputLayer):
            layer.name = "input_layer"
        elif isinstance(layer, keras.layers.GlobalAveragePooling2D):
            layer.name = "global_average_pooling2d"
    return model


def _lively(keras: Any) -> Any:
    """Make an initialiser of depthwise kernels.

    Keras counts their fan-in over all channels, which would let the signal die out in ten layers.
    """
    return keras.initializers.RandomNormal(stddev=(2 / 9) ** 0.5)


def _conv(keras: Any, x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    conv = keras.layers.Conv2D(
        filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name
    )
    return _norm(keras, conv(x), name)


def _norm(keras: Any, x: Any, name: str) -> Any:
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)
