"""A model file is read whole and right, or refused in one line: whatever was done to its bytes."""

import hashlib
import random
import tracemalloc
from dataclasses import asdict, replace

import pytest

from mobilenet_edge import records
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import archive, artifact

FILES = ("float.tflite", "int8.tflite", "float.onnx", "int8.onnx", "model.keras")


@pytest.fixture(params=FILES)
def name(request):
    return request.param


@pytest.fixture
def path(name, plain, about, tmp_path):
    file = tmp_path / name
    artifact.write(file, plain[name], about)
    return file


def refused(path):
    """Whether reading is refused; anything but one short InputError line fails the test."""
    try:
        found = artifact.read(path)
    except InputError as error:
        message = str(error).replace(str(path), "")
    else:
        # What the verbs ask of an artifact.
        assert found.identity()["size_bytes"] == path.stat().st_size
        assert sum(found.contents.sections.values()) == found.size_bytes
        assert all(isinstance(each.elements, int) for each in found.contents.tensors.values())
        assert found.contents.precision
        assert isinstance(found.contents.ops, dict)
        return False
    assert "\n" not in message
    assert len(message) < 300
    return True


def test_what_was_written_is_read(path, about):
    found = artifact.read(path)
    assert found.metadata == about
    assert found.format == path.suffix[1:]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.precision == about.precision


def test_the_same_metadata_gives_the_same_bytes(path, name, plain, about):
    assert artifact.embed(path, plain[name], about) == path.read_bytes()


def test_no_labels_are_no_labels(name, plain, about, tmp_path):
    artifact.write(tmp_path / name, plain[name], replace(about, labels=()))
    assert artifact.read(tmp_path / name).metadata.labels == ()


def test_empty_labels_keep_their_places(name, plain, about, tmp_path):
    artifact.write(tmp_path / name, plain[name], replace(about, labels=("", "cat\u2028x", "")))
    assert artifact.read(tmp_path / name).metadata.labels == ("", "cat\u2028x", "")


def test_the_identity_begins_a_record(path, about):
    record = records.Inspection(**artifact.read(path).identity(), metadata=None, ops={}, bytes={})
    assert record.variant == about.variant
    assert record.spec == asdict(about.spec)
    assert record.calibration["note"].startswith("synthetic")
    assert record.lacks == ()


def test_a_foreign_file_says_what_it_lacks(name, plain, tmp_path):
    (tmp_path / name).write_bytes(plain[name])
    found = artifact.read(tmp_path / name)
    assert found.metadata is None
    identity = found.identity()
    assert identity["variant"] == name.rsplit(".", 1)[0]
    assert "preprocessing" in identity["lacks"][0]
    assert records.Inspection(**identity, metadata=None, ops={}, bytes={}).spec is None


@pytest.mark.parametrize(
    ("file", "precision"),
    [("float.tflite", "float32"), ("int8.tflite", "int8"), ("float.onnx", "float32"), ("int8.onnx", "int8")],
)
def test_the_precision_of_a_foreign_file_is_that_of_its_weights(file, precision, plain, tmp_path):
    (tmp_path / file).write_bytes(plain[file])
    assert artifact.read(tmp_path / file).precision == precision


def test_a_file_that_is_cut_off_is_refused(path, name):
    whole = path.read_bytes()
    appended = name.endswith("tflite")
    for place in range(50):
        size = len(whole) * place // 50
        path.write_bytes(whole[:size])
        # Cut exactly where the zip of a .tflite begins, the file is a foreign model, and a whole one.
        assert refused(path) or (appended and archive.start(whole) <= size < archive.start(whole) + 14), size


def test_a_cut_in_the_metadata_is_never_taken_for_a_foreign_file(path, name):
    whole = path.read_bytes()
    first = archive.start(whole) + 14 if name.endswith("tflite") else len(whole) - 200
    for size in range(first, len(whole), 17):
        path.write_bytes(whole[:size])
        assert refused(path), size


def test_flipped_bits_give_a_result_or_a_refusal(path):
    whole = path.read_bytes()
    chance = random.Random(20)
    refusals = 0
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4))):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        refusals += refused(path)
    # Neither everything nor nothing: the readers look, and weights may hold anything.
    assert 0 < refusals < 40


def test_damage_takes_no_memory(path):
    whole = path.read_bytes()
    chance = random.Random(7)
    tracemalloc.start()
    try:
        for _ in range(5):
            damaged = bytearray(whole)
            damaged[chance.randrange(len(damaged))] ^= 0x80
            path.write_bytes(damaged)
            refused(path)
        # The files have some 3 kB; a claimed length believed once would be megabytes.
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("content", [b"", b"\0", b"PK", b"this is text, not a model\n" * 40, bytes(5000)])
@pytest.mark.parametrize("suffix", ["tflite", "onnx", "keras"])
def test_what_is_no_model_is_refused(suffix, content, tmp_path):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.{suffix} is not a whole \.{suffix} model: .*; export or copy it again"):
        artifact.read(path)


@pytest.mark.parametrize("name", ["model.pb", "model", "model.TFLITE", "labels.txt"])
def test_other_suffixes_are_refused(name, tmp_path):
    with pytest.raises(InputError, match=r"it reads \.tflite, \.onnx, \.keras and \.h5"):
        artifact.read(tmp_path / name)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(InputError, match="no such file"):
        artifact.read(tmp_path / "none.tflite")
    with pytest.raises(InputError, match="is a folder; give a model file in it"):
        artifact.read(tmp_path / "folder.onnx")


def test_names_are_built():
    name = artifact.file_name("mobilenet_v1-a0.50-r160", "int8", "tflite")
    assert name == "mobilenet_v1-a0.50-r160.int8.tflite"
