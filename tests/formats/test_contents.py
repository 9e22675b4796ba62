"""The questions asked of any file's contents."""

from mobilenet_edge.formats.contents import Contents, Operator, Tensor


def holding(*tensors):
    return Contents({each.name: each for each in tensors}, (), (), (), {})


def test_operators_are_counted_most_first():
    operators = tuple(Operator(kind, (), ()) for kind in ("ADD", "CONV", "CONV"))
    assert list(Contents({}, operators, (), (), {}).ops.items()) == [("CONV", 2), ("ADD", 1)]


def test_precision_is_that_of_most_constants_by_count_not_by_size():
    weights = Tensor("w", (30, 1), "int8", constant_bytes=30)
    biases = Tensor("b", (10,), "float32", constant_bytes=40)
    assert holding(weights, biases).precision == "int8"


def test_activations_and_text_do_not_count():
    image = Tensor("image", (1, 1000), "float32")
    words = Tensor("words", (9,), "string", constant_bytes=1000)
    assert holding(image, words, Tensor("w", (2, 2), "int8", constant_bytes=4)).precision == "int8"
    assert holding(image, words).precision == "unknown"


def test_half_bytes_are_counted_twice():
    assert holding(
        Tensor("w", (60,), "int4", constant_bytes=30), Tensor("b", (40,), "int8", constant_bytes=40)
    ).precision == "int4"  # fmt: skip


def test_elements_of_a_shape():
    assert Tensor("x", (1, 8, 8, 3), "int8").elements == 192
    assert Tensor("scalar", (), "int8").elements == 1
    # A damaged file may claim any shape; it is only a number.
    assert Tensor("x", (2**31,) * 8, "int8").elements == 2**248
