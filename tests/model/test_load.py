from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.model.load import load_model


def line(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_model(path)
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


# --- refused before TensorFlow is started ---------------------------------------------------------------------------


@pytest.fixture
def no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise AssertionError("Keras was started")

    monkeypatch.setattr("mobilenet_edge.model.load.load_keras", fail)


FOREIGN = {
    "Lambda": (entry("Lambda", name="odd", function={"class_name": "__lambda__", "config": {}}), "'odd' is a Lambda"),
    "lambda as activation": (
        entry("ReLU", name="odd", activation={"class_name": "__lambda__", "config": {"value": "4wE="}}),
        "'odd' is a __lambda__",
    ),
    "SavedModel": (entry("TFSMLayer", name="odd", filepath="/tmp/model"), "'odd' is a TFSMLayer"),
    "torch": (entry("TorchModuleWrapper", name="odd", module="gAJ9"), "'odd' is a TorchModuleWrapper"),
    "a class of the user's": (entry("Own", "my.layers", name="odd"), "'odd' uses my.layers.Own, which is not Keras's"),
    "a script's class": (entry("Own", "__main__", name="odd"), "'odd' uses __main__.Own"),
    "a registered class": (entry("Own", None, "mine>Own", name="odd"), "'odd' uses mine>Own, which is not Keras's"),
    "a function of the system": (
        entry("Conv2D", name="odd", activation=entry("function", "os", config="system")),
        "'odd' uses os.function",
    ),
    "a function of Keras's that downloads": (
        entry("Conv2D", name="odd", activation=entry("get_file", "keras.utils")),
        "'odd' uses keras.utils.get_file",
    ),
    "a download behind the name": (
        entry("Conv2D", name="odd", activation=entry("utils.get_file", "keras")),
        "uses keras.utils.get_file",
    ),
    "a function of Python's": (
        entry("Conv2D", name="odd", activation=entry("function", "builtins") | {"config": "breakpoint"}),
        "'odd' uses builtins.function",
    ),
    "a class of Python's": (entry("Conv2D", name="odd", activation=entry("eval", "builtins")), "uses builtins.eval"),
    "a module that only begins alike": (entry("Own", "keras_extra.layers", name="odd"), "uses keras_extra.layers.Own"),
    "deep inside": (
        entry("Sequential", "keras", name="inner", layers=[entry("Sequential", "keras", layers=[entry("Own", "x")])]),
        "'inner' uses x.Own",
    ),
}


@pytest.mark.parametrize(("layer", "message"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_keras_own_is_refused_by_name(
    layer: dict[str, Any], message: str, tmp_path: Path, no_keras: None
) -> None:
    given = line(zipped(tmp_path / "a.keras", sequential(layer)))
    assert message in given
    assert "mnet runs no code from files" in given


@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_a_layer_that_reads_files_is_refused(kind: str, tmp_path: Path, no_keras: None) -> None:
    given = line(zipped(tmp_path / "a.keras", sequential(entry(kind, name="odd", vocabulary="/etc/passwd"))))
    assert f"layer 'odd' is a {kind}, which may read other files" in given


def test_the_training_configuration_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Keras:
        __version__ = "0"

        class models:
            @staticmethod
            def load_model(path: Path, compile: bool, safe_mode: bool) -> tuple[bool, bool]:
                return compile, safe_mode

    monkeypatch.setattr("mobilenet_edge.model.load.load_keras", lambda: Keras)
    config = sequential(compile_config={"loss": entry("OwnLoss", "my.losses")})
    assert load_model(zipped(tmp_path / "a.keras", config)) == (False, True)


def test_an_unending_nest_is_no_crash(tmp_path: Path, no_keras: None) -> None:
    path = zipped(tmp_path / "a.keras", {})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"config":' * 100_000 + "1" + "}" * 100_000)
        archive.writestr("model.weights.h5", b"")
    assert "is not a whole .keras model" in line(path)


def test_no_file(tmp_path: Path, no_keras: None) -> None:
    (tmp_path / "folder.keras").mkdir()
    assert line(tmp_path / "folder.keras").endswith("folder.keras is a folder; give a model file in it")
    assert line(tmp_path / "missing.keras").startswith(f"cannot read {tmp_path / 'missing.keras'}")


@pytest.mark.parametrize("data", [b"", b"text", b"\x89HDF\r\n\x1a\n legacy", b"PK\x03\x04 not whole"])
def test_another_file_by_that_name(data: bytes, tmp_path: Path, no_keras: None) -> None:
    (tmp_path / "a.keras").write_bytes(data)
    assert "is not a whole .keras model" in line(tmp_path / "a.keras")


def test_a_legacy_model_is_not_read(tmp_path: Path, no_keras: None) -> None:
    (tmp_path / "a.h5").write_bytes(b"")
    assert "not a model file mnet knows" in line(tmp_path / "a.h5")


def test_weights_that_are_not_hdf5(tmp_path: Path, no_keras: None) -> None:
    assert "a.keras (model.weights.h5) is not an HDF5 file" in line(zipped(tmp_path / "a.keras", sequential(), b"text"))


def test_a_link_to_another_file(tmp_path: Path, no_keras: None) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/")
    path = zipped(tmp_path / "a.keras", sequential(), buffer.getvalue())
    assert "layers is a reference to data elsewhere" in line(path)


# --- what Keras itself writes and says ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(mobilenet: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("saved") / "model.keras"
    mobilenet.save(path)
    return path


@pytest.mark.slow
def test_a_saved_model_comes_back(saved: Path, mobilenet: Any) -> None:
    model = load_model(saved)
    assert model.name == mobilenet.name
    for given, wanted in zip(model.get_weights(), mobilenet.get_weights(), strict=True):
        np.testing.assert_array_equal(given, wanted)


@pytest.mark.slow
def test_activations_by_name_and_by_function(keras: Any, tmp_path: Path) -> None:
    """Keras writes the second as a function of "builtins"."""
    functions = ("relu", keras.activations.softmax, keras.layers.ReLU(6.0))
    layers = [keras.layers.Dense(2, activation=each) for each in functions]
    keras.Sequential([keras.Input((4,)), *layers]).save(tmp_path / "a.keras")
    assert load_model(tmp_path / "a.keras").output_shape == (None, 2)


@pytest.mark.slow
def test_a_model_of_a_users_own_training(keras: Any, tmp_path: Path) -> None:
    """A nested base, regularisers, and a loss that only the user's program knows."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    body = keras.applications.MobileNet((32, 32, 3), alpha=0.25, include_top=False, weights=None)
    head = layers.Dense(2, kernel_regularizer=keras.regularizers.L2(1e-4), activation=keras.activations.softmax)
    model = keras.Model(image, head(layers.GlobalAveragePooling2D()(body(image))))

    def own_loss(true: Any, given: Any) -> Any:
        return keras.ops.mean(given)

    model.compile(keras.optimizers.Adam(), loss=own_loss)
    model.save(tmp_path / "a.keras")
    assert load_model(tmp_path / "a.keras").output_shape == (None, 2)


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda config: config["config"]["layers"][1].update(class_name="Conv9D"),
            "Could not deserialize 'keras.layers.Conv9D'",
        ),
        (
            lambda config: config["config"]["layers"][2]["config"].update(scale=False),
            "A total of 1 objects could not be loaded",
        ),
        (lambda config: config["config"].update(layers=[]), "cannot be loaded by Keras"),
        (lambda config: config.update(class_name="Sequential"), "cannot be loaded by Keras"),
    ],
)
def test_what_keras_cannot_load_is_one_line(
    change: Callable[[Any], None], message: str, saved: Path, tmp_path: Path, keras: Any
) -> None:
    with zipfile.ZipFile(saved) as archive:
        config, weights = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    change(config)
    given = line(zipped(tmp_path / "a.keras", config, weights))
    assert f"cannot be loaded by Keras {keras.__version__}: " in given
    assert message in given


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.9999])
@pytest.mark.slow
def test_cut_off(share: float, saved: Path, tmp_path: Path, no_keras: None) -> None:
    data = saved.read_bytes()
    (tmp_path / "a.keras").write_bytes(data[: int(len(data) * share)])
    assert "is not a whole .keras model" in line(tmp_path / "a.keras")


@pytest.mark.slow
def test_a_flipped_bit_in_the_weights(saved: Path, tmp_path: Path, no_keras: None) -> None:
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.keras").write_bytes(data)
    assert "is damaged: Bad CRC-32" in line(tmp_path / "a.keras")
