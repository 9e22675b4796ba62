from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.errors import BuildError, InputError
from mobilenet_edge.graph import Graph
from mobilenet_edge.graph.run import run
from mobilenet_edge.model import layers as arithmetic
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import Model, held, parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec

pytestmark = pytest.mark.slow

Make = Callable[[Any], Any]


def read(model: Any) -> Model:
    """Read a model by way of its file, which must give what reading it from memory gives."""
    made, direct = parse(keras_bytes(model), "model.keras"), held(model)
    assert direct.graph.sha256() == made.graph.sha256()
    assert (direct.name, direct.rule) == (made.name, made.rule)
    return made


def fold(model: Any) -> Graph:
    return read(model).graph


def images(model: Any, count: int = 3) -> np.ndarray[Any, Any]:
    return np.random.default_rng(7).uniform(-1, 1, (count, *model.inputs[0].shape[1:])).astype(np.float32)


def check_equal(model: Any, tolerance: float = 1e-5) -> Graph:
    """Fold a model and compare it with Keras on random images."""
    made = read(model)
    # Layers at the head that scale pixels down are fed as much more.
    graph, batch = made.graph, images(model) / np.float32(min(map(abs, made.rule.scale)))
    wanted = np.asarray(model(batch, training=False))
    given = run(graph, made.rule.apply(batch)).reshape(wanted.shape)
    # Outputs that hardly depend on the image would prove nothing.
    assert np.ptp(wanted, axis=0).max() > 1e-3 * np.abs(wanted).max()
    # Relative to the largest output, which for probabilities is below 1: float32 sums of up to 2304 terms in another
    # order, and batch norm multiplied into the weights, through 28 layers.
    np.testing.assert_allclose(given, wanted, rtol=0, atol=tolerance * max(1.0, float(np.abs(wanted).max())))
    return graph


# --- exactness ------------------------------------------------------------------------------------------------------


def base(keras: Any, **options: Any) -> Any:
    options = {"input_shape": (64, 64, 3), "alpha": 0.25, "weights": None} | options
    return keras.applications.MobileNet(**options)


