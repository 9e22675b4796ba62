"""Files that were once read for hours, into all memory, or wrongly: each a finding of the corpus."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from mobilenet_edge.formats import archive
from mobilenet_edge.formats.contents import Contents, Tensor
from mobilenet_edge.formats.onnx import read as onnx
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.formats.wire.protobuf import Message


def chunk(number: int, data: bytes) -> bytes:
    size, digits = len(data), []
    while size > 0x7F:
        digits.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *digits, size]) + data


def test_operators_of_two_bytes_are_not_read_by_the_million():
    model = chunk(7, chunk(1, b"") * 150_000) + chunk(8, b"")
    with pytest.raises(ValueError, match="many times its size"):
        onnx.contents(model)


def test_a_shape_of_thousands_of_axes_is_no_shape():
    # One side of 2^62 each: their product would have 600,000 bits.
    with pytest.raises(ValueError, match="10000 axes"):
        Tensor("x", (1 << 62,) * 10_000, "float32")


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_scale_that_json_cannot_write_is_refused(scale):
    with pytest.raises(ValueError, match="not finite"):
        Tensor("x", (1,), "int8", scales=(scale,))


def test_parts_that_overlap_do_not_leave_less_than_nothing():
    with pytest.raises(ValueError, match="overlap"):
        Contents({}, (), (), (), {"weights": 100, "graph": -50})


def test_shared_tables_are_counted_as_often_as_they_are_read():
    corpus = pytest.importorskip("corpus.flatbuffer")
    for case in corpus.amplified():
        assert len(case.data) < 2 << 20
        with pytest.raises(ValueError, match=r"many times its size|axes"):
            tflite.contents(case.data)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..\\x", "C:\\x"])
def test_a_zip_that_names_another_place_is_refused(name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mobilenet_edge.json", "{}")
        made.writestr("placeholder", "")
    data = _renamed(out.getvalue(), b"placeholder", name.encode())
    with pytest.raises(ValueError, match="outside itself"):
        archive.read(data)


def test_a_zip_with_a_name_twice_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mobilenet_edge.json", "{}")
        made.writestr("mobilenet_edge.jsox", "[]")
    data = out.getvalue().replace(b"mobilenet_edge.jsox", b"mobilenet_edge.json")
    with pytest.raises(ValueError, match="twice"):
        archive.read(data)


def test_a_deep_message_is_not_followed():
    deep = b""
    for _ in range(5000):
        deep = chunk(7, deep)
    assert Message.parse(deep).message(7) is not None
    with pytest.raises(ValueError, match="no ONNX graph"):
        onnx.contents(deep)


def _renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    """Give the last member a name of another length: in its header, in the directory, and in where that begins."""
    data = data.replace(old, new)
    shorter = len(old) - len(new)
    for mark, place in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        at = data.rindex(mark) + place
        data = data[:at] + struct.pack("<H", len(new)) + data[at + 2 :]
    at = data.rindex(b"PK\x05\x06") + 12
    size, start = struct.unpack_from("<II", data, at)
    return data[:at] + struct.pack("<II", size - shorter, start - shorter) + data[at + 8 :]
