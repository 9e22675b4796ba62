from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import h5py
import numpy as np
import pytest

from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import archive
from mobilenet_edge.model import imagenet, weights
from mobilenet_edge.model.layers import keras_parameters
from mobilenet_edge.model.spec import ModelSpec

SPEC = ModelSpec(0.25, 64, 4)
Made = dict[str, list[Any]]


@pytest.fixture(scope="module")
def made() -> Made:
    random = np.random.default_rng(0)
    return {
        name: [random.normal(size=shape).astype(np.float32) for shape in shapes]
        for name, shapes in weights.expected(SPEC).items()
    }


def legacy(file: Any, made: Made) -> None:
    """As tf.keras wrote: the names of datasets are bytes, in an attribute of the layer's group."""
    for name, arrays in made.items():
        group = file.create_group(name)
        names = [f"{name}/variable_{index}:0" for index in range(len(arrays))]
        group.attrs["weight_names"] = [each.encode() for each in names]
        for each, array in zip(names, arrays, strict=True):
            group[each] = array
    file.create_group("conv1_relu").attrs["weight_names"] = []


def legacy_model(file: Any, made: Made) -> None:
    legacy(file.create_group("model_weights"), made)


def keras3(file: Any, made: Made) -> None:
    """As Keras 3 writes: a class and a running number for each layer, a number for each variable."""
    for kind, names in {
        "conv2d": ["conv1", *(f"conv_pw_{i}" for i in range(1, 14)), "conv_preds"],
        "depthwise_conv2d": [f"conv_dw_{i}" for i in range(1, 14)],
        "batch_normalization": [name for name in made if name.endswith("_bn")],
    }.items():
        for number, name in enumerate(names):
            group = file.create_group(f"layers/{kind}_{number}/vars" if number else f"layers/{kind}/vars")
            for index, array in enumerate(made.get(name, [])):
                group[str(index)] = array


LAYOUTS = {"legacy": legacy, "whole legacy model": legacy_model, "Keras 3": keras3}


def write(path: Path, layout: Callable[[Any, Made], None], made: Made) -> str:
    with h5py.File(path, "w") as file:
        layout(file, made)
    return str(path)


def without(made: Made, layer: str) -> Made:
    return {name: arrays for name, arrays in made.items() if name != layer}