def body(keras: Any) -> Any:
    """What stands for a network without its classifier where only the way it is put together matters."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, 2, padding="same", use_bias=False)(image)
    return keras.Model(image, keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(x)))


def head(keras: Any, x: Any, activation: str | None = "softmax") -> Any:
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.layers.Dense(5, activation, name="own")(keras.layers.Dropout(0.2)(x))


def with_head(keras: Any) -> Any:
    inner = body(keras)
    return keras.Model(inner.input, head(keras, inner.output))


def with_logits(keras: Any) -> Any:
    inner = body(keras)
    return keras.Model(inner.input, head(keras, inner.output, None))


def nested(keras: Any) -> Any:
    image = keras.Input((8, 8, 3))
    return keras.Model(image, head(keras, body(keras)(image)))


def sequential(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential([body(keras), layers.GlobalAveragePooling2D(), layers.Dense(8, "relu"), layers.Dense(5)])


def flattened(keras: Any) -> Any:
    layers = keras.layers
    inner = base(keras, input_shape=(32, 32, 3), include_top=False)
    return keras.Sequential([inner, layers.Flatten(), layers.Dense(5), layers.Softmax()])


def normalised_dense(keras: Any) -> Any:
    layers = keras.layers
    hidden = [layers.Dense(8, use_bias=False), layers.BatchNormalization(scale=False), layers.Activation("relu6")]
    return keras.Sequential([keras.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), *hidden, layers.Dense(5)])


def uneven_convs(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((13, 10, 3)),
            layers.ZeroPadding2D(((1, 0), (2, 3))),
            layers.Conv2D(6, (3, 5), 2, activation="relu"),
            layers.Conv2D(6, (2, 4), padding="same", use_bias=False),
            layers.BatchNormalization(center=False),
            layers.DepthwiseConv2D(3, 2, padding="same", activation="relu6"),
        ]
    )


def residual(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1)(image)
    y = layers.ReLU()(layers.Conv2D(4, 3, padding="same")(x) + x)
    z = layers.Add()([y, layers.BatchNormalization()(layers.Conv2D(4, 1)(y))])
    return keras.Model(image, layers.GlobalAveragePooling2D()(z))


def pixel_softmax(keras: Any) -> Any:
    layers = keras.layers
    pooled = layers.GlobalAveragePooling2D(keepdims=True)
    conv = layers.Conv2D(5, 1, activation="softmax", name="own")
    return keras.Sequential([keras.Input((8, 8, 3)), pooled, conv, layers.Flatten()])


EXACT: dict[str, Make] = {
    "mobilenet": lambda keras: base(keras, classes=10),
    "rho 100, where 'same' would shift": lambda keras: base(keras, input_shape=(100, 100, 3), include_top=False),
    "feature map": lambda keras: base(keras, include_top=False),
    "pooled features": lambda keras: base(keras, include_top=False, pooling="avg"),
    "no classifier activation": lambda keras: base(keras, classes=10, classifier_activation=None),
    "own head": with_head,
    "own head without softmax": with_logits,
    "nested": nested,
    "sequential": sequential,
    "one pixel, flattened": flattened,
    "batch norm after dense": normalised_dense,
    "uneven sides, kernels and padding": uneven_convs,
    "residuals": residual,
    "softmax before the axes go": pixel_softmax,
}


def chain(*names_and_options: Any, shape: tuple[int | None, ...] = (8, 8, 3)) -> Make:
    """A Sequential model of keras layers, each given as (class name, positional arguments, options)."""

    def make(keras: Any) -> Any:
        parts = [getattr(keras.layers, kind)(*arguments, **options) for kind, arguments, options in names_and_options]
        return keras.Sequential([keras.Input(shape), *parts])

    return make


CONV = ("Conv2D", (4, 3), {"name": "c"})
GAP = ("GlobalAveragePooling2D", (), {"keepdims": True})
NORM = ("BatchNormalization", (), {"name": "n"})
RELU = ("ReLU", (), {"name": "r"})
FLAT = ("Flatten", (), {})
END = ("Dense", (5,), {})


def spelled(function: Callable[[Any, Any], Any]) -> Make:
    """A convolution, a function of the keras module and the tensor, and a dense layer."""

    def make(keras: Any) -> Any:
        layers = keras.layers
        image = keras.Input((8, 8, 3))
        x = function(keras, layers.Conv2D(4, 3, name="c")(image))
        return keras.Model(image, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))

    return make


def headed(function: Callable[[Any, Any], Any]) -> Make:
    """A function of the keras module and the picture, in front of a padded convolution."""

    def make(keras: Any) -> Any:
        layers = keras.layers
        image = keras.Input((8, 8, 3))
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(function(keras, image))
        return keras.Model(image, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))

    return make


def gated(keras: Any, x: Any) -> Any:
    """Squeeze and excite, as MobileNetV3 of Keras has it."""
    layers = keras.layers
    gate = layers.Conv2D(2, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    gate = layers.ReLU(6.0)(layers.Conv2D(4, 1)(gate) + 3.0) * (1.0 / 6.0)
    return layers.Multiply()([x, gate])


def swished(keras: Any, x: Any) -> Any:
    return keras.layers.Multiply()([x, keras.layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)])


def plus_constant(keras: Any) -> Any:
    image = keras.Input((8, 8, 3))
    return keras.Model(image, keras.layers.Conv2D(3, 1)(image) + 1.0)


def vector_plus_map(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((1, 1, 3))
    return keras.Model(image, layers.Add(name="sum")([image, layers.GlobalAveragePooling2D(keepdims=True)(image)]))


def shared_before_norm(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1)(image)
    return keras.Model(image, layers.Add(name="sum")([x, layers.BatchNormalization(name="norm")(x)]))


def shared_through_dropout(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1)(image)
    return keras.Model(image, layers.Add(name="sum")([x, layers.ReLU(name="relu")(layers.Dropout(0.1)(x))]))


def shared_into_a_model(keras: Any) -> Any:
    layers = keras.layers
    image, inside = keras.Input((8, 8, 3)), keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 1)(image)
    inner = keras.Model(inside, layers.ReLU(name="relu")(inside))
    return keras.Model(image, layers.Add(name="sum")([inner(x), x]))


def reused(keras: Any) -> Any:
    image = keras.Input((8, 8, 3))
    conv = keras.layers.Conv2D(3, 1, name="twice")
    return keras.Model(image, conv(conv(image)))


def model_called_twice(keras: Any) -> Any:
    layers = keras.layers
    image, inside = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    inner = keras.Model(inside, layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(3, 1, name="c")(inside))))
    return keras.Model(image, layers.Conv2D(2, 1, name="c")(inner(inner(image))))


def preprocessed(module: str) -> Make:
    return headed(lambda keras, x: getattr(keras.applications, module).preprocess_input(x))


def grey_as_colour(keras: Any) -> Any:
    image = keras.Input((8, 8, 1))
    return keras.Model(image, keras.layers.Conv2D(4, 3)(keras.layers.Concatenate()([image, image, image])))


EXACT |= {
    "a norm after an activation, padding after it": chain(
        CONV, RELU, NORM, ("Conv2D", (4, 3, 1, "same"), {}), GAP, END
    ),
    "a norm after an activation, nothing after it": chain(CONV, RELU, NORM),
    "a norm after pooling": chain(CONV, GAP, FLAT, NORM, END),
    "a norm after flattening": chain(CONV, RELU, FLAT, NORM, END),
    "a norm and an activation after pooling": chain(CONV, GAP, NORM, RELU, FLAT, END),
    "norm first": chain(NORM, CONV, FLAT, END),
    "relu of the image": chain(RELU),
    "relu after mean": chain(GAP, RELU),
    "separable": chain(("SeparableConv2D", (4, 3, 2, "same"), {"activation": "relu"}), GAP, FLAT, END),
    "as many groups as channels": chain(("Conv2D", (3, 3), {"groups": 3}), GAP, FLAT, END),
    "a multiplier of one channel": chain(("DepthwiseConv2D", (3,), {"depth_multiplier": 4}), GAP, END, shape=(8, 8, 1)),
    "dense over a map": chain(CONV, ("Dense", (4,), {"activation": "relu"}), FLAT, END),
    "dense over rows": chain(CONV, ("Reshape", ((-1, 4),), {}), ("Dense", (6, "relu"), {}), FLAT, END),
    "dense over a flattened map, twice": chain(CONV, RELU, FLAT, ("Dense", (7, "relu"), {}), END, ("Softmax", (), {})),
    "3 x 3 of a pixel": chain(GAP, ("Conv2D", (4, 3), {"padding": "same"})),
    "padded pooling": chain(CONV, ("ZeroPadding2D", (), {}), GAP, FLAT, END),
    "padding before a maximum": chain(CONV, ("ZeroPadding2D", (), {}), ("MaxPooling2D", (3, 2), {}), FLAT, END),
    "padding of a scaled map": chain(CONV, RELU, NORM, ("ZeroPadding2D", (), {}), ("AveragePooling2D", (2,), {})),
    "padded twice": chain(("ZeroPadding2D", (), {}), ("Conv2D", (4, 3), {"padding": "same"})),
    "padding last": chain(CONV, ("ZeroPadding2D", (), {})),
    "average pool, same": chain(CONV, ("AveragePooling2D", (3, 2, "same"), {}), FLAT, END),
    "maximum pool, same": chain(CONV, RELU, NORM, ("MaxPooling2D", (3, 2, "same"), {}), FLAT, END),
    "average of the whole map": chain(CONV, ("AveragePooling2D", (6,), {}), FLAT, END),
    "greatest of the whole map": chain(CONV, ("GlobalMaxPooling2D", (), {}), END),
    "sigmoid": chain(CONV, GAP, FLAT, ("Dense", (1, "sigmoid"), {})),
    "sigmoid of a map": chain(CONV, ("Activation", ("sigmoid",), {})),
    "swish": chain(("Conv2D", (4, 3), {"activation": "swish"}), ("Activation", ("silu",), {})),
    "hard swish": chain(("Conv2D", (4, 3), {"activation": "hard_swish"}), ("Activation", ("hard_silu",), {})),
    "hard sigmoid": chain(("Conv2D", (4, 3), {"activation": "hard_sigmoid"})),
    "hard swish of old": spelled(swished),
    "hard swish in another order": spelled(lambda keras, x: x * keras.ops.relu6(x + 3) / 6),
    "a gate that is none": spelled(lambda keras, x: keras.layers.ReLU(6.0)(x + 3.0) * 0.5),
    "squeeze and excite": spelled(gated),
    "operations": spelled(lambda keras, x: keras.ops.silu(keras.ops.hard_sigmoid(keras.ops.relu(2.0 - 3.0 * x)))),
    "clipped": spelled(lambda keras, x: keras.ops.clip(x, 0, 6)),
    "three summands": spelled(lambda keras, x: keras.layers.Add()([x, keras.ops.relu(x), x])),
    "joined": spelled(lambda keras, x: keras.layers.Concatenate()([x, keras.layers.ReLU()(x)])),
    "training only": spelled(lambda keras, x: keras.layers.ActivityRegularization(l2=1e-3)(keras.layers.Identity()(x))),
    "shared before a norm": shared_before_norm,
    "shared through a dropout": shared_through_dropout,
    "shared into a model": shared_into_a_model,
    "layer used twice": reused,
    "model called twice": model_called_twice,
    "a constant added": plus_constant,
    "a vector added to a pixel": vector_plus_map,
    "grey as colour": grey_as_colour,
}
HEADS: dict[str, tuple[Make, list[float], list[float], bool]] = {
    "mobilenet": (preprocessed("mobilenet"), [1 / 127.5] * 3, [-1] * 3, False),
    "caffe": (preprocessed("resnet"), [1] * 3, [-103.939, -116.779, -123.68], True),
    "torch": (
        preprocessed("densenet"),
        [1 / 255 / each for each in (0.229, 0.224, 0.225)],
        [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
        False,
    ),
    "rescaling": (headed(lambda keras, x: keras.layers.Rescaling(1 / 255, -0.5)(x)), [1 / 255] * 3, [-0.5] * 3, False),
    "normalization": (
        headed(lambda keras, x: keras.layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 16, 64])(x)),
        [1 / 2, 1 / 4, 1 / 8],
        [-1 / 2, -2 / 4, -3 / 8],
        False,
    ),
    "augmented arithmetic": (
        headed(lambda keras, x: 3 - keras.layers.RandomFlip()(keras.ops.flip(x, axis=-1)[..., ::-1]) / 2),
        [-0.5] * 3,
        [3] * 3,
        False,
    ),
}


@pytest.mark.parametrize(("make", "scale", "offset", "reverse"), HEADS.values(), ids=HEADS)
def test_layers_at_the_head_become_the_rule(
    make: Make, scale: list[float], offset: list[float], reverse: bool, keras: Any, randomise: Make
) -> None:
    model = make(keras)
    check_equal(randomise(model))
    rule = read(model).rule
    # Keras keeps its constants as float32.
    np.testing.assert_allclose([rule.scale, rule.offset], [scale, offset], rtol=1e-6)
    assert rule.reverse == reverse


@pytest.mark.parametrize("make", EXACT.values(), ids=EXACT)
def test_same_outputs_as_keras(make: Make, keras: Any, randomise: Make) -> None:
    check_equal(randomise(make(keras)))


def test_own_model_agrees_with_the_layer_table(mobilenet: Any) -> None:
    spec = ModelSpec(0.25, 64, 10)
    model = build(spec)
    model.set_weights(mobilenet.get_weights())
    graph = check_equal(model)
    assert [node.name for node in graph.weighted()] == [layer.name for layer in arithmetic.table(spec)]
    assert [node.macs for node in graph.weighted()] == [layer.macs for layer in arithmetic.table(spec)]
    assert graph.parameters == arithmetic.parameters(spec)
    assert (graph.classes, graph.logits) == (10, "conv_preds")
    # Explicit padding layers leave the same graph behind.
    assert graph.sha256() == fold(mobilenet).sha256()
    assert [node.padding for node in graph.nodes] == [node.padding for node in fold(mobilenet).nodes]


@pytest.mark.data
def test_real_weights_within_the_promised_tolerance(keras: Any, data: Any) -> None:
    model = base(keras, input_shape=(128, 128, 3))
    model.load_weights(data / "weights/mobilenet_2_5_128_tf.h5")
    batch = images(model)
    np.testing.assert_allclose(run(fold(model), batch), np.asarray(model(batch)), rtol=0, atol=1e-5)


def test_mobilenet_v2_is_a_dag_of_folded_nodes(keras: Any, randomise: Make) -> None:
    model = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, weights=None, classes=10)
    # 53 layers whose residuals no ReLU6 bounds: with random weights they amplify rounding some ten times more.
    graph = check_equal(randomise(model), 1e-4)
    sums = [node for node in graph.nodes if node.op == "add"]
    # One in each block that repeats its width at stride 1: Table 2 of arXiv:1801.04381 has 10.
    assert len(sums) == 10
    assert {node.op for node in graph.nodes} == {"conv", "depthwise", "add", "mean", "dense", "softmax"}


def test_a_softmax_is_a_node_and_shapes_have_no_axes_of_one(keras: Any) -> None:
    graph = fold(pixel_softmax(keras))
    assert [(node.name, node.op, node.shape) for node in graph.nodes[1:]] == [
        ("own", "dense", (5,)),
        ("own_softmax", "softmax", (5,)),
    ]
    assert graph.classes == 5


def test_dropout_and_linear_activations_leave_nothing(keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.SpatialDropout2D(0.5), layers.Conv2D(2, 1), layers.Activation("linear")]
    )
    assert [node.op for node in fold(model).nodes] == ["conv"]


# --- refusals -------------------------------------------------------------------------------------------------------


def two_inputs(keras: Any) -> Any:
    images = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    return keras.Model(images, keras.layers.Add()(images))


def inner_outputs(keras: Any) -> Any:
    layers = keras.layers
    inside, image = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 1)(inside)
    inner = keras.Model(inside, [x, layers.Conv2D(3, 1)(x)], name="inner")
    return keras.Model(image, layers.Add()(inner(image)))


def subclassed(keras: Any) -> Any:
    class Own(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    image = keras.Input((8, 8, 3))
    return keras.Model(image, Own(name="odd")(image))


def bare_subclass(keras: Any) -> Any:
    class Own(keras.Model):
        pass

    return Own(name="odd")


REFUSED: dict[str, tuple[Make, str]] = {
    "unknown layer": (
        chain(CONV, ("LeakyReLU", (), {"name": "leak"})),
        "layer 'leak' is a LeakyReLU, which mnet does not",
    ),
    "all at once": (
        chain(CONV, ("PReLU", (), {"name": "p"}), ("Conv2D", (4, 3), {"dilation_rate": 2, "name": "d"}), GAP, END),
        "layer 'p' is a PReLU, .*; layer 'd' has dilation .*; build the model without these layers",
    ),
    "no fixed size": (chain(CONV, shape=(None, None, 3)), "no fixed size; give the Input height and width"),
    "not an image": (chain(("Dense", (4,), {}), shape=(3,)), "takes an input of .None, 3.; mnet takes pictures"),
    "dilation": (chain(("Conv2D", (4, 3), {"dilation_rate": 2, "name": "c"})), "'c' has dilation"),
    "groups": (chain(("Conv2D", (4, 3), {"groups": 2, "name": "c"}), shape=(8, 8, 4)), "'c' has 2 groups"),
    "depth multiplier": (chain(("DepthwiseConv2D", (3,), {"depth_multiplier": 2, "name": "d"})), "depth multiplier"),
    "strides": (chain(("Conv2D", (4, 3), {"strides": (1, 2), "name": "c"})), "uneven strides"),
    "channels first": (chain(("ZeroPadding2D", (1,), {"data_format": "channels_first", "name": "p"})), "'p'.*channels"),
    "norm over rows": (chain(CONV, ("BatchNormalization", (), {"axis": 1, "name": "n"})), "'n' normalises axis 1"),
    "relu of another ceiling": (chain(CONV, ("ReLU", (3.0,), {"name": "r"})), "'r' is neither ReLU nor ReLU6"),
    "leaky relu in disguise": (chain(CONV, ("ReLU", (), {"negative_slope": 0.1, "name": "r"})), "'r' is neither"),
    "tanh": (chain(("Conv2D", (4, 3), {"activation": "tanh", "name": "c"})), "'c' has the activation 'tanh'"),
    "softmax over a map": (chain(CONV, ("Softmax", (), {"name": "s"})), "'s' is a softmax over a map"),
    "softmax over rows": (chain(CONV, ("Softmax", (), {"axis": 1, "name": "s"})), "'s' is a softmax over axis 1"),
    "flatten of a map": (chain(CONV, FLAT), r"ends the model with a map of \(6, 6, 4\) reshaped to \(144,\)"),
    "depthwise of a pixel": (
        chain(GAP, ("DepthwiseConv2D", (3,), {"padding": "same", "name": "d"})),
        "'d' follows a pooled pixel",
    ),
    "nothing": (chain(("Dropout", (0.1,), {})), "the model computes nothing"),
    "two inputs": (two_inputs, "has 2 inputs; mnet takes one picture"),
    "two outputs inside": (inner_outputs, "'inner' has 1 inputs and 2 outputs"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_known_is_refused_by_name(make: Make, message: str, keras: Any) -> None:
    with pytest.raises(BuildError, match=message) as caught:
        fold(make(keras))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("variable", ["kernel", "bias", "moving_variance"])
def test_weights_that_are_no_numbers_are_refused(variable: str, keras: Any) -> None:
    model = chain(CONV, ("BatchNormalization", (), {}))(keras)
    (broken,) = (each for each in model.weights if each.name == variable)
    # A variance below zero becomes NaN in the square root only.
    broken.assign(np.full(broken.shape, -1.0 if variable == "moving_variance" else np.nan))
    with pytest.raises(BuildError, match="has weights in layer 'c' that are NaN or infinite"):
        fold(model)


def test_a_class_of_the_users_own_is_refused(keras: Any) -> None:
    with pytest.raises(InputError, match=r"layer 'odd' uses .*Own, which is not Keras's own; mnet runs no code"):
        fold(subclassed(keras))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns that it was never called
        data = keras_bytes(bare_subclass(keras))
    for read_it in (lambda: parse(data, "model.keras"), lambda: held(bare_subclass(keras))):
        with pytest.raises(BuildError, match=r"it is a subclass of keras.Model .Own."):
            read_it()


def test_one_output_of_two_can_be_saved_as_the_message_says(keras: Any) -> None:
    image = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(image, [keras.layers.Dense(3, name=name)(x) for name in ("tens", "ones")])
    with pytest.raises(BuildError, match=r"has 1 inputs and 2 outputs.*: save keras.Model\(model.input, model.outputs"):
        fold(model)
    assert fold(keras.Model(model.input, model.outputs[0])).output.name == "tens"
