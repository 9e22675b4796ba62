"""What TensorFlow Lite for Microcontrollers computes from our int8 files is what LiteRT's reference kernels compute."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.conversion.micro import resolver
from mobilenet_edge.device import runtimes
from mobilenet_edge.formats.tflite import read as reader
from mobilenet_edge.formats.tflite.write import int8_tflite

pytestmark = [pytest.mark.slow, pytest.mark.tflm, pytest.mark.usefixtures("tflm")]


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("io", ["int8", "uint8"])
def test_every_operator_runs_bit_for_bit(made, batch, tmp_path, io, compact):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    data = int8_tflite(made, io=io, compact=compact)
    resolver.require(reader.contents(data))
    (tmp_path / "a.tflite").write_bytes(data)
    micro = runtimes.open_model(tmp_path / "a.tflite", runtime="tflm")
    plain = Interpreter(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    plain.allocate_tensors()
    (source,), (target,) = plain.get_input_details(), plain.get_output_details()
    for image in made.grids[made.graph.input].quantise(batch):
        given = (image.astype(int) + (128 if io == "uint8" else 0)).astype(io)[None]
        plain.set_tensor(source["index"], given)
        plain.invoke()
        np.testing.assert_array_equal(micro.run([given])[0], plain.get_tensor(target["index"]))
