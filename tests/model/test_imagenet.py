from __future__ import annotations

import io
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.model import imagenet
from mobilenet_edge.model.spec import PUBLISHED_ALPHAS, PUBLISHED_RESOLUTIONS, ModelSpec

SPEC = ModelSpec(0.25, 128)
NAME = "mobilenet_2_5_128_tf.h5"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


class Answer(io.BytesIO):
    """What urlopen returns, as far as it is used."""

    def __init__(self, data: bytes, length: int | None) -> None:
        super().__init__(data)
        self.headers = {} if length is None else {"Content-Length": str(length)}


class Web:
    """Answers every URL with the same bytes, and remembers what was asked."""

    def __init__(self, data: bytes, length: int | None = None) -> None:
        self.data, self.length = data, length
        self.asked: list[str] = []

    def __call__(self, url: str) -> Answer:
        self.asked.append(url)
        return Answer(self.data, self.length)


def accept(data: bytes) -> None:
    """Any file will do."""


def refuse(data: bytes) -> None:
    raise InputError("not weights")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (ModelSpec(0.25, 224), "mobilenet_2_5_224_tf.h5"),
        (ModelSpec(0.5, 160), "mobilenet_5_0_160_tf.h5"),
        (ModelSpec(0.75, 192), "mobilenet_7_5_192_tf.h5"),
        (ModelSpec(1.0, 128), "mobilenet_1_0_128_tf.h5"),
    ],
)
def test_names_are_those_of_keras_applications(spec: ModelSpec, name: str) -> None:
    assert imagenet.file_name(spec) == name


def test_there_are_sixteen() -> None:
    names = {imagenet.file_name(ModelSpec(a, r)) for a in PUBLISHED_ALPHAS for r in PUBLISHED_RESOLUTIONS}
    assert len(names) == 16


@pytest.mark.parametrize("spec", [ModelSpec(0.3, 128), ModelSpec(0.25, 96), ModelSpec(2.0, 224)])
def test_a_variant_without_weights_lists_those_that_exist(spec: ModelSpec) -> None:
    with pytest.raises(UsageError, match=r"alpha 0.25, 0.5, 0.75, 1 at rho 128, 160, 192, 224 \(--weights FILE"):
        imagenet.file_name(spec)


def test_another_number_of_classes_is_told_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"have 1000 classes, not 10; put your own head .* mnet export"):
        imagenet.file_name(ModelSpec(0.25, 128, 10))


def test_the_cache_is_that_of_keras(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert imagenet.cache() == home / "models"
    monkeypatch.delenv("KERAS_HOME")
    assert imagenet.cache() == Path.home() / ".keras" / "models"


def test_a_cached_file_needs_no_network(home: Path) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / NAME).write_bytes(b"weights")
    web = Web(b"other")
    assert imagenet.fetch(SPEC, accept, web) == b"weights"
    assert web.asked == []


def test_a_download_is_kept(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    web = Web(b"w" * 700_000, 700_000)
    assert imagenet.fetch(SPEC, accept, web) == web.data
    assert web.asked == [imagenet.URLS["mobilenet_v1"] + NAME]
    assert (home / "models" / NAME).read_bytes() == web.data
    assert imagenet.fetch(SPEC, accept, web) == web.data
    assert len(web.asked) == 1
    # No terminal, no bar; and nothing at all on stdout.
    assert capsys.readouterr() == ("", "")


def test_a_length_is_not_needed() -> None:
    assert imagenet.fetch(SPEC, accept, Web(b"weights")) == b"weights"


def failing(error: Exception) -> Any:
    def open_url(url: str) -> Answer:
        raise error

    return open_url


@pytest.mark.parametrize(
    ("web", "reason"),
    [
        (failing(URLError("Name or service not known")), "Name or service not known"),
        (failing(TimeoutError("timed out")), "timed out"),
        (failing(ConnectionResetError()), "no answer"),
        (failing(IncompleteRead(b"")), "IncompleteRead"),
        (Web(b"half", 8), "ended after 4 of 8 bytes"),
    ],
)
def test_without_a_network_the_file_and_its_place_are_named(web: Any, reason: str, home: Path) -> None:
    with pytest.raises(InputError) as caught:
        imagenet.fetch(SPEC, accept, web)
    message = str(caught.value)
    assert message.startswith(f"{NAME} is not in Keras's cache")
    assert reason in message
    assert message.endswith(
        f"get {imagenet.URLS['mobilenet_v1']}{NAME} on a machine with network and put it in {home / 'models'}"
    )
    assert not home.exists()


def test_what_is_not_weights_is_not_kept(home: Path) -> None:
    # The page of a captive portal, say.
    with pytest.raises(InputError, match="what came is no such file"):
        imagenet.fetch(SPEC, refuse, Web(b"<html>"))
    assert not home.exists()


def test_a_cache_that_cannot_be_written(home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(InputError, match=f"{NAME} cannot be kept in .*; set KERAS_HOME"):
        imagenet.fetch(SPEC, accept, Web(b"weights"))
