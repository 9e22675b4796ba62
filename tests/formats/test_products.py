"""Integer products are found in files of every form, and their weights are those that the onnx package reads."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mobilenet_edge.formats.onnx import read as reader
from mobilenet_edge.formats.onnx.products import Product, products
from mobilenet_edge.quantise.rounding import MAX_PAIR

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8


def model(nodes, constants, kind=FLOAT, shape=(1, 4, 5, 5), **graph) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, kind, sides) for name, sides in (("x", shape), ("y", None))]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "model", ends[:1], ends[1:], held, **graph)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def found(made: onnx.ModelProto) -> tuple[Product, ...]:
    return products(reader.contents(made.SerializeToString()))


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def weights(*shape, dtype=np.int8):
    info = np.iinfo(dtype)
    return np.random.default_rng(1).integers(info.min, info.max + 1, shape).astype(dtype)


def qdq(kind, weight, activations=np.uint8, **attributes):
    """An operator between its DequantizeLinear, as onnxruntime's quantiser and ours write it."""
    constants = {"s": np.float32(0.1), "z": activations(0), "w": weight, "zw": weight.dtype.type(0)}
    return model(
        [
            node("QuantizeLinear", "x s z", "xq"),
            node("DequantizeLinear", "xq s z", "xf"),
            node("DequantizeLinear", "w s zw", "wf"),
            node(kind, "xf wf", "yf", **attributes),
            node("QuantizeLinear", "yf s z", "y"),
        ],
        constants,
    )


@pytest.mark.parametrize(
    ("kind", "attributes", "layout"),
    [("Conv", {}, "conv"), ("Gemm", {"transB": 1}, "out, in"), ("Gemm", {}, "in, out"), ("MatMul", {}, "in, out")],
)
@pytest.mark.parametrize("activations", [np.uint8, np.int8])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_qdq(kind, attributes, layout, activations, dtype):
    weight = weights(*((8, 4, 3, 3) if kind == "Conv" else (4, 6)), dtype=dtype)
    (product,) = found(qdq(kind, weight, activations, **attributes))
    assert (product.name, product.kind, product.layout) == ("w", kind, layout)
    assert (product.activations, product.weights) == (np.dtype(activations).name, np.dtype(dtype).name)
    assert product.shape == weight.shape
    assert bytes(product.values) == weight.tobytes()
    assert product.sixteen_bit == (activations is np.uint8 and dtype is np.int8)


@pytest.mark.parametrize(
    ("shape", "group", "depthwise"),
    [((4, 1, 3, 3), 4, True), ((8, 1, 3, 3), 4, False), ((4, 2, 3, 3), 2, False), ((1, 1, 3, 3), 1, True)],
    ids=["depthwise", "two outputs a channel", "groups", "one channel"],
)
def test_only_one_kernel_a_channel_is_depthwise(shape, group, depthwise):
    (product,) = found(qdq("Conv", weights(*shape), group=group))
    assert product.depthwise is depthwise
    assert product.sixteen_bit is not depthwise


@pytest.mark.parametrize("kind", ["QLinearConv", "QLinearMatMul", "QGemm"])
def test_operators_that_are_integer_themselves(kind):
    weight = weights(*((8, 4, 1, 1) if kind == "QLinearConv" else (4, 6)))
    constants = {"s": np.float32(0.1), "z": np.uint8(3), "w": weight, "zw": np.int8(0)}
    (product,) = found(model([node(kind, "x s z w s zw s z", "y")], constants, UINT8))
    assert (product.activations, product.weights) == ("uint8", "int8")
    assert bytes(product.values) == weight.tobytes()


def test_dynamic_quantisation_is_uint8():
    constants = {"w": weights(4, 6), "s": np.float32(0.1), "zw": np.int8(0)}
    chain = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "sq", "zq"]),
        node("Reshape", "q shape", "flat"),
        node("MatMulInteger", "flat w zq zw", "y"),
    ]
    (product,) = found(model(chain, {**constants, "shape": np.array([-1, 4])}))
    assert product.sixteen_bit
    (product,) = found(model([node("DynamicQuantizeMatMul", "x w s zw", "y")], constants))
    assert product.sixteen_bit


