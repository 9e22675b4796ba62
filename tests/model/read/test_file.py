from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mobilenet_edge.errors import BuildError, InputError, MnetError
from mobilenet_edge.model.read import read


def line(path: Path, error: type[MnetError] = InputError) -> str:
    with pytest.raises(error) as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable()
    # One line of a terminal or three, not a page of configuration.
    assert len(message) < 450
    return message


def zipped(path: Path, config: Any, weights: bytes | None = None) -> Path:
    """A .keras file by hand, as nobody's Keras would write it."""
    if weights is None:
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            file.create_group("layers")
        weights = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    return path


def sequential(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    first = entry("InputLayer", batch_shape=[None, 8, 8, 3], name="image")
    config = {"name": "model", "layers": [first, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None, **more}


def entry(
    kind: str, module: str | None = "keras.layers", registered: str | None = None, **config: Any
) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": registered}


# --- code that is not Keras's ----------------------------------------------------------------------------------------

CODE = {"class_name": "__lambda__", "config": {"value": "4wE="}}
FOREIGN = {
    "Lambda": (entry("Lambda", name="odd", function=CODE), "'odd' is a Lambda"),
    "lambda as activation": (entry("Activation", name="odd", activation=CODE), "'odd' is a __lambda__"),
    "SavedModel": (entry("TFSMLayer", name="odd", filepath="/tmp/model"), "'odd' is a TFSMLayer"),
    "torch": (entry("TorchModuleWrapper", name="odd", module="gAJ9"), "'odd' is a TorchModuleWrapper"),
    "a class of the user's": (
        entry("ReLU", "my.layers", name="odd"),
        "'odd' uses my.layers.ReLU, which is not Keras's",
    ),
    "a script's class": (entry("ReLU", "__main__", name="odd"), "'odd' uses __main__.ReLU"),
    "a registered class": (entry("ReLU", None, "mine>ReLU", name="odd"), "'odd' uses mine>ReLU, which is not Keras's"),
    "a registered function": (entry("Activation", name="odd", activation="mine>relu"), "'odd' uses mine>relu"),
    "a function of the system": (
        entry("Activation", name="odd", activation=entry("function", "os") | {"config": "system"}),
        "'odd' uses os.system",
    ),
    "a module that only begins alike": (
        entry("ReLU", "keras_extra.layers", name="odd"),
        "uses keras_extra.layers.ReLU",
    ),
    "deep inside": (
        entry("Sequential", "keras", name="inner", layers=[entry("ReLU", "x", name="odd")]),
        "'odd' uses x.ReLU",
    ),
}
UNKNOWN = {
    "a function of Keras's that downloads": entry("get_file", "keras.utils"),
    "a download behind the name": entry("utils.get_file", "keras"),
    "a function of Python's": entry("function", "builtins") | {"config": "breakpoint"},
    "a class of Python's": entry("eval", "builtins"),
}


@pytest.mark.parametrize(("layer", "message"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_keras_own_is_refused_by_name(layer: dict[str, Any], message: str, tmp_path: Path) -> None:
    given = line(zipped(tmp_path / "a.keras", sequential(layer)))
    assert message in given
    assert "mnet runs no code from files" in given


@pytest.mark.parametrize("activation", UNKNOWN.values(), ids=UNKNOWN)
def test_any_other_function_is_only_a_name(activation: dict[str, Any], tmp_path: Path) -> None:
    layer = entry("Activation", name="odd", activation=activation)
    assert "'odd' has the activation" in line(zipped(tmp_path / "a.keras", sequential(layer)), BuildError)


@pytest.mark.parametrize("name", ["Custom>relu6", ">relu6", "relu6"])
def test_a_copy_of_keras_own_relu6_is_relu6(name: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.keras", sequential(entry("Activation", name="r", activation=name)))
    assert read(path).graph.output.activation == "relu6"


@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_a_layer_that_reads_files_is_refused(kind: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.keras", sequential(entry(kind, name="odd", vocabulary="/etc/passwd")))
    assert f"layer 'odd' is a {kind}, which mnet does not know" in line(path, BuildError)


def test_the_training_configuration_is_not_looked_at(tmp_path: Path) -> None:
    config = sequential(entry("ReLU", name="r"), compile_config={"loss": entry("OwnLoss", "my.losses")})
    assert [node.op for node in read(zipped(tmp_path / "a.keras", config)).graph.nodes] == ["depthwise"]


# --- damage ----------------------------------------------------------------------------------------------------------


def test_an_unending_nest_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    for text in ('{"config":' * 100_000 + "1" + "}" * 100_000, "[" * 100_000):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", text)
            archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
        line(path)


def test_models_nested_without_end_are_no_crash(tmp_path: Path) -> None:
    layer = entry("ReLU", name="r")
    for _ in range(100):
        layer = entry("Sequential", "keras", name="s", layers=[layer])
    assert "models are nested too deeply" in line(zipped(tmp_path / "a.keras", layer), BuildError)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "is not described as Keras does"),
        ({"class_name": "Functional", "config": {"layers": [{}]}}, "is not described as Keras does"),
        ({"class_name": "Sequential", "config": {"name": "x", "layers": []}}, "is not described as Keras does"),
    ],
)
def test_a_description_that_is_none(config: Any, message: str, tmp_path: Path) -> None:
    assert message in line(zipped(tmp_path / "a.keras", config))


def test_a_layer_that_reads_itself(tmp_path: Path) -> None:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["r", 0, 0]}}
    layers = [
        {**entry("InputLayer", batch_shape=[None, 8, 8, 3], name="i"), "inbound_nodes": []},
        {**entry("ReLU", name="r"), "inbound_nodes": [{"args": [tensor], "kwargs": {}}]},
    ]
    inside = {"name": "m", "layers": layers, "input_layers": ["i", 0, 0], "output_layers": ["r", 0, 0]}
    path = zipped(tmp_path / "a.keras", {"class_name": "Functional", "config": inside})
    assert "reads its own output" in line(path, BuildError)


def test_no_file(tmp_path: Path) -> None:
    for name in ("missing.keras", "folder.keras"):
        (tmp_path / "folder.keras").mkdir(exist_ok=True)
        assert line(tmp_path / name).startswith(f"cannot read {tmp_path / name}")


@pytest.mark.parametrize("data", [b"", b"text", b"\x89HDF\r\n\x1a\n legacy", b"PK\x03\x04 not whole"])
@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_another_file_by_that_name(data: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert "is not a whole" in (given := line(tmp_path / name)) or "is cut off or damaged" in given


def test_weights_without_a_model_say_what_to_give(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = [b"conv1"]
    assert "holds weights only; give the whole model" in line(tmp_path / "a.h5")


def test_weights_that_are_not_hdf5(tmp_path: Path) -> None:
    assert "a.keras (model.weights.h5) is not an HDF5 file" in line(zipped(tmp_path / "a.keras", sequential(), b"text"))


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_a_link_to_another_file(name: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps(sequential())
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/")
    path = tmp_path / name
    if name.endswith(".keras"):
        zipped(path, sequential(), buffer.getvalue())
    else:
        path.write_bytes(buffer.getvalue())
    assert "layers is a reference to data elsewhere" in line(path)


def test_a_model_that_is_quantised_already_is_refused_by_layer(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/conv2d/vars/0"] = np.ones((1, 1, 3, 2), np.int8)
    layer = entry("Conv2D", name="c", filters=2, kernel_size=[1, 1], use_bias=False)
    path = zipped(tmp_path / "a.keras", sequential(layer), buffer.getvalue())
    assert "layer 'c' is quantised already" in line(path, BuildError)


# --- files of Keras's ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(mobilenet: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("saved") / "model.keras"
    mobilenet.save(path)
    return path


@pytest.mark.slow
def test_a_lambda_that_keras_saved_does_not_run(keras: Any, tmp_path: Path) -> None:
    trap = str(tmp_path / "trap")
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Lambda(lambda x: x, name="odd")])
    model.layers[0].function = lambda x: (Path(trap).mkdir(), x)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of lambdas, rightly
        model.save(tmp_path / "a.keras")
    assert "layer 'odd' is a Lambda" in line(tmp_path / "a.keras")
    assert not Path(trap).exists()


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.9999])
@pytest.mark.slow
def test_cut_off(share: float, saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    (tmp_path / "a.keras").write_bytes(data[: int(len(data) * share)])
    assert "is not a whole .keras model" in line(tmp_path / "a.keras")


@pytest.mark.slow
def test_a_flipped_bit_in_the_weights(saved: Path, tmp_path: Path) -> None:
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.keras").write_bytes(data)
    assert "is damaged: Bad CRC-32" in line(tmp_path / "a.keras")
