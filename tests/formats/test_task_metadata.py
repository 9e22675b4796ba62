"""TFLite Metadata that goes into files, read back with the flatbuffers package as metadata_schema.fbs numbers it."""

from __future__ import annotations

from dataclasses import replace

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import number_types as types

from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.formats import archive
from mobilenet_edge.formats.metadata import Quantisation
from mobilenet_edge.formats.tflite import description, task_metadata
from mobilenet_edge.formats.tflite import read as tflite


class Node(flatbuffers.table.Table):
    """A table by the numbers of its fields, checked by the reader of Google's package."""

    def place(self, field):
        return self.Offset(4 + 2 * field)

    def node(self, field):
        place = self.place(field)
        return Node(self.Bytes, self.Indirect(self.Pos + place)) if place else None

    def nodes(self, field):
        place = self.place(field)
        start = self.Vector(place)
        return [Node(self.Bytes, self.Indirect(start + 4 * i)) for i in range(self.VectorLen(place))] if place else []

    def text(self, field):
        return self.String(self.Pos + self.place(field)).decode()

    def byte(self, field):
        place = self.place(field)
        return self.Get(types.Int8Flags, self.Pos + place) if place else 0

    def floats(self, field):
        return self.GetVectorAsNumpy(types.Float32Flags, self.place(field)).tolist()


def parse(data):
    """The ModelMetadata of a file, found through LiteRT's own schema."""
    model = schema.Model.GetRootAs(data)
    entries = [model.Metadata(index) for index in range(model.MetadataLength())]
    (entry,) = [each for each in entries if each.Name() == b"TFLITE_METADATA"]
    content = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    assert content[4:8] == b"M001"
    return Node(content, flatbuffers.encode.Get(types.UOffsetTFlags.packer_type, content, 0))


def ends(data):
    (graph,) = parse(data).nodes(3)
    ((image,), (scores,)) = graph.nodes(2), graph.nodes(3)
    return image, scores


def numbers(image):
    """What NormalizationOptions hold."""
    (unit,) = image.nodes(4)
    assert unit.byte(0) == 1
    return unit.node(1).floats(0), unit.node(1).floats(1)


def test_it_says_what_a_task_library_asks_for(plain, about):
    data = tflite.embed(plain["int8.tflite"], about)
    whole, (image, scores) = parse(data), ends(data)
    assert (whole.text(0), whole.text(7)) == (about.variant, "1.0.0")
    assert numbers(image) == ([127.5], [127.5])
    content = image.node(3)
    # ImageProperties of the union ContentProperties; RGB.
    assert (content.byte(0), content.node(1).byte(0)) == (2, 1)
    (file,) = scores.nodes(6)
    assert (file.text(0), file.byte(2)) == ("labels.txt", 2)


def test_our_own_reader_understands_it(plain, about):
    data = tflite.embed(plain["int8.tflite"], about)
    assert description.read(data) == description.Description((127.5,), (127.5,), "labels.txt")
    assert description.labels(data) == about.labels


def test_members_are_not_compressed(plain, about):
    # MediaPipe: "Expected uncompressed zip archive".
    data = tflite.embed(plain["int8.tflite"], about)
    assert archive.sizes(data)["labels.txt"] == len("".join(f"{label}\n" for label in about.labels).encode())


@pytest.mark.parametrize(
    ("pixels", "mean", "std"),
    [
        ("0..1", [0], [255]),
        ("0..255", [0], [1]),
        ("imagenet", [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
        ("caffe", [103.939, 116.779, 123.68], [1, 1, 1]),
        ("mean=100,std=50", [100], [50]),
    ],
)
def test_pixels_become_what_the_rule_says(plain, about, pixels, mean, std):
    rule = PixelOptions(pixels=pixels).apply(about.preprocess)
    image, _ = ends(tflite.embed(plain["float.tflite"], replace(about, preprocess=rule, io="float32", input=None)))
    found = numbers(image)
    assert found[0] == pytest.approx(mean, rel=1e-6)
    assert found[1] == pytest.approx(std, rel=1e-6)
    # There is no BGR in the schema; MediaPipe refuses a colour space that is not known.
    assert image.node(3).node(1).byte(0) == (0 if pixels == "caffe" else 1)


def test_grey_and_pixels_turned_round(plain, about):
    grey = replace(about.preprocess, colour="grey", scale=(-1 / 255,), offset=(1.0,))
    image, _ = ends(tflite.embed(plain["float.tflite"], replace(about, preprocess=grey, io="float32")))
    assert image.node(3).node(1).byte(0) == 2
    assert image.nodes(4) == []


@pytest.mark.parametrize(
    ("pixels", "grid", "colour"),
    [
        ("-1..1", Quantisation(255 / 256 / 127.5, 128), 1),
        ("0..1", Quantisation(1 / 255, 0), 1),
        # Wide enough for all three channels: the bytes of pixels would be other pixels.
        ("imagenet", Quantisation(0.0187, 114), 0),
    ],
)
def test_a_uint8_input_that_holds_no_bytes_of_pixels_names_no_colour(plain, about, pixels, grid, colour):
    rule = PixelOptions(pixels=pixels).apply(about.preprocess)
    image, _ = ends(tflite.embed(plain["int8.tflite"], replace(about, preprocess=rule, io="uint8", input=grid)))
    assert image.node(3).node(1).byte(0) == colour


def test_labels_that_do_not_count_the_outputs_are_not_referred_to(plain, about):
    _, scores = ends(tflite.embed(plain["int8.tflite"], replace(about, labels=about.labels[:2])))
    assert scores.nodes(6) == []


def test_it_takes_the_place_of_older_metadata(plain, about):
    twice = task_metadata.add(task_metadata.add(plain["int8.tflite"], about), replace(about, variant="later"))
    assert parse(twice).text(0) == "later"


@pytest.mark.parametrize("name", ["float.tflite", "int8.tflite"])
def test_the_model_runs_as_before_wherever_the_file_ends(plain, about, name):
    outputs = []
    # A compiler's file may end anywhere.
    for data in (plain[name], *(tflite.embed(plain[name] + bytes(more), about) for more in (0, 4, 13))):
        model = Interpreter(model_content=data)
        model.allocate_tensors()
        (source,), (result,) = model.get_input_details(), model.get_output_details()
        pixels = np.random.default_rng(3).integers(-128, 128, source["shape"])
        model.set_tensor(source["index"], pixels.astype(source["dtype"]))
        model.invoke()
        outputs.append(model.get_tensor(result["index"]).tolist())
    assert outputs[1:] == outputs[:1] * 3