@pytest.fixture(scope="module", params=LAYOUTS)
def whole(request: pytest.FixtureRequest, made: Made, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of every layout in turn."""
    return write(tmp_path_factory.mktemp("whole") / "a.weights.h5", LAYOUTS[request.param], made)


@pytest.fixture(scope="module", params=["legacy", "Keras 3"])
def headless(request: pytest.FixtureRequest, made: Made, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same without the classifier."""
    body = without(made, "conv_preds")
    return write(tmp_path_factory.mktemp("headless") / "a.h5", LAYOUTS[request.param], body)


def assert_same(given: Made, wanted: Made) -> None:
    assert list(given) == list(wanted)
    for name, arrays in wanted.items():
        for one, other in zip(given[name], arrays, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_array_equal(one, other)


# --- files ----------------------------------------------------------------------------------------------------------


def test_every_layout_gives_the_same_arrays_whatever_rho(whole: str, made: Made) -> None:
    assert_same(weights.read(whole, ModelSpec(0.25, 224, 4)), made)


def test_a_keras_file(made: Made, tmp_path: Path) -> None:
    inside = io.BytesIO()
    with h5py.File(inside, "w") as file:
        keras3(file, made)
    path = tmp_path / "a.keras"
    # Compressed, which Keras does not do but reads; config.json is text, the weights are not.
    data = archive.append(b"", {"config.json": '{"config": {"layers": []}}'})
    path.write_bytes(_with_member(data, "model.weights.h5", inside.getvalue()))
    assert_same(weights.read(str(path), SPEC), made)


def _with_member(data: bytes, name: str, content: bytes) -> bytes:
    import zipfile

    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr(name, content)
    return buffer.getvalue()


def test_other_element_types_are_converted(made: Made, tmp_path: Path) -> None:
    halves = {name: [array.astype(np.float16) for array in arrays] for name, arrays in made.items()}
    read = weights.read(write(tmp_path / "a.h5", legacy, halves), SPEC)
    assert_same(read, {name: [each.astype(np.float32) for each in arrays] for name, arrays in halves.items()})


def test_random_needs_no_file() -> None:
    assert weights.read("random", SPEC) == {}


def test_the_expected_shapes_hold_every_parameter() -> None:
    for spec in (SPEC, ModelSpec(), ModelSpec(1.3, 32, 2)):
        sizes = (np.prod(shape) for shapes in weights.expected(spec).values() for shape in shapes)
        assert sum(sizes) == keras_parameters(spec)


@pytest.mark.data
@pytest.mark.parametrize(("name", "alpha"), [("2_5_224", 0.25), ("2_5_128", 0.25), ("5_0_160", 0.5)])
def test_real_files(name: str, alpha: float, data: Path) -> None:
    read = weights.read(str(data / f"weights/mobilenet_{name}_tf.h5"), ModelSpec(alpha, 96))
    assert read["conv_preds"][0].shape == (1, 1, int(1024 * alpha), 1000)
    # A trained network has learned to vary; and a variance is one.
    assert read["conv_preds"][0].std() > 0.01
    assert all(read[name][3].min() >= 0 for name in read if name.endswith("_bn"))


# --- refusals -------------------------------------------------------------------------------------------------------


def line(source: str, spec: ModelSpec = SPEC) -> str:
    with pytest.raises(InputError) as caught:
        weights.read(source, spec)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("source", ["Imagenet", "none", "missing.h5", ""])
def test_neither_a_word_nor_a_file(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = line(source or "no/such/file")
    assert message.endswith("there is no such file; give random, imagenet or a file of weights")


@pytest.mark.parametrize("name", ["weights.npz", "model.tflite", "weights"])
def test_an_unknown_kind_of_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    assert line(str(path)).endswith("mnet reads weights from .h5, .weights.h5 and .keras files")


@pytest.mark.parametrize("name", ["a.h5", "a.weights.h5"])
def test_a_text_file_by_that_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("not weights")
    assert "is not an HDF5 file" in line(str(tmp_path / name))


def test_a_text_file_named_keras(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_text("not weights")
    assert "is not a whole .keras model" in line(str(tmp_path / "a.keras"))


@pytest.mark.parametrize(("name", "fact"), [("a.h5", "is a directory"), ("a.keras", "is a folder")])
def test_a_folder(name: str, fact: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert fact in line(str(tmp_path / name))


def test_damage_inside_the_zip(made: Made, tmp_path: Path) -> None:
    inside = io.BytesIO()
    with h5py.File(inside, "w") as file:
        keras3(file, made)
    data = bytearray(_with_member(archive.append(b"", {"config.json": '{"config": {}}'}), "model.weights.h5",
                                  inside.getvalue()))  # fmt: skip
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.keras").write_bytes(data)
    assert "is damaged: Bad CRC-32" in line(str(tmp_path / "a.keras"))


@pytest.mark.parametrize("whole", ["legacy", "Keras 3"], indirect=True)
def test_another_alpha_names_the_layer_and_both_shapes(whole: str) -> None:
    message = line(whole, ModelSpec(0.5, 64, 4))
    assert "layer 'conv1' has shape (3, 3, 3, 8), the model needs shape (3, 3, 3, 16); build with" in message


@pytest.mark.parametrize("whole", ["legacy"], indirect=True)
def test_another_number_of_classes(whole: str) -> None:
    message = line(whole, ModelSpec(0.25, 64, 5))
    assert "layer 'conv_preds' has shape (1, 1, 256, 4), the model needs shape (1, 1, 256, 5)" in message


def test_weights_without_a_classifier(headless: str) -> None:
    message = line(headless)
    assert "has no weights for layer 'conv_preds'" in message
    assert "mnet export" in message


def test_a_layer_with_too_few_arrays(made: Made, tmp_path: Path) -> None:
    message = line(write(tmp_path / "a.h5", legacy, {**made, "conv1_bn": made["conv1_bn"][:2]}))
    assert "layer 'conv1_bn' has 2 arrays, the model needs 4 arrays" in message


def test_a_layer_that_is_not_finite(made: Made, tmp_path: Path) -> None:
    broken = {**made, "conv_dw_3": [np.full_like(made["conv_dw_3"][0], np.nan)]}
    assert "layer 'conv_dw_3' has weights that are NaN" in line(write(tmp_path / "a.h5", legacy, broken))


def test_a_huge_shape_is_refused_before_it_is_read(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path, legacy, without(made, "conv1"))
    with h5py.File(path, "a") as file:
        group = file.create_group("conv1")
        group.attrs["weight_names"] = ["kernel"]
        # 4 TB of zeros in a few bytes.
        group.create_dataset("kernel", (1 << 20, 1 << 20), "f4", chunks=(1 << 10, 1 << 10), compression="gzip")
    assert re.search(r"its arrays would take 4398\d{9} bytes, and the file has \d{5,7};", line(str(path)))


@pytest.mark.parametrize("layout", [lambda file, made: None, lambda file, made: file.create_dataset("layers", (1,))])
def test_hdf5_of_something_else(layout: Any, made: Made, tmp_path: Path) -> None:
    line(write(tmp_path / "a.h5", layout, made))


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("whole", ["legacy", "Keras 3"], indirect=True)
def test_cut_off(share: float, whole: str, tmp_path: Path) -> None:
    path, data = tmp_path / "a.h5", Path(whole).read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "cut off or damaged" in line(str(path))


# --- imagenet -------------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_imagenet_is_refused_before_anything_is_fetched(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"no ImageNet weights were published for mobilenet_v1 of alpha 0\.3"):
        weights.read("imagenet", ModelSpec(0.3, 128))


def test_imagenet_without_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(url: str) -> Any:
        raise URLError("no route to host")

    monkeypatch.setattr(imagenet, "_open", no_network)
    message = line("imagenet", ModelSpec(0.25, 128))
    assert "(no route to host)" in message
    assert message.endswith(f"put it in {cache}")


def test_a_damaged_cache_names_the_file(cache: Path) -> None:
    (cache / "mobilenet_2_5_128_tf.h5").write_bytes(b"<html>")
    assert line("imagenet", ModelSpec(0.25, 128)).startswith(f"{cache}/mobilenet_2_5_128_tf.h5 is not an HDF5 file")


@pytest.mark.data
def test_imagenet_from_the_cache(cache: Path, data: Path) -> None:
    name = "mobilenet_2_5_128_tf.h5"
    (cache / name).symlink_to(data / "weights" / name)
    spec = ModelSpec(0.25, 128)
    assert_same(weights.read("imagenet", spec), weights.read(str(data / "weights" / name), spec))


# --- what Keras writes ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras", "a.h5"])
def test_files_that_keras_writes(name: str, mobilenet: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    (mobilenet.save_weights if ".weights." in name else mobilenet.save)(path)
    read = weights.read(str(path), ModelSpec(0.25, 64, 10))
    assert_same(read, {layer.name: layer.get_weights() for layer in mobilenet.layers if layer.weights})


@pytest.mark.slow
def test_assigned_weights_give_the_same_outputs(mobilenet: Any, tmp_path: Path) -> None:
    from mobilenet_edge.model.build import build

    mobilenet.save_weights(tmp_path / "a.weights.h5")
    spec = ModelSpec(0.25, 64, 10)
    model = build(spec)
    weights.assign(model, weights.read(str(tmp_path / "a.weights.h5"), spec))
    images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(model(images)), np.asarray(mobilenet(images)))


@pytest.mark.parametrize("whole", ["legacy", "Keras 3"], indirect=True)
def test_a_body_is_read_whatever_the_classifier(whole: str, made: Made) -> None:
    assert_same(weights.read(whole, ModelSpec(0.25, 64, 7), head=False), without(made, "conv_preds"))


def test_a_body_is_read_without_a_classifier(headless: str, made: Made) -> None:
    assert_same(weights.read(headless, SPEC, head=False), without(made, "conv_preds"))
