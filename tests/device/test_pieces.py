from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device import pieces
from mobilenet_edge.device.faults import InvalidModel, RequestError
from mobilenet_edge.device.pieces import GraphOperator, cut
from mobilenet_edge.formats.tflite import read as tflite
from mobilenet_edge.formats.tflite.write import float16_tflite
from mobilenet_edge.formats.wire.flatbuffer import Table


def names(data: bytes) -> list[str]:
    return [each.name for each in cut(data).operators]


def test_operators_are_read_as_the_workstation_reads_them(small_tflite: bytes):
    contents = tflite.contents(small_tflite)
    assert names(small_tflite) == [each.outputs[0] for each in contents.operators]
    assert [each.kind for each in cut(small_tflite).operators][:2] == ["BUILTIN_3", "BUILTIN_4"]


def test_each_piece_is_a_whole_model_of_one_operator(small_tflite: bytes, tmp_path: Path):
    whole = tflite.contents(small_tflite)
    path = tmp_path / "piece.tflite"
    seen = []
    for piece in cut(small_tflite).write(path):
        contents = tflite.contents(path.read_bytes())
        (operator,) = contents.operators
        assert operator == whole.operators[piece.index]
        assert contents.outputs == operator.outputs
        # The constants of an operator are no inputs of its model.
        assert set(contents.inputs) == {name for name in operator.inputs if not contents.tensors[name].constant_bytes}
        seen.append(operator.outputs[0])
    assert seen == names(small_tflite)


def test_constants_that_are_prepared_stay_constants(small_graph, tmp_path: Path):
    """The weights of a float16 file pass a DEQUANTIZE: given as an input, they would be multiplied by other kernels."""
    data = float16_tflite(small_graph)
    found = cut(data)
    kinds = [each.kind for each in found.operators]
    assert kinds.count("BUILTIN_6") > 0  # DEQUANTIZE
    assert [found.operators[each.index].kind for each in found.pieces] == [k for k in kinds if k != "BUILTIN_6"]
    path = tmp_path / "piece.tflite"
    first = next(found.write(path))
    contents = tflite.contents(path.read_bytes())
    assert [each.kind for each in contents.operators] == ["DEQUANTIZE", "CONV_2D"]
    assert contents.inputs == tflite.contents(data).inputs
    assert len(first.inputs) == 1


def test_the_file_around_the_graph_is_left_as_it_is(small_tflite: bytes):
    found = cut(small_tflite)
    assert len(found.data) > len(small_tflite)
    differing = np.flatnonzero(
        np.frombuffer(small_tflite, np.uint8) != np.frombuffer(found.data, np.uint8, len(small_tflite))
    )
    # At most the number of signatures, which becomes 0.
    assert len(differing) <= 4


def patched(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + struct.pack("<I", value) + data[place + 4 :]


def test_several_graphs_are_refused(small_tflite: bytes):
    start, _ = Table.root(small_tflite).span(2, 4)
    # The second entry then leads wherever: what is behind the list is some table of the file or a damaged one.
    with pytest.raises((RequestError, InvalidModel), match=r"of one graph, and this has 2|damaged"):
        cut(patched(small_tflite, start - 4, 2))
    with pytest.raises(RequestError, match="models of one graph, and this has 0; time it whole"):
        cut(patched(small_tflite, start - 4, 0))


def test_too_many_operators_are_refused(small_tflite: bytes, monkeypatch):
    monkeypatch.setattr(pieces, "MAX_OPERATORS", 5)
    with pytest.raises(RequestError, match="models of 1 to 5 operators, and this has 6; time it whole"):
        cut(small_tflite)


def test_no_operators_are_refused(small_tflite: bytes):
    start, _ = Table.root(small_tflite).tables(2)[0].span(3, 4)
    with pytest.raises(RequestError, match="and this has 0"):
        cut(patched(small_tflite, start - 4, 0))


def test_operators_out_of_order_are_refused():
    early = GraphOperator("BUILTIN_0", "early", inputs=(7,), outputs=(2,), position=0)
    late = GraphOperator("BUILTIN_0", "late", inputs=(1,), outputs=(7,), position=0)
    assert pieces._variable_tensors([late, early], [1]) == {1, 7, 2}
    with pytest.raises(InvalidModel, match="'early' reads a tensor"):
        pieces._variable_tensors([early, late], [1])


def test_a_damaged_file_is_never_more_than_an_expected_failure(small_tflite: bytes):
    """Every byte of the graph set to something else, one at a time, and the file cut off at any place."""
    draw = random.Random(1)
    harmless = 0
    for _ in range(400):
        place = draw.randrange(len(small_tflite))
        broken = bytearray(small_tflite)
        broken[place] ^= draw.randrange(1, 256)
        try:
            cut(bytes(broken))
            harmless += 1
        except (InvalidModel, RequestError):
            continue
    assert 0 < harmless < 400
    for size in range(0, len(small_tflite), 97):
        try:
            cut(small_tflite[:size])
        except (InvalidModel, RequestError):
            continue


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0TFL3", b"\xff" * 64], ids=["empty", "head", "ones"])
def test_what_is_no_flatbuffer_is_damaged(data: bytes):
    with pytest.raises((InvalidModel, RequestError), match=r"damaged|this has 0"):
        cut(data)
