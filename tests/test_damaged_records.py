"""A record file somebody edited, or a disk damaged, is one line of refusal, whatever was done to it."""

import json
import random

import pytest

from mobilenet_edge import records
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Evaluation, Export, Failure, Inspection, Prediction, Profile, Remark
from mobilenet_edge.records.export import Cut, Division, LayerLoss
from mobilenet_edge.records.profile import STAGES

IDENTITY = {
    "artifact": "a.int8.tflite", "sha256": "ab" * 32, "size_bytes": 1_400_000, "format": "tflite", "precision": "int8",
    "variant": "mobilenet_v1-a0.50-r160", "spec": {"alpha": 0.5, "resolution": 160, "classes": 1000},
    "calibration": {"source": "images", "count": 9, "note": "few"},
}  # fmt: skip
WHOLE = [
    Profile(
        **IDENTITY, runtime="litert", runtime_version="2.3.0", threads=1, load_ms=3.5, first_ms=2, times_ns=(5, 6, 7),
        round_sizes=(3,), host={"cpu": "A72", "cores": 4, "isa": ["asimddp"], "before": {"load": 0.1}},
    ),
    Evaluation(**IDENTITY, top1=0.6, top5=0.8, n=500, interval=(0.5, 0.7), agreement=0.9),
    Inspection(**IDENTITY, metadata={"classes": 2}, ops={"CONV_2D": 15}, bytes={"weights": 9}, inputs=({"name": "x"},)),
    Failure(variant="a", stage="build", reason="no", exit_code=5),
    Profile(
        **IDENTITY, runtime="litert", runtime_version="2.3.0", threads=1, load_ms=3.5, first_ms=2,
        times_ns=(5, 6, 7) * 3, round_sizes=(4, 5),
        delegate={"path": "a.so", "options": {}, "nodes": 1, "total": 2, "kind": "other"},
        macs=9, limit={"float32_gmacs": 4.5, "int8_gmacs": None}, trace=({"minute": 1, "runs": 9, "median_ms": 0.1},),
        ops=({"index": 0, "name": "x", "kind": "CONV_2D", "ms": 0.1, "macs": 5},),
        end_to_end=(
            {
                "way": "pillow", "library": "Pillow", "version": "13", "resize": "box", "pictures": 2, "runs": 6,
                "equal": 2, "changed": 0, "max_difference": 0, "mean_difference": 0.0, "import_ms": 1.0, "load_ms": 2.0,
                **{f"{case}{part}": 0.5 for case in ("", "first_") for part in STAGES},
            },
        ),
        energy={
            "source": "package", "how": "RAPL", "mj": 2.5, "interval_mj": (2.0, 3.0), "idle_w": 3.0, "busy_w": 4.5,
            "pairs": 5, "seconds": 2.0, "runs": 900,
        },
        notes=(Remark("no-limit", reason="x"),),
        invalid=Remark("throttled", reasons=["hot"]),
    ),
    Prediction(
        **IDENTITY, runtime="litert", runtime_version="2.3.0", threads=1, predicted_ms=2.0, low_ms=1.5, high_ms=3.0,
        measured=6, error=0.05, host={"cpu": "A72", "isa": ["asimddp"]}, conditions={"affinity": [1]},
    ),
    Export(
        **IDENTITY, agreement={"snr_db": 26.0}, remarks=(Remark("few-calibration-images", count=9, enough=30),),
        division=Division(
            cut="a", wanted=0.97, views=200, pictures=20, float32_ms=1.5, runtime="litert", runtime_version="2.3.0",
            threads=1, host={"cpu": "A72"}, cuts=(Cut(name="", layers=0, macs_share=0, ms=1, agreement=0.9),),
        ),
        losses=(LayerLoss("a", "conv", 0.1, 0.2, 0, 6, 0.02, 0, 0.9, 0.5, 0, 8),),
    ),
]  # fmt: skip


