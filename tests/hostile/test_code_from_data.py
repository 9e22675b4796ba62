"""No code from data: each bait is shown to work where nothing protects, and to do nothing here."""

from __future__ import annotations

import ast
import io
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilenet_edge
from mobilenet_edge.device import inputs
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.device.runtimes import TensorInfo

PACKAGE = Path(mobilenet_edge.__file__).parent


class Bait:
    """Touches a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


def test_the_bait_bites(canary: Path):
    pickle.loads(pickle.dumps(Bait(canary)))
    assert canary.exists()


# --- pickles --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pickles(canary: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Write the bait under any name, as it is, in a NumPy array, in an archive of those, and in a zip as torch does."""
    bare = pickle.dumps(Bait(canary))
    array = io.BytesIO()
    np.save(array, np.array([Bait(canary)], dtype=object), allow_pickle=True)
    kinds = {"bare": bare, "npy": array.getvalue()}
    for name, member in (("npz", "weights.npy"), ("torch", "archive/data.pkl")):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as file:
            file.writestr(member, array.getvalue() if name == "npz" else bare)
        kinds[name] = whole.getvalue()

    def write(name: str, kind: str = "bare") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(kinds[kind])
        return path

    return write


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("inspect m.keras", "torch"), ("inspect m.tflite", "torch"), ("inspect m.onnx", "bare"),
        ("inspect m.tflite", "bare"), ("export m.keras --precision float32", "bare"),
        ("evaluate m.tflite --data .", "bare"), ("profile m.onnx", "torch"), ("table m.json", "bare"),
        ("compare m.json m.json", "bare"), ("report m.jsonl", "bare"), ("check m.json", "torch"),
        ("check --budgets m.toml", "bare"), ("sweep m.toml", "bare"),
        ("profile m.tflite --host pi --devices m.toml", "bare"),
        ("build --alpha 0.25 --rho 32 --weights m.h5", "bare"), ("build --alpha 0.25 --rho 32 --weights m.h5", "torch"),
        ("build --alpha 0.25 --rho 32 --weights m.keras", "torch"),
    ],
)  # fmt: skip
def test_a_pickle_by_any_name_is_not_opened(line, kind, pickles, mnet, canary, tmp_path):
    words = [str(pickles(word, kind)) if word.startswith("m.") else word for word in line.split()]
    ended = mnet(*words)
    assert not canary.exists()
    assert ended.code == 3, ended.err
    assert ended.err.startswith("mnet: ")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("kind", ["bare", "npy", "npz", "torch"])
def test_prepared_images_are_numbers(kind, pickles, canary):
    tensor = TensorInfo("image", (1, 8, 8, 3), "float32")
    with pytest.raises(RequestError, match=r"not an \.npy file of images"):
        inputs.images(pickles("images.npy", kind), [tensor])
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["bare", "npy", "npz", "torch"])
def test_an_image_is_no_pickle(kind, pickles, mnet, canary, tmp_path):
    pickles("images/cat/1.jpg", kind)
    ended = mnet("export", tmp_path / "m.keras", "--calibrate", tmp_path / "images")
    assert ended.code == 3
    assert not canary.exists()


# --- HDF5 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["weights.h5", "m.keras"])
def test_a_link_out_of_a_file_is_refused_not_followed(place, mnet, tmp_path):
    import h5py

    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["conv1/kernel"] = np.ones((3, 3, 3, 8), np.float32)
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        file["layers"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/conv1")
    path = tmp_path / place
    path.write_bytes(data.getvalue())
    with h5py.File(path) as file:  # the bait works
        assert file["layers/kernel"].shape == (3, 3, 3, 8)
    if path.suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": []}}))
            archive.writestr("model.weights.h5", data.getvalue())
    ended = mnet("build", "--alpha", 0.25, "--rho", 32, "--weights", path, "--out", tmp_path / "out")
    assert (ended.code, "layers is a reference to data elsewhere" in ended.err) == (3, True)
    assert not (tmp_path / "out").exists()


# --- Keras ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["export", "evaluate", "inspect"])
def test_a_lambda_is_not_run(verb, mnet, canary, tmp_path):
    from mobilenet_edge.model.tf import load_keras

    keras = load_keras()
    layer = keras.layers.Lambda(lambda x: x, name="odd")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(), layer])
    layer.function = lambda x: (__import__("pathlib").Path("canary").touch(), x)[1]
    path = tmp_path / "m.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lambdas, rightly
        model.save(path)
        keras.models.load_model(path, safe_mode=False)(np.zeros((1, 8, 8, 3), np.float32))
    assert canary.exists()
    canary.unlink()
    (tmp_path / "images/cat").mkdir(parents=True)
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "images/cat/1.png")
    more = {
        "export": ["--precision", "float32", "--out", str(tmp_path)],
        "evaluate": ["--data", str(tmp_path / "images")],
        "inspect": [],
    }
    ended = mnet(verb, path, *more[verb])
    assert not canary.exists()
    if verb != "inspect":  # which loads nothing, and lists it
        assert ended.code == 3
        assert "layer 'odd' is a Lambda, which holds or calls code" in ended.err


