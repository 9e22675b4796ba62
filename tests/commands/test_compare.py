"""`mnet compare`: which files are compared, and what is refused."""

import pytest

from mobilenet_edge import records
from mobilenet_edge.commands import compare
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.records import Evaluation, Profile

IDENTITY = {
    "artifact": "a.tflite", "sha256": "a", "size_bytes": 1000, "format": "tflite", "precision": "float32",
    "variant": "a",
}  # fmt: skip


def profile(ms, **changes):
    return Profile(
        **{
            **IDENTITY,
            "runtime": "litert",
            "runtime_version": "2.3.0",
            "threads": 1,
            "load_ms": 1.0,
            "first_ms": 1.0,
            "times_ns": (round(ms * 1e6),) * 30,
            "round_sizes": (10, 10, 10),
            **changes,
        }
    )


@pytest.fixture
def files(tmp_path):
    def write(base, new):
        records.write(tmp_path / "base.json", base)
        records.write(tmp_path / "new.json", new)
        return tmp_path / "base.json", tmp_path / "new.json"

    return write


def test_two_files(files):
    evaluation = Evaluation(**IDENTITY, top1=0.5, top5=0.75, n=100, interval=(0.4, 0.6))
    (pair,) = compare.run(*files([profile(2.0), evaluation], [evaluation, profile(3.0)])).pairs
    assert (pair.ratio, pair.verdict) == (1.5, "slower")


def test_a_file_without_a_profile(files):
    with pytest.raises(InputError, match=r"base\.json holds no profile; measure one with: mnet profile"):
        compare.run(*files([], [profile(2.0)]))


def test_unlike_conditions(files):
    both = files([profile(2.0)], [profile(2.0, threads=2)])
    with pytest.raises(UsageError, match="threads: 1 against 2"):
        compare.run(*both)
    assert compare.run(*both, anyway=True).unlike == ("threads: 1 against 2",)


def test_a_round_trip_changes_no_condition(files):
    host = {"isa": ["AVX2"], "cpu": "x", "cores": 2}
    own = profile(2.0, host=host, conditions={"affinity": [0, 1], "input_shapes": [[1, 2]]})
    assert compare.run(*files([own], [own])).unlike == ()
