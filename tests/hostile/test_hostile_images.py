"""Folders of anybody's images through the verbs: what cannot be read is named, and nothing is run or waited for."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from tests.evaluation.test_evaluate import colour_model
from tests.hostile.conftest import FILE, assert_plain

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(canary) (w) file closefile\nshowpage\n"


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG with that in its head and nothing behind."""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + b"".join(chunks)
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


BEGUN = chunk(b"IDAT", zlib.compress(b""))


@cache
def bombs() -> dict[str, bytes]:
    return {
        "wide.png": png(30_000, 30_000, BEGUN),
        "widest.png": png(2**31 - 1, 2**31 - 1, BEGUN),
        "unpacks.png": png(60_000, 60_000, chunk(b"IDAT", zlib.compress(bytes(10_000_000)))),
        "text.png": png(8, 8, *[chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000)))] * 3),
        "profile.png": png(8, 8, chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(100_000_000)))),
        "canvas.gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\0;",
        "wide.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "wide.ppm": b"P6 60000 60000 255\n",
        "wide.webp": b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f" + struct.pack("<I", 16383 | 16383 << 14) + bytes(13),
    }


CODE = """
import resource, sys
from pathlib import Path
from mobilenet_edge.data import images
from mobilenet_edge.errors import InputError
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
images.decode(Path(sys.argv[1]))  # Pillow itself
for path in sys.argv[2:]:
    before = peak()
    try:
        images.decode(Path(path))
    except InputError as error:
        print(Path(path).name, peak() - before, error, sep="|")
"""


@pytest.mark.slow
def test_a_bomb_is_unreadable_and_takes_no_memory(tmp_path):
    """In a process of its own, so that its memory is its own; in kB. The largest would take gigabytes."""
    Image.new("RGB", (8, 8)).save(tmp_path / "whole.png")
    known = bombs()
    for name, data in known.items():
        (tmp_path / name).write_bytes(data)
    words = [sys.executable, "-c", CODE, tmp_path / "whole.png", *(tmp_path / name for name in known)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told = {name: (int(grown), said) for name, grown, said in (line.split("|") for line in done.stdout.splitlines())}
    assert told.keys() == known.keys()
    assert {name: grown for name, (grown, _) in told.items() if grown > 30_000} == {}
    for name in ("wide.png", "widest.png", "unpacks.png", "canvas.gif", "wide.bmp", "wide.ppm"):
        assert "decompression bomb" in told[name][1]


@pytest.mark.parametrize("name", ["1.jpg", "1.png", "1.tif"])
def test_postscript_is_not_handed_to_ghostscript(name, canary, tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gs").write_text(f"#!/bin/sh\ntouch {canary}\n")
    (folder / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    path = tmp_path / name
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(InputError, match="cannot identify image file"):
        images.decode(path)
    assert not canary.exists()
    with Image.open(path) as image, pytest.raises(OSError):  # noqa: PT011 - of the Ghostscript that is none
        image.load()
    assert canary.exists()


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Fail instead of waiting for ever."""

    def fail(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_only_files_are_opened(tmp_path, no_waiting):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zeros.jpg").symlink_to("/dev/zero")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "whole.png")
    read = {
        path.name: array is not None for path, array in prepare.tensors(images.find(tmp_path), Preprocess((32, 32)))
    }
    assert read == {"gone.jpg": False, "loop.jpg": False, "pipe.jpg": False, "whole.png": True, "zeros.jpg": False}


@pytest.mark.slow
def test_folders_within_folders_beyond_what_python_recurses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(1100):
        os.mkdir("a")  # noqa: PTH102 - the whole path grows too long to be made at once
        os.chdir("a")
    Image.new("RGB", (8, 8)).save("x.png")
    os.chdir(tmp_path)
    assert images.names(tmp_path) == ["a/" * 1100 + "x.png"]
    subprocess.run(["rm", "-r", "a"], check=True, cwd=tmp_path)  # pytest's own removal does recurse


def test_links_that_multiply_are_followed_once(tmp_path):
    """Twenty folders that link to all of each other are 20! paths."""
    for number in range(20):
        (tmp_path / f"{number:02}").mkdir()
        for other in range(20):
            (tmp_path / f"{number:02}" / f"to{other:02}").symlink_to(tmp_path / f"{other:02}")
    (tmp_path / "00" / "x.png").touch()
    assert len(images.names(tmp_path)) == 1


NAMES = """
import resource, sys
from pathlib import Path
from mobilenet_edge.data import images
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
print(len(images.names(Path(sys.argv[1]))), peak() - before)
"""


@pytest.mark.slow
def test_a_hundred_thousand_files_take_little(tmp_path):
    """In a process of its own, so that its memory is its own: names of 100,000 files are about 10 MB."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        for number in range(100_000):
            place = Path(folder, f"{number // 1000:03}")
            place.mkdir(exist_ok=True)
            os.close(os.open(place / f"{number:06}.jpg", os.O_CREAT | os.O_WRONLY))
        done = subprocess.run([sys.executable, "-c", NAMES, folder], capture_output=True, text=True, check=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == 100_000
    assert kilobytes < 60_000


@pytest.mark.slow
def test_evaluate_names_what_it_cannot_read(mnet, tmp_path):
    """Six good ones of one colour each; everything else is in `unreadable` by name, and nothing else is."""
    import json

    folder = tmp_path / "images"
    for colour in ("red", "green", "blue"):
        (folder / colour).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (20, 30), colour).save(folder / colour / f"{number}.png")
    whole = (folder / "red/0.png").read_bytes()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)).save(tmp_path / "noise.jpg")
    jpeg = (tmp_path / "noise.jpg").read_bytes()
    bad = {
        "text.jpg": b"not an image", "empty.png": b"", "cut.png": whole[:60], "cut.jpg": jpeg[: len(jpeg) // 2],
        f"{FILE}.jpg": POSTSCRIPT, **bombs(),
    }  # fmt: skip
    for name, data in bad.items():
        (folder / "red" / name).write_bytes(data)
    os.mkfifo(folder / "red/pipe.jpg")
    (folder / "red/again").symlink_to(folder / "red")
    model = colour_model(tmp_path / "m.onnx")
    labels = tmp_path / "labels.txt"
    labels.write_text("red\ngreen\nblue\n")
    words = ["evaluate", model, "--data", folder, "--labels", labels]
    ended = mnet(*words)
    assert ended.code == 0, ended.err
    assert_plain(ended.out + ended.err)
    (record,) = json.loads(mnet(*words, "--json", "-").out)
    assert (record["n"], record["top1"]) == (6, 1.0)
    assert record["unreadable"] == sorted(f"red/{name}" for name in (*bad, "pipe.jpg"))


@pytest.mark.slow
def test_hostile_class_names_are_shown_plainly(mnet, tmp_path):
    folder = tmp_path / "images"
    (folder / FILE).mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / FILE / "1.png")
    labels = tmp_path / "labels.txt"
    for text, code in (
        (f"red\x1b[31m{FILE.encode('utf-8', 'ignore').decode()}\ngreen\nblue".replace("\r", ""), 3),
        ("a\nb\nc", 3),
    ):
        labels.write_text(text)
        ended = mnet("evaluate", colour_model(tmp_path / "m.onnx"), "--data", folder, "--labels", labels)
        assert ended.code == code
        assert_plain(ended.err)
        assert ended.err.count("\n") == 1