@pytest.mark.slow
def test_keras_gets_nothing_but_what_was_looked_at(tmp_path, monkeypatch):
    """When it checks a graph: members that nobody looked at, and what a model was compiled with, never reach it."""
    from mobilenet_edge.model import oracle
    from mobilenet_edge.model.tf import load_keras

    keras = load_keras()
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assets/big", bytes(1000))
    seen: list[list[str]] = []

    class Models:
        @staticmethod
        def load_model(given: Path, **options: object) -> Any:
            assert given != path
            seen.append(zipfile.ZipFile(given).namelist())
            return keras.models.load_model(given, **options)

    class Keras:
        models = Models
        __version__ = keras.__version__

    monkeypatch.setattr(oracle, "load_keras", lambda: Keras)
    assert oracle.load(path, (3, 0)).output_shape == (None, 2)
    assert seen == [["config.json", "metadata.json", "model.weights.h5"]]


@pytest.mark.slow
def test_a_name_in_a_models_metadata_is_no_path(mnet, tmp_path):
    from dataclasses import replace

    from mobilenet_edge.formats import artifact

    ended = mnet("build", "--alpha", 0.25, "--rho", 32, "--classes", 2, "--out", tmp_path / "in/m.keras")
    assert ended.code == 0
    made = artifact.read(tmp_path / "in/m.keras")
    assert made.metadata is not None
    path, out = tmp_path / "in/other.keras", tmp_path / "deep/out"
    path.write_bytes(artifact.embed(made.path, _without(made.data), replace(made.metadata, variant="../../-rf/a b")))
    ended = mnet("export", path, "--precision", "float32", "--format", "tflite", "--out", out)
    assert ended.code == 0, ended.err
    assert [each.name for each in tmp_path.rglob("*.tflite")] == ["rf_a_b.float32.tflite"]
    assert (out / "rf_a_b.float32.tflite").is_file()


def _without(data: bytes) -> bytes:
    """The same .keras file without metadata."""
    whole = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(whole, "w") as new:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            new.writestr(name, old.read(name))
    return whole.getvalue()


# --- text -----------------------------------------------------------------------------------------------------------

EXPRESSIONS = (
    "__import__('pathlib').Path('canary').touch()",
    "$(touch canary)",
    "`touch canary`",
    "{{ 7*7 }}",
    "%(x)s",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_toml_and_labels_are_data(text, mnet, canary, tmp_path):
    quoted = json.dumps(text)
    (tmp_path / "sweep.toml").write_text(f"alpha = [{quoted}]\nrho = {quoted}\n")
    (tmp_path / "devices.toml").write_text(f"[pi]\nhost = {quoted}\nnote = {quoted}\n")
    (tmp_path / "labels.txt").write_text(f"{text}\n2 {text}\n")
    for words, code in (
        (["sweep", tmp_path / "sweep.toml"], 3),
        (["doctor", "--host", "pi", "--devices", tmp_path / "devices.toml"], 2),
    ):
        assert mnet(*words).code == code
    from mobilenet_edge.data import labels

    assert labels.read(tmp_path / "labels.txt").lines == (text, f"2 {text}")
    assert not canary.exists()


def test_the_package_has_no_means_to_run_data():
    """What would: unpickling, evaluating text, a shell. The first program on another machine is text, and its own."""
    modules = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
    calls = {"eval", "exec", "compile", "__import__", "system", "popen", "load_module", "getoutput"}
    named = re.compile("|".join({*modules, *calls, "load", "shell"}))
    found = []
    for source in sorted(PACKAGE.rglob("*.py")):
        text = source.read_text()
        for node in ast.walk(ast.parse(text)) if named.search(text) else ():
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {each.name for each in node.names} | {getattr(node, "module", None)}
                found += [f"{source.name}:{node.lineno} {name}" for name in names & modules]
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                options = {each.arg: each.value for each in node.keywords if each.arg in ("shell", "allow_pickle")}
                if name not in {*calls, "load"} and not options:
                    continue
                called = ast.unparse(node.func)
                off = [ast.unparse(value) == "False" for value in options.values()]
                numpy = called == "np.load" and "allow_pickle" not in options
                harmless = called in ("re.compile", "model.compile")
                if (name in calls and not harmless) or numpy or not all(off):
                    found.append(f"{source.name}:{node.lineno} {called}")
    assert found == []
