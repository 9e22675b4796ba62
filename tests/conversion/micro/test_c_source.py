"""C++ of a model: the array is the file's bytes, aligned and constant, as the compiler and the linker see it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.conversion.micro import c_source, emit
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import archive

NOISE = np.random.default_rng(5).integers(0, 256, 3000, np.uint8).tobytes()
DUMP = """
#include <cstdio>
#include "{header}"
int main() {{
  std::fwrite(kModel, 1, kModelBytes, stdout);
  return reinterpret_cast<uintptr_t>(kModel) % 16 != 0 || kArenaBytes != 4096;
}}
"""


def test_the_array_ends_where_the_metadata_begins():
    whole = archive.append(NOISE, {"mobilenet_edge.json": "{}"})
    assert len(whole) > len(NOISE)
    assert c_source.flatbuffer(whole) == NOISE
    assert c_source.flatbuffer(NOISE) == NOISE


def test_numbers_are_written_in_lines():
    text = c_source.numbers(range(-128, 128))
    assert [int(number) for number in text.replace("\n", " ").split(",")] == list(range(-128, 128))
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
def test_compiled_it_is_the_file(tmp_path: Path):
    path = tmp_path / "net-a0.25.int8-tflm.tflite"
    whole = archive.append(NOISE, {"mobilenet_edge.json": "{}"})
    header, array, _ = emit.paths(path)
    header.write_text(c_source.header(path.name, whole, "ab" * 32, 4096, "tflite-micro 1"))
    array.write_text(c_source.array(header.name, whole))
    (tmp_path / "dump.cc").write_text(DUMP.format(header=header.name))
    flags = ("-std=c++17", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
    subprocess.run(["g++", *flags, "dump.cc", array.name, "-o", "dump"], cwd=tmp_path, check=True, timeout=300)
    assert subprocess.run([tmp_path / "dump"], check=True, capture_output=True).stdout == NOISE
    # In the read-only section, which a linker script puts into flash.
    subprocess.run(["g++", *flags, "-c", array.name, "-o", "array.o"], cwd=tmp_path, check=True, timeout=300)
    symbols = subprocess.run(["nm", "array.o"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert [line.split()[1:] for line in symbols.splitlines()] == [["R", "kModel"]]


def test_sources_without_their_file_are_somebody_elses(tmp_path: Path):
    path = tmp_path / "a.tflite"
    emit.refuse(path)
    header, *_ = emit.paths(path)
    header.write_text("mine")
    with pytest.raises(InputError, match=r"a\.h is there already, without a\.tflite; .* --force"):
        emit.refuse(path)
    emit.refuse(path, force=True)
    path.write_bytes(b"")
    emit.refuse(path)
