"""C++ of a microcontroller, compiled here: pixels, labels and vectors are what they are written from.

main.cc and ops.h are compiled against declarations, and an interpreter that answers what a test says; in
tests/commands/test_tflm.py it is the real one.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.bundle import firmware
from mobilenet_edge.bundle.firmware import Vector
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.data import prepare
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.contents import Contents, Operator
from tests.bundle import library
from tests.bundle.conftest import ARTIFACT, deployment
from tests.bundle.test_script import noise, rule

compiled = pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
FLAGS = ("-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I.")
OPS = Contents({}, tuple(Operator(kind, (), ()) for kind in ("CONV_2D", "MEAN", "SOFTMAX")), (), (), {})
TAKEN = Footprint(3, 4096, "tflite-micro 1")
DUMP = """
#include <cstdio>
#include <vector>
#include "labels.h"
#include "pixels.h"
#include "vectors.h"
int main() {
  std::vector<unsigned char> pixels(3 * kWidth * kHeight);
  if (std::fread(pixels.data(), 1, pixels.size(), stdin) != pixels.size()) return 1;
  std::vector<Input> input(kChannels * kWidth * kHeight);
  Fill(pixels.data(), input.data());
  std::fwrite(input.data(), sizeof(Input), input.size(), stdout);
  std::fwrite(kVectorInputs, 1, sizeof kVectorInputs, stdout);
  std::fwrite(kVectorOutputs, 1, sizeof kVectorOutputs, stdout);
  for (const char* label : kLabels) std::printf("%s\\n", label);
  for (int label : kVectorLabels) std::printf("%s\\n", kLabels[label]);
}
"""


def model(colour="rgb", dtype="int8", **others):
    # Steps of 4 and 3 from offset zero points: some values lie beyond the ends of the type.
    made = rule("stretch", colour, size=(5, 7))
    grid = {"int8": (4.0, -100), "uint8": (3.0, 7)}[dtype]
    artifact = replace(ARTIFACT, format="tflite", data=b"abc", contents=OPS)
    taken = ImageInput("m", (1, *made.shape), dtype, *grid)
    return replace(deployment(made, taken, grid=(1 / 256, -128), **others), artifact=artifact)


def vectors(made, outputs=((100, -120, -128), (-128, 127, -128), (5, 6, 7))):
    dtype = np.int8 if min(map(min, outputs)) < 0 else np.uint8
    tensors = [made.input.fill(prepare.prepare(noise(20 + n, 9), made.rule)) for n in range(len(outputs))]
    return [
        Vector(int(np.argmax(row)) if len(row) > 1 else 1, tensor, np.array(row, dtype))
        for tensor, row in zip(tensors, outputs, strict=True)
    ]


def write(place: Path, made, found) -> None:
    for name, data in firmware.contents(made, found, TAKEN, []).items():
        (place / name).write_bytes(data)


@compiled
@pytest.mark.slow
@pytest.mark.parametrize(("colour", "dtype"), [("rgb", "int8"), ("bgr", "uint8"), ("grey", "int8")])
def test_pixels_labels_and_vectors_are_what_they_are_written_from(tmp_path, colour, dtype):
    names = ("Käse", 'a "b" \\ ??/', "hen")
    made = model(colour, dtype, names=names)
    found = vectors(made)
    write(tmp_path, made, found)
    (tmp_path / "dump.cc").write_text(DUMP)
    subprocess.run(["g++", *FLAGS, "dump.cc", "vectors.cc", "-o", "dump"], cwd=tmp_path, check=True, timeout=300)
    image = noise(7, 5)
    done = subprocess.run([tmp_path / "dump"], input=image.tobytes(), check=True, capture_output=True).stdout
    right = made.input.fill(prepare.prepare(image, made.rule))
    parts = [right.tobytes(), *(each.tensor.tobytes() for each in found), *(each.outputs.tobytes() for each in found)]
    assert done.startswith(b"".join(parts))
    lines = done[sum(map(len, parts)) :].decode().splitlines()
    assert lines == [*names, *(names[each.index] for each in found)]
    assert (tmp_path / "labels.txt").read_text().splitlines() == list(names)


def run(place: Path, changed: int, steps: int) -> subprocess.CompletedProcess[str]:
    """Compile main.cc with an interpreter whose outputs are off by so many steps at one place, and run it."""
    library.write(place, library.OLD)
    sources = ("main.cc", "model.cc", "vectors.cc")
    defines = (f"-DCHANGED={changed}", f"-DSTEPS={steps}")
    subprocess.run(["g++", *FLAGS, *defines, *sources, "-o", "main"], cwd=place, check=True, timeout=300)
    return subprocess.run([place / "main"], capture_output=True, text=True, check=False)


@compiled
@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "steps", "code", "last"),
    [
        (0, 0, 0, "this model works here"),
        (2, 2, 0, "this model works here"),
        # One step beyond the tolerance in all three; and a step that makes another answer of the third.
        (2, 3, 1, "3 vectors are answered wrongly"),
        (1, 2, 1, "1 vectors are answered wrongly"),
    ],
)
def test_the_program_tells_right_answers_from_wrong_ones(tmp_path, changed, steps, code, last):
    made = model(names=("crane", "hen", "crane"))  # a bird and a machine, as in ImageNet
    write(tmp_path, made, vectors(made, ((100, -120, -128), (-128, 100, -128), (5, 6, 7))))
    done = run(tmp_path, changed, steps)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, last)
    assert done.stdout.startswith("4080 of 4096 bytes of the arena are used")


@compiled
@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "grid", "limit"),
    # One half is (0 + 128) / 256, and zero of logits is 3: what lies above is the second class.
    [(Head.probability, (1 / 256, -128), 0), (Head.logit, (0.5, 3), 3)],
)
def test_a_single_score_has_two_classes(tmp_path, head, grid, limit):
    made = replace(model(head=head, names=("no", "yes")), grid=grid)
    low, high, _ = vectors(made, ((limit,), (limit + 1,), (-1,)))
    low = replace(low, index=0)
    write(tmp_path, made, [low, high])
    done = run(tmp_path, 0, 0)
    assert done.returncode == 0, done.stdout
    assert "vector 0: no, as expected" in done.stdout
    assert "vector 1: yes, as expected" in done.stdout


def test_the_table_of_pixels_by_hand():
    # Channel 1 of the rule: 0.25 * value + 1, in steps of 4 from -100, rounded to even.
    made = model()
    table = made.input.table(made.rule)
    assert table[1, [0, 100, 255]].tolist() == [round(each / 4) - 100 for each in (1, 26, 64.75)]


def test_memory_is_told():
    made = model()
    text = firmware.contents(made, vectors(made), TAKEN, [])["README.md"].decode()
    assert "| arena, in RAM | 4,096 |" in text
    # Three inputs of 5 x 7 x 3 and three outputs of 3.
    assert "| test vectors, in flash | 324 |" in text
    assert "No microcontroller was tried" in text


def test_what_it_is_not_written_for():
    with pytest.raises(UsageError, match="several labels"):
        firmware.contents(model(head=Head.labels), [], TAKEN, [])
    with pytest.raises(UsageError, match=r"onnx, .*; write it with mnet export --target tflm"):
        firmware.require_integers(ARTIFACT)