def test_the_whole_ones_are_read(tmp_path):
    records.write(tmp_path / "a.json", WHOLE)
    assert [each.kind for each in records.read(tmp_path / "a.json")] == [
        "profile", "evaluation", "inspection", "failure", "profile", "prediction", "export",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (0, {"times_ns": []}),
        (0, {"times_ns": ["5"]}),
        (0, {"times_ns": [5, 0]}),
        (0, {"times_ns": [1.5]}),
        (0, {"times_ns": 5}),
        (0, {"times_ns": None}),
        (0, {"threads": "1"}),
        (0, {"load_ms": None}),
        (0, {"host": []}),
        (0, {"host": {"cpu": 5}}),
        (0, {"host": {"isa": [1]}}),
        (0, {"host": {"isa": "avx"}}),
        (0, {"host": {"isa": 5}}),
        (0, {"host": {"cores": "4"}}),
        (0, {"doubts": "few runs"}),
        (0, {"round_sizes": [-1]}),
        (0, {"invalid": ""}),
        (0, {"invalid": 5}),
        (0, {"notes": "x"}),
        (0, {"notes": [5]}),
        (0, {"notes": [{"reason": "x"}]}),
        (0, {"notes": [{"code": 5}]}),
        (0, {"doubts": [{"code": "few-runs", "runs": {}}]}),
        (0, {"preprocess_ms": "1"}),
        (0, {"host": {"emulated": True}}),
        (4, {"delegate": {}}),
        (4, {"delegate": {"path": "a.so", "nodes": "1", "total": 2}}),
        (4, {"end_to_end": [{"way": "pillow"}]}),
        (4, {"end_to_end": [{**WHOLE[4].end_to_end[0], "infer_ms": "1"}]}),
        (4, {"end_to_end": [{**WHOLE[4].end_to_end[0], "changed": 0.5}]}),
        (4, {"end_to_end": [{**WHOLE[4].end_to_end[0], "first_total_ms": None}]}),
        (4, {"energy": {"source": "package", "mj": 2.5}}),
        (4, {"energy": {**WHOLE[4].energy, "interval_mj": [2.0]}}),
        (4, {"energy": {**WHOLE[4].energy, "source": None}}),
        (4, {"limit": {"float32_gmacs": "4"}}),
        (4, {"limit": {"int8_gmacs": 0}}),
        (4, {"ops": [{"kind": "CONV_2D", "ms": None}]}),
        (4, {"ops": [5]}),
        (4, {"trace": [{"minute": 1}]}),
        (5, {"predicted_ms": "2"}),
        (5, {"low_ms": 2.5}),
        (5, {"host": {"isa": "avx"}}),
        (5, {"host": {"cores": "4"}}),
        (5, {"error": None}),
        (6, {"losses": [5]}),
        (6, {"losses": [{"name": "a"}]}),
        (6, {"division": []}),
        (6, {"division": {"cut": "a"}}),
        (6, {"agreement": "high"}),
        (3, {"stage": "x"}),
        (3, {"reason": ""}),
        (3, {"threads": "1"}),
        (3, {"exit_code": None}),
        (1, {"n": 0}),
        (1, {"top1": 1.5}),
        (1, {"top1": 0.9}),
        (1, {"top1": "0.6"}),
        (1, {"agreement": -0.1}),
        (1, {"interval": [0.5]}),
        (1, {"interval": None}),
        (2, {"ops": {"CONV_2D": "15"}}),
        (2, {"bytes": []}),
        (2, {"inputs": ["x"]}),
        (2, {"preflight": {"target": "tflm", "flash_bytes": 5, "arena_bytes": "5", "interpreter": "x"}}),
        (2, {"preflight": {"target": "tflm", "arena_bytes": 5}}),
        (0, {"spec": {"alpha": 0, "resolution": 160, "classes": 1000}}),
        (0, {"spec": {"alpha": 0.5, "resolution": 100, "classes": 1000}}),
        (0, {"spec": {"alpha": "half"}}),
        (0, {"spec": {"alpha": 0.5, "size": 3}}),
        (0, {"spec": {"alpha": 0.5}}),
        (0, {"spec": {"alpha": 0.5, "resolution": 160.0, "classes": 1000}}),
        (0, {"spec": []}),
        (1, {"calibration": {"note": 5}}),
        (1, {"sha256": None}),
        (1, {"variant": 5}),
        (1, {"macs": "1M"}),
        (1, {"lacks": "everything"}),
    ],
)  # fmt: skip
def test_a_changed_value_is_refused(kind, changes, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{**WHOLE[kind].to_dict(), **changes}]))
    with pytest.raises(InputError, match="holds no records of mnet") as caught:
        records.read(path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused(constant, tmp_path):
    (tmp_path / "a.json").write_text(records.dumps(WHOLE[:1]).replace("3.5", constant))
    with pytest.raises(InputError, match="not a JSON number"):
        records.read(tmp_path / "a.json")


def test_no_damage_makes_another_error(tmp_path):
    path = tmp_path / "a.json"
    text = records.dumps(WHOLE).encode()
    chance = random.Random(3)
    for _ in range(150):
        damaged = bytearray(text)
        for _ in range(chance.choice((1, 2, 5))):
            damaged[chance.randrange(len(damaged))] = chance.choice(b'0123456789"[]{},:.eEnullx\xff')
        path.write_bytes(damaged)
        try:
            found = records.read(path)
        except InputError as error:
            message = str(error)
            assert "\n" not in message
        else:
            # What is taken can be shown: every derived figure exists.
            records.dumps(found)
