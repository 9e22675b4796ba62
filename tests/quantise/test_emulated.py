"""onnxruntime on an x86 CPU without VNNI, emulated by qemu, gives what the integer model says, bit for bit.

The CPUs that CI runs on have VNNI, where nothing is cut off: there the model could be wrong and nobody would see.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mobilenet_edge.data import prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats.onnx import read as reader
from mobilenet_edge.formats.onnx.products import matrix, products
from mobilenet_edge.formats.onnx.write import int8_onnx
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.graph.run import patches
from mobilenet_edge.model import weights as stored
from mobilenet_edge.model.build import build as model_of
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, Weights, saturation
from mobilenet_edge.quantise.solve import Options, solve

pytestmark = [pytest.mark.slow, pytest.mark.emulated]

AVX2, AVX = "Haswell-noTSX", "IvyBridge"
ZERO = 3  # of the activations
PROGRAM = """
import sys
from pathlib import Path
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.log_severity_level = 1, 3
options.add_session_config_entry("session.x64quantprecision", sys.argv[2])
found = {}
for path in Path(sys.argv[1]).glob("*.onnx"):
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    inputs = numpy.load(path.with_suffix(".npy"))
    found[path.stem] = numpy.stack([session.run(None, {name: each})[0] for each in inputs])