def test_without_a_zero_point_the_maker_tells():
    chain = [node("QuantizeLinear", "x s z", "q"), node("MatMulInteger", "q w", "y")]
    for zero, sixteen_bit in ((np.uint8(0), True), (np.int8(0), False)):
        (product,) = found(model(chain, {"w": weights(4, 6), "s": np.float32(0.1), "z": zero}))
        assert product.sixteen_bit is sixteen_bit
    (product,) = found(model([node("MatMulInteger", "x w", "y")], {"w": weights(4, 6)}, UINT8))
    assert product.sixteen_bit
    (product,) = found(model([node("MatMulInteger", "from-nowhere w", "y")], {"w": weights(4, 6)}))
    assert product.activations == "unknown"
    assert not product.sixteen_bit


@pytest.mark.parametrize("place", ["inputs of an old file", "typed field", "constant node"])
def test_weights_lie_in_other_places_too(place):
    weight = weights(8, 4, 3, 3)
    made = qdq("Conv", weight)
    (held,) = (each for each in made.graph.initializer if each.name == "w")
    if place == "inputs of an old file":
        made.graph.input.append(helper.make_tensor_value_info("w", TensorProto.INT8, weight.shape))
    else:
        typed = helper.make_tensor("w", TensorProto.INT8, weight.shape, weight.flatten().tolist())
        held.CopyFrom(typed)
    if place == "constant node":
        made.graph.initializer.remove(held)
        made.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=typed))
    (product,) = found(made)
    assert bytes(product.values) == weight.tobytes()
    assert product.shape == weight.shape


def test_weights_that_are_not_in_the_file_as_integers_stand_without_values():
    made = qdq("Conv", weights(8, 4, 3, 3))
    (held,) = (each for each in made.graph.initializer if each.name == "w")
    held.ClearField("raw_data")
    held.data_location = TensorProto.EXTERNAL
    (product,) = found(made)
    assert product.sixteen_bit
    assert not len(product.values)
    held.CopyFrom(numpy_helper.from_array(np.ones((8, 4, 3, 3), np.float32), "real"))
    made.graph.node.insert(0, node("QuantizeLinear", "real s zw", "w"))
    (product,) = found(made)
    assert product.sixteen_bit
    assert product.shape == (8, 4, 3, 3)
    assert not len(product.values)


def test_float_operators_and_products_of_two_activations_are_none():
    assert found(model([node("Conv", "x w", "y")], {"w": np.ones((8, 4, 1, 1), np.float32)})) == ()
    both = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "f"), node("MatMul", "f f", "y")]
    assert found(model(both, {"s": np.float32(1), "z": np.uint8(0)})) == ()
    # Weights alone are quantised: onnxruntime multiplies in float.
    alone = [node("DequantizeLinear", "w s zw", "wf"), node("Conv", "x wf", "y")]
    assert found(model(alone, {"w": weights(8, 4, 1, 1), "s": np.float32(1), "zw": np.int8(0)})) == ()


def test_convinteger_is_left_out():
    chain = [node("ConvInteger", "x w", "y")]
    assert found(model(chain, {"w": weights(8, 4, 1, 1)}, UINT8)) == ()


def test_a_circle_in_a_damaged_file_comes_to_an_end():
    made = [node("Relu", "b", "a"), node("Relu", "a", "b"), node("MatMulInteger", "a w", "y")]
    (product,) = found(model(made, {"w": weights(4, 6)}))
    assert product.activations == "unknown"


def test_our_files_are_read(plain):
    held = {each.name: each for each in products(reader.contents(plain["int8.onnx"]))}
    assert {name: each.sixteen_bit for name, each in held.items()} == {"conv1/w": True, "dw/w": False, "head/w": True}
    assert products(reader.contents(plain["float.onnx"])) == ()


def test_the_limit_is_where_two_full_activations_just_fit():
    assert 255 * MAX_PAIR <= np.iinfo(np.int16).max < 255 * (MAX_PAIR + 1)
