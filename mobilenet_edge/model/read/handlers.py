"""Which handler takes up which layer, operation or function; what is not here is refused by its name."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.model.read import activations, arithmetic, convolutions, pools, resizing, shapes
from mobilenet_edge.model.read.applied import Handler

_LAYERS: Final[dict[str, Handler]] = {
    "Conv2D": convolutions.conv,
    "DepthwiseConv2D": convolutions.depthwise,
    "SeparableConv2D": convolutions.separable,
    "Dense": convolutions.dense,
    "BatchNormalization": arithmetic.batch_norm,
    "Rescaling": arithmetic.rescaling,
    "Normalization": arithmetic.normalization,
    "ReLU": activations.relu,
    "Activation": activations.layer,
    "Softmax": activations.softmax,
    "GlobalAveragePooling2D": pools.global_average,
    "GlobalMaxPooling2D": pools.global_maximum,
    "AveragePooling2D": pools.average,
    "MaxPooling2D": pools.maximum,
    "ZeroPadding2D": shapes.pad,
    "Reshape": shapes.reshape,
    "Flatten": shapes.flatten,
    "Resizing": resizing.resizing,
    "CenterCrop": resizing.centre_crop,
    "RandomCrop": resizing.random_crop,
    "InputLayer": shapes.entry,
}
# Layers of both generations and operations of Keras 3 whose names and meanings agree.
_OPERATIONS: Final[dict[str, Handler]] = {
    "Add": arithmetic.add,
    "Subtract": arithmetic.subtract,
    "Multiply": arithmetic.multiply,
    "Divide": arithmetic.divide,
    "TrueDivide": arithmetic.divide,
    "Negative": arithmetic.negate,
    "Concatenate": arithmetic.concatenate,
    "Stack": arithmetic.stack,
    "GetItem": resizing.get_item,
    "Flip": resizing.flip,
    "Cast": shapes.cast,
    "Mean": pools.mean,
    "Clip": activations.clip,
    "Relu": activations.named("relu"),
    "Relu6": activations.named("relu6"),
    "Sigmoid": activations.named("sigmoid"),
    "HardSigmoid": activations.named("hard_sigmoid"),
    "HardSilu": activations.named("hard_silu"),
    "Silu": activations.named("silu"),
}
# TensorFlow's functions, as Keras 2 stores them.
_FUNCTIONS: Final[dict[str, Handler]] = {
    f"tf.{name}": handler
    for names, handler in (
        ("math.add __operators__.add nn.bias_add", arithmetic.add),
        ("math.subtract __operators__.sub", arithmetic.subtract),
        ("math.multiply __operators__.mul", arithmetic.multiply),
        ("math.truediv math.divide __operators__.truediv", arithmetic.divide),
        ("math.negative", arithmetic.negate),
        ("concat", arithmetic.concatenate),
        ("stack", arithmetic.stack),
        ("__operators__.getitem", resizing.get_item),
        ("reverse", resizing.flip),
        ("cast", shapes.cast),
        ("reshape", shapes.reshape),
        ("identity stop_gradient", shapes.nothing),
        ("math.reduce_mean", pools.mean),
        ("clip_by_value", activations.clip),
        ("nn.relu", activations.named("relu")),
        ("nn.relu6", activations.named("relu6")),
        ("nn.silu nn.swish", activations.named("silu")),
        ("math.sigmoid nn.sigmoid", activations.named("sigmoid")),
        ("nn.softmax", activations.softmax),
    )
    for name in names.split()
}
# Nothing happens in these outside training.
_TRAINING: Final = frozenset((
    "Dropout", "SpatialDropout2D", "SpatialDropout1D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization", "Identity", "AugMix", "CutMix", "MixUp", "RandAugment",
))  # fmt: skip
HANDLERS: Final[dict[str, Handler]] = {
    **_LAYERS,
    **_OPERATIONS,
    **_FUNCTIONS,
    **dict.fromkeys(_TRAINING, shapes.nothing),
}


def handler(kind: str) -> Handler | None:
    """Find the handler of a layer; augmentation by its prefix, which Keras's layers for it share."""
    return HANDLERS.get(kind) or (shapes.nothing if kind.startswith("Random") else None)