numpy.savez(Path(sys.argv[1]) / "found.npz", **found)
"""
Models = dict[str, tuple[bytes, np.ndarray]]
Run = Callable[..., dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """Run models, each on inputs stacked along a first axis, on a CPU of qemu's or, named None, on this one."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("the emulated CPU runs this Python, which must be one for Linux on x86-64")
    emulator = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
    if emulator is None:
        pytest.skip("no qemu-x86_64; on Debian or Ubuntu: sudo apt install qemu-user-static")

    def run(models: Models, cpu: str | None = AVX2, precise: bool = False) -> dict[str, np.ndarray]:
        folder = tmp_path_factory.mktemp("emulated")
        for name, (data, inputs) in models.items():
            (folder / f"{name}.onnx").write_bytes(data)
            np.save(folder / f"{name}.npy", inputs)
        command = [sys.executable, "-c", PROGRAM, str(folder), str(int(precise))]
        done = subprocess.run([emulator, "-cpu", cpu, *command] if cpu else command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with np.load(folder / "found.npz") as found:
            return dict(found)

    return run


@pytest.fixture(scope="module")
def models() -> Models:
    """All of them, by name of their group and their own: an emulated Python takes seconds to start."""
    groups = {
        "uint8 int8": multiply(np.uint8, np.int8),
        "int8 int8": multiply(np.int8, np.int8),
        "uint8 uint8": multiply(np.uint8, np.uint8),
        "int8 uint8": multiply(np.int8, np.uint8),
        "conv": convolutions("QLinearConv"),
        "dynamic": convolutions("ConvInteger"),
        "dense": dense(),
        "ours": ours(),
    }
    return {f"{group}, {name}": each for group, made in groups.items() for name, each in made.items()}


@pytest.fixture(scope="module")
def avx2(run, models) -> dict[str, np.ndarray]:
    """What an AVX2 CPU gives for each."""
    return run(models)


@pytest.fixture(scope="module")
def here(run, models) -> dict[str, np.ndarray]:
    """What this CPU gives for each."""
    return run(models, None)


def extreme(random, dtype, *shape):
    """Integers most of which are near the ends of their range, so that sums of two overflow 16 bits often."""
    info = np.iinfo(dtype)
    far = info.max - random.integers(0, 40, shape)
    if info.min:
        far = np.where(random.random(shape) < 0.5, info.min + random.integers(0, 40, shape), far)
    return np.where(random.random(shape) < 0.7, far, random.integers(info.min, info.max + 1, shape)).astype(dtype)


def model(node, inputs, constants, output):
    """One operator on an input `x`."""
    kinds = (helper.np_dtype_to_tensor_dtype(np.dtype(each)) for each in (inputs.dtype, output))
    shapes = (inputs.shape[1:], None)
    ends = [helper.make_tensor_value_info(*each) for each in zip("xy", kinds, shapes, strict=True)]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph([node], "model", ends[:1], ends[1:], held)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return made.SerializeToString(), inputs


# Odd K, K beyond a multiple of 4, one row (its own kernel), many rows, K of several blocks.
SHAPES = [(1, 1024, 20), (5, 16, 8), (7, 17, 16), (3, 6, 33), (64, 33, 17), (2, 1, 5), (40, 513, 48)]


def multiply(activations, weights) -> Models:
    random, made = np.random.default_rng(0), {}
    for rows, size, out in SHAPES:
        inputs, weight = extreme(random, activations, 1, rows, size), extreme(random, weights, size, out)
        node = helper.make_node("MatMulInteger", ["x", "w", "zx"], ["y"])
        made[f"{rows}x{size}x{out}"] = model(node, inputs, {"w": weight, "zx": activations(ZERO)}, np.int32)
    return made


def constant(data, name):
    (held,) = (each for each in onnx.load_from_string(data).graph.initializer if each.name == name)
    return numpy_helper.to_array(held)


def sums(data, rows, exact=False):
    """What a product of the file gives for rows of activations in memory, the zero point taken off."""
    (product,) = products(reader.contents(data))
    weight = matrix(product)
    plain = rows.astype(np.int32) @ weight.astype(np.int32)
    return (plain if exact else saturation.accumulate(rows, weight)) - ZERO * weight.sum(0, dtype=np.int32)


def group(models: Models, name: str) -> Models:
    return {each: made for each, made in models.items() if each.startswith(f"{name}, ")}


def test_matrices_are_multiplied_as_the_model_says(models, avx2, here):
    for name, (data, inputs) in group(models, "uint8 int8").items():
        wanted, plain = sums(data, inputs[0]), sums(data, inputs[0], exact=True)
        np.testing.assert_array_equal(avx2[name][0], wanted, name)
        # Both would pass where nothing was cut off; without a neighbour nothing is.
        assert "2x1x5" in name or (wanted != plain).mean() > 0.1
        # Whatever this machine has, it does one or the other.
        assert np.array_equal(here[name][0], plain) or np.array_equal(here[name][0], wanted)


@pytest.mark.parametrize("types", ["int8 int8", "uint8 uint8", "int8 uint8"])
def test_no_other_pair_of_types_is_cut_off(types, models, avx2):
    for name, (data, inputs) in group(models, types).items():
        exact = (inputs[0].astype(np.int32) - ZERO) @ constant(data, "w").astype(np.int32)
        np.testing.assert_array_equal(avx2[name][0], exact, name)


@pytest.mark.parametrize(("cpu", "precise"), [(AVX, False), (AVX2, True)], ids=["no AVX2", "precise mode"])
def test_nothing_is_cut_off_without_avx2_or_in_the_precise_mode_of_onnxruntime(cpu, precise, models, run):
    chosen = group(models, "uint8 int8")
    for name, found in run(chosen, cpu, precise).items():
        data, inputs = models[name]
        np.testing.assert_array_equal(found[0], sums(data, inputs[0], exact=True), name)


# in, out, kernel, stride, padding, groups, side: the pairs of 3x3 kernels of an odd number of channels reach from one
# place of the kernel into the next; one output a channel is depthwise, two are not.
CONVOLUTIONS = {
    "pointwise": (16, 32, 1, 1, 0, 1, 6),
    "pointwise, odd": (17, 24, 1, 1, 0, 1, 6),
    "pointwise, stride": (6, 10, 1, 2, 0, 1, 7),
    "pointwise, one place": (64, 32, 1, 1, 0, 1, 1),
    "first": (3, 16, 3, 2, 1, 1, 32),
    "3x3": (16, 16, 3, 1, 1, 1, 20),
    "3x3, odd": (5, 8, 3, 1, 0, 1, 8),
    "3x3, not four": (6, 9, 3, 1, 1, 1, 5),
    "groups": (8, 16, 3, 1, 1, 2, 6),
    "two outputs a channel": (8, 16, 3, 1, 1, 8, 6),
    "depthwise": (16, 16, 3, 1, 1, 16, 6),
    "depthwise, stride": (13, 13, 3, 2, 1, 13, 7),
    "depthwise, 5x5": (8, 8, 5, 1, 2, 8, 9),
}


def convolutions(kind) -> Models:
    random, made = np.random.default_rng(1), {}
    for name, (inside, outside, kernel, stride, padding, groups, side) in CONVOLUTIONS.items():
        inputs = extreme(random, np.uint8, 1, 1, inside, side, side)
        weight = extreme(random, np.int8, outside, inside // groups, kernel, kernel)
        attributes = {"pads": [padding] * 4, "strides": [stride] * 2, "group": groups}
        constants = {"w": weight, "zx": np.uint8(ZERO), "zw": np.int8(0)}
        if kind == "ConvInteger":
            node = helper.make_node(kind, ["x", "w", "zx", "zw"], ["y"], **attributes)
            made[name] = model(node, inputs, constants, np.int32)
            continue
        # A power of two, so that the one rounding is beyond doubt; sums of a few hundred thousand span the 256 steps.
        scale = np.float32(2.0 ** -np.ceil(np.log2(weight[0].size ** 0.5 * 255 * 127 / 60)))
        constants |= {"one": np.float32(1), "sw": scale, "zy": np.uint8(128)}
        node = helper.make_node(kind, ["x", "one", "zx", "w", "sw", "zw", "one", "zy"], ["y"], **attributes)
        made[name] = model(node, inputs, constants, np.uint8)
    return made


def convolved(name, data, inputs, exact=False):
    """The sums of a convolution (out, height, width), group by group."""
    inside, outside, kernel, stride, padding, groups, side = CONVOLUTIONS[name]
    x = inputs[0].transpose(0, 2, 3, 1).astype(np.float32) - ZERO
    to = (side + 2 * padding - kernel) // stride + 1
    share, weight = inside // groups, constant(data, "w")
    parts = []
    for group, kernels in enumerate(np.split(weight, groups)):
        wide = kernels.transpose(2, 3, 1, 0)
        node = Node("c", "conv", ("x",), (to, to, wide.shape[-1]), wide, None, stride, ((padding, padding),) * 2)
        rows = (patches(node, x[..., group * share : (group + 1) * share]) + ZERO).astype(np.uint8)
        table = wide.reshape(-1, wide.shape[-1])
        made = rows.astype(np.int32) @ table.astype(np.int32) if exact else saturation.accumulate(rows, table)
        parts.append(made - ZERO * table.sum(0, dtype=np.int32))
    return np.concatenate(parts, 1).T.reshape(outside, to, to)


def test_convolutions_are_what_the_model_says_and_depthwise_ones_are_exact(models, avx2):
    for name, (data, inputs) in group(models, "conv").items():
        short = name.removeprefix("conv, ")
        depthwise = short.startswith("depthwise")
        (product,) = products(reader.contents(data))
        assert product.sixteen_bit is not depthwise
        wanted, plain = (
            np.clip(np.rint(convolved(short, data, inputs, exact) * constant(data, "sw")) + 128, 0, 255)
            for exact in (depthwise, True)
        )
        np.testing.assert_array_equal(avx2[name][0, 0], wanted, name)
        assert depthwise or (wanted != plain).mean() > 0.1


def test_dynamic_convolutions_are_exact(models, avx2):
    for name, (data, inputs) in group(models, "dynamic").items():
        exact = convolved(name.removeprefix("dynamic, "), data, inputs, exact=True)
        np.testing.assert_array_equal(avx2[name][0, 0], exact, name)
        assert products(reader.contents(data)) == ()


def dense() -> Models:
    made = {}
    for kind in ("QGemm", "QLinearMatMul"):
        for size in (16, 17, 30):
            random, transposed = np.random.default_rng(size), kind == "QGemm"
            inputs = extreme(random, np.uint8, 1, 6, size)
            weight = extreme(random, np.int8, *((24, size) if transposed else (size, 24)))
            constants = {"w": weight, "one": np.float32(1), "sw": np.float32(2.0**-12), "z": np.uint8(ZERO)}
            constants |= {"zw": np.int8(0), "zy": np.uint8(128), "bias": np.zeros(24, np.int32)}
            names = ["x", "one", "z", "w", "sw", "zw", *(["bias"] if transposed else []), "one", "zy"]
            attributes = {"domain": "com.microsoft", "transB": 1} if transposed else {}
            node = helper.make_node(kind, names, ["y"], **attributes)
            made[f"{kind} {size}"] = model(node, inputs, constants, np.uint8)
    return made


def test_dense_layers_are_what_the_model_says(models, avx2):
    for name, (data, inputs) in group(models, "dense").items():
        wanted, plain = (
            np.clip(np.rint(sums(data, inputs[0], exact) * 2.0**-12) + 128, 0, 255) for exact in (False, True)
        )
        np.testing.assert_array_equal(avx2[name][0], wanted, name)
        assert (wanted != plain).mean() > 0.1


def written(safe: bool) -> tuple[QuantisedGraph, np.ndarray]:
    """A network of one convolution, its weights halved to be safe, and 8-bit images for it."""
    random = np.random.default_rng(6)
    weight = extreme(random, np.int8, 3, 3, 5, 8) // (2 if safe else 1)
    node = Node("conv", "conv", ("image",), (6, 6, 8), weight.astype(np.float32), np.zeros(8, np.float32), 2,
                ((0, 1), (0, 1)))  # fmt: skip
    # Powers of two again; zero of the activations lies at 130 in memory.
    grids = {"image": QuantParams(2.0**-7, 2), "conv": QuantParams(2.0**4, 0)}
    own = Weights(weight, np.full(8, 2.0**-4, np.float32), random.integers(-999, 999, 8).astype(np.int32))
    graph = Graph("one", "image", (12, 12, 5), (node,))
    return QuantisedGraph(graph, grids, {"conv": own}), extreme(random, np.uint8, 3, 12, 12, 5)


def ours() -> Models:
    made = {}
    for safe in (True, False):
        network, pixels = written(safe)
        made[str(safe)] = int8_onnx(network, "uint8"), pixels.transpose(0, 3, 1, 2)[:, None]
    return made


@pytest.mark.parametrize("safe", [False, True], ids=["cut off", "within the limit"])
def test_files_of_ours_compute_what_the_model_says(safe, avx2, here):
    made, pixels = written(safe)
    node, zero, own = made.graph["conv"], made.grids["image"].zero_point + 128, made.weights["conv"]
    rows = (patches(node, pixels.astype(np.float32) - zero) + zero).astype(np.uint8)
    table = own.integers.reshape(-1, 8)
    total = saturation.accumulate(rows, table) - zero * table.sum(0, dtype=np.int32) + own.bias
    # Image scale 2**-7, weight scale 2**-4, output scale 2**4.
    wanted = np.clip(np.rint(total * 2.0**-15) + 128, 0, 255).reshape(3, 6, 6, 8)
    emulated = avx2[f"ours, {safe}"]
    np.testing.assert_array_equal(emulated[:, 0].transpose(0, 2, 3, 1), wanted)
    real = (pixels.astype(np.float32) - zero) * np.float32(made.grids["image"].scale)
    assert (sum(saturation.count(made, real).values()) == 0) is safe
    if safe:
        np.testing.assert_array_equal(here[f"ours, {safe}"], emulated)


@pytest.fixture(scope="module")
def real(data) -> tuple[QuantisedGraph, np.ndarray]:
    """The real network at 0.25/128 in integers, and 120 images of which the first 100 calibrated it."""
    spec = ModelSpec(0.25, 128)
    made = model_of(spec)
    stored.assign(made, stored.read(str(data / "weights" / "mobilenet_2_5_128_tf.h5"), spec))
    rule = Preprocess((128, 128))
    samples = prepare.scale(prepare.load_folder(data / "images", rule, 120).pixels, rule)
    mixed = samples[np.random.default_rng(7).permutation(len(samples))]
    return solve(parse(keras_bytes(made), spec.name).graph, mixed[:100], Options()), mixed


def rounded(made: QuantisedGraph) -> QuantisedGraph:
    """The same network with its weights rounded to nearest over the full range, as the usual roads do."""
    usual = {}
    for node in made.graph.weighted():
        largest = np.abs(node.kernel).reshape(-1, node.kernel.shape[-1]).max(0)
        scales = np.where(largest > 0, largest, np.float32(1)) / np.float32(127)
        bias = node.offset / scales / np.float32(made.grids[node.inputs[0]].scale)
        integers = np.rint(node.kernel / scales).astype(np.int8)
        usual[node.name] = Weights(integers, scales, np.rint(bias).astype(np.int32))
    return replace(made, weights=usual)


@pytest.mark.data
def test_the_real_network_cuts_nothing_off_where_usual_rounding_does(real):
    made, mixed = real
    for images_used, what in ((mixed[:10], "calibration"), (mixed[100:110], "others")):
        assert not any(saturation.count(made, images_used, 4).values()), what
        # In most layers, so that the zeros above say something.
        assert sum(found > 0 for found in saturation.count(rounded(made), images_used, 4).values()) > 7, what


@pytest.mark.data
def test_the_real_network_is_the_same_on_every_cpu(real, run):
    made, mixed = real
    inputs = mixed[100:].transpose(0, 3, 1, 2)[:, None]
    networks = {"ours": made.logits(), "usual": rounded(made).logits()}
    files = {name: (int8_onnx(network), inputs) for name, network in networks.items()}
    emulated, native = run(files), run(files, None)
    np.testing.assert_array_equal(emulated["ours"], native["ours"])
    if "vnni" in Path("/proc/cpuinfo").read_text():
        assert (emulated["usual"] != native["usual"]).mean() > 0.5
