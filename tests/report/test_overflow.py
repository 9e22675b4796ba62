"""What head room means, said in one line each."""

import pytest

from mobilenet_edge import records
from mobilenet_edge.records import Inspection
from mobilenet_edge.report import inventory
from mobilenet_edge.report.overflow import facts

SAFE = {"layer": "conv1/w", "pairs": 112, "largest": 128, "over": 0}
UNSAFE = {"layer": "conv2/w", "pairs": 64, "largest": 254, "over": 7}
WORSE = {"layer": "head/w", "pairs": 1000, "largest": 253, "over": 30}
HIDDEN = {"layer": "elsewhere", "pairs": None, "largest": None, "over": None}


def test_nothing_is_said_where_nothing_is_multiplied():
    assert facts(None) == []


def test_other_kernels_are_not_affected():
    assert facts(()) == ["x86 without VNNI: no layer uses 16-bit sums, so none can overflow"]


def test_head_room():
    close = {**SAFE, "largest": 120}
    assert facts((close, SAFE)) == ["x86 without VNNI: no 16-bit overflow possible; largest pair 128 of 128"]
    assert facts((close,))[0].endswith("largest pair 120 of 128")


def test_overflow_names_layers_pairs_the_worst_and_the_way_out():
    (line,) = facts((SAFE, UNSAFE, WORSE))
    assert "possible in 2 of 3 layers: 37 of 1176 pairs above 128, up to 254 in conv2/w" in line
    assert "export it with mnet" in line
    assert "session.x64quantprecision" in line
    assert "1 of 1 layer: 7 of 64" in facts((UNSAFE,))[0]


@pytest.mark.parametrize(("rooms", "lines"), [((HIDDEN,), 1), ((HIDDEN, SAFE), 2), ((HIDDEN, HIDDEN, UNSAFE), 2)])
def test_weights_elsewhere_are_not_judged(rooms, lines):
    said = facts(rooms)
    assert len(said) == lines
    hidden = sum(each is HIDDEN for each in rooms)
    assert f"in {hidden} layer{'s' * (hidden > 1)} depends on weights that are not in the file" in said[-1]
    assert not any("no layer adds" in line for line in said)


def test_an_inspection_shows_and_keeps_it(tmp_path):
    identity = {"artifact": "m.onnx", "sha256": "s", "size_bytes": 9, "format": "onnx", "precision": "int8"}
    made = Inspection(**identity, variant="m", metadata=None, ops={"Conv": 1}, bytes={"graph": 9}, head_room=(UNSAFE,))
    assert facts(made.head_room)[0] in inventory.text(made)
    records.write(tmp_path / "r.json", [made])
    assert records.read(tmp_path / "r.json") == [made]
