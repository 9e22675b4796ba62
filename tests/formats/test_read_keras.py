"""What a .keras file holds, without running anything of it."""

import io
import zipfile

import pytest

from mobilenet_edge.formats import keras


def made(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def test_layers_are_listed_nested_ones_too(plain):
    found = keras.contents(plain["model.keras"])
    assert [(each.kind, each.outputs) for each in found.operators] == [
        ("InputLayer", ("image",)), ("Conv2D", ("conv1",)), ("Dense", ("head",)),
    ]  # fmt: skip
    assert sum(found.sections.values()) == len(plain["model.keras"])
    assert found.sections["weights"] == 504


def test_keras_own_members_stay_as_they_were(plain, about):
    with zipfile.ZipFile(io.BytesIO(keras.embed(plain["model.keras"], about))) as file:
        assert file.testzip() is None
        assert file.namelist() == ["metadata.json", "config.json", "model.weights.h5", "mobilenet_edge.json"]


@pytest.mark.parametrize("config", ["[]", "3", "{}", "{", '{"config": 3}', '{"config": {"layers": [1]}}', "[" * 99_999])
def test_a_config_that_is_no_architecture_is_refused(config):
    with pytest.raises((ValueError, KeyError)):
        keras.contents(made(config__json=config, model__weights__h5="x"))


def test_nested_models_without_end_are_refused():
    nested = '{"class_name": "Functional", "config": {"layers": [' * 5000
    with pytest.raises(ValueError, match="no Keras architecture"):
        keras.contents(made(config__json=nested, model__weights__h5="x"))


@pytest.mark.parametrize("members", [{}, {"config__json": "{}"}, {"model__weights__h5": "x"}])
def test_a_zip_of_something_else_is_refused(members):
    with pytest.raises(ValueError, match=r"no config\.json or no model\.weights\.h5"):
        keras.contents(made(**members))


def test_what_is_no_zip_is_refused():
    with pytest.raises(ValueError, match="not a zip"):
        keras.contents(b"\x89HDF\r\n" * 10)
