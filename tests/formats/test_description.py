"""TFLite Metadata, written here with the flatbuffers package field by field as metadata_schema.fbs numbers them."""

from __future__ import annotations

import flatbuffers
import pytest

from mobilenet_edge.formats import archive
from mobilenet_edge.formats.tflite import description


def table(builder: flatbuffers.Builder, size: int, fields: dict[int, tuple[str, int]]) -> int:
    builder.StartObject(size)
    for field, (form, value) in fields.items():
        add = {"o": builder.PrependUOffsetTRelativeSlot, "B": builder.PrependUint8Slot, "I": builder.PrependUint32Slot}
        add[form](field, value, 0)
    return builder.EndObject()


def vector(builder: flatbuffers.Builder, values: list[float], *, floats: bool = False) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value) if floats else builder.PrependUOffsetTRelative(value)
    return builder.EndVector()


def metadata(mean: list[float], std: list[float]) -> bytes:
    builder = flatbuffers.Builder()
    normal = {0: ("o", vector(builder, mean, floats=True)), 1: ("o", vector(builder, std, floats=True))}
    unit = table(builder, 2, {0: ("B", 1), 1: ("o", table(builder, 2, normal))})
    name = builder.CreateString("names.txt")
    labels = table(builder, 5, {0: ("o", name), 2: ("B", 2)})
    image = table(builder, 7, {4: ("o", vector(builder, [unit]))})
    scores = table(builder, 7, {6: ("o", vector(builder, [labels]))})
    ends = {2: ("o", vector(builder, [image])), 3: ("o", vector(builder, [scores]))}
    graphs = vector(builder, [table(builder, 7, ends)])
    builder.Finish(table(builder, 8, {3: ("o", graphs)}))
    return bytes(builder.Output())


def model(about: bytes, name: str = description.NAME, buffer: int = 1) -> bytes:
    builder = flatbuffers.Builder()
    data, text = builder.CreateByteVector(about), builder.CreateString(name)
    buffers = vector(builder, [table(builder, 1, {}), table(builder, 1, {0: ("o", data)})])
    entries = vector(builder, [table(builder, 2, {0: ("o", text), 1: ("I", buffer)})])
    builder.Finish(table(builder, 8, {4: ("o", buffers), 6: ("o", entries)}), b"TFL3")
    return bytes(builder.Output())


def test_normalisation_and_labels_are_read():
    data = archive.append(model(metadata([127.5], [127.5])), {"names.txt": "cat\ndog\n"})
    assert description.read(data) == description.Description((127.5,), (127.5,), "names.txt")
    assert description.labels(data) == ("cat", "dog")


def test_each_channel_may_have_its_own():
    about = description.read(model(metadata([1, 2, 3], [4, 5, 6])))
    assert (about.mean, about.std) == ((1, 2, 3), (4, 5, 6))


@pytest.mark.parametrize(("mean", "std"), [([1, 2], [1, 2]), ([1], [0]), ([1, 2, 3], [1])])
def test_numbers_that_fit_no_picture_are_passed_over(mean, std):
    assert description.read(model(metadata(mean, std))).mean == ()


def test_other_metadata_is_none():
    assert description.read(model(b"", "min_runtime_version")) is None
    assert description.labels(model(b"", "min_runtime_version")) == ()


def test_damage_is_a_value_error():
    with pytest.raises(ValueError, match="in a buffer that is not there"):
        description.read(model(metadata([1], [1]), buffer=9))
    with pytest.raises(ValueError, match=r"offset points|reaches past"):
        description.read(model(metadata([1], [1])[:40]))
