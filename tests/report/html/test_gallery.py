"""Thumbnails of changed pictures: from the given folder alone, bounded in number and size."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.errors import InputError
from mobilenet_edge.report.html import gallery
from tests.report.html.grid import judged


def noise(path: Path, side: int = 300) -> None:
    """Save a picture that no JPEG makes small."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def scored():
    return judged()[2]


def changed(scored, *names):
    comparison = scored.comparisons[0]
    pictures = tuple(replace(comparison.pictures[0], picture=name) for name in names)
    return replace(scored, comparisons=(replace(comparison, pictures=pictures),))


def test_a_thumbnail_is_a_small_picture(scored, tmp_path):
    noise(tmp_path / "bird" / "0.jpg")
    found = gallery.thumbnails([scored], tmp_path)
    assert list(found) == ["bird/0.jpg"]
    data = base64.b64decode(found["bird/0.jpg"].removeprefix("data:image/jpeg;base64,"))
    assert len(data) <= gallery.MAX_BYTES
    assert Image.open(io.BytesIO(data)).size == (gallery.SIDE, gallery.SIDE)


def test_their_number_is_bounded_and_every_comparison_gets_some(scored, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "MAX_THUMBNAILS", 4)
    first, second = changed(scored, *(f"a{n}.png" for n in range(6))), changed(scored, *(f"b{n}.png" for n in range(6)))
    for name in ("a", "b"):
        for number in range(6):
            noise(tmp_path / f"{name}{number}.png", 20)
    assert sorted(gallery.thumbnails([first, second], tmp_path)) == ["a0.png", "a1.png", "b0.png", "b1.png"]


@pytest.mark.parametrize("name", ["../secret.png", "link.png"])
def test_a_record_cannot_show_other_files(scored, tmp_path, name):
    noise(tmp_path / "secret.png", 20)
    noise(tmp_path / "data" / "fine.png", 20)
    (tmp_path / "data" / "link.png").symlink_to(tmp_path / "secret.png")
    absolute = str(tmp_path / "secret.png")
    assert list(gallery.thumbnails([changed(scored, name, absolute, "fine.png")], tmp_path / "data")) == ["fine.png"]


def test_another_folder_is_refused_with_the_right_one(scored, tmp_path):
    with pytest.raises(InputError, match=r"has none of the 12 pictures whose answer changed; they are in images"):
        gallery.thumbnails([scored], tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        gallery.thumbnails([scored], tmp_path / "none")


def test_a_damaged_picture_is_left_out(scored, tmp_path):
    noise(tmp_path / "bird" / "0.jpg")
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.jpg").write_bytes(b"no picture")
    assert list(gallery.thumbnails([scored], tmp_path)) == ["bird/0.jpg"]
