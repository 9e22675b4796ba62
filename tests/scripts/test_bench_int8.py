"""The int8 benchmark's arithmetic and its table, on figures made up here; and what it does without its data."""

from __future__ import annotations

import argparse
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Profile, Remark

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_int8.py"


@pytest.fixture(scope="module")
def bench():
    return argparse.Namespace(**runpy.run_path(str(SCRIPT)))


def profile(*rounds: tuple[int, ...], isa: tuple[str, ...] = ("AVX2",), doubts: tuple[Remark, ...] = ()) -> Profile:
    return Profile(
        artifact="a.onnx", sha256="00", size_bytes=1, format="onnx", precision="int8", variant="a",
        runtime="onnxruntime", runtime_version="1", threads=1, load_ms=1.0, first_ms=1.0,
        times_ns=tuple(t for each in rounds for t in each),
        round_sizes=tuple(len(each) for each in rounds), host={"isa": isa, "machine": "x86_64"}, doubts=doubts,
    )  # fmt: skip


def outputs(*classes: int) -> np.ndarray:
    """Probabilities of which each row is sure of a class."""
    return np.eye(8, dtype=np.float32)[list(classes)]


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **variables}
    return subprocess.run([sys.executable, str(SCRIPT), *words], env=env, capture_output=True, text=True, check=False)


def test_a_ratio_is_taken_within_each_round(bench):
    # Both slow down threefold in the second round; the files differ by two all the same.
    own, base = profile((200, 202, 198), (600, 600)), profile((100, 100), (300, 310, 290))
    assert bench.ratio(own, base) == 2
    assert bench.ratio(base, own) == 0.5


def test_one_disturbed_round_does_not_move_the_ratio(bench):
    own, base = profile((100,), (100,), (900,)), profile((100,), (100,), (100,))
    assert bench.ratio(own, base) == 1


def test_every_format_has_its_base_among_the_peers(bench):
    assert set(bench.BASES) == {"tflite", "onnx"}
    assert all(bench.PEERS[title][0] == kind for kind, title in bench.BASES.items())


def test_a_row_holds_accuracy_size_and_latency(bench, tmp_path, monkeypatch):
    spec = ModelSpec(0.25, 128)
    made, found = [], {}
    for title, given, time in ((bench.STOCK, (1, 2, 3, 4), 2_000_000), ("mnet, fast", (1, 2, 3, 5), 1_500_000)):
        path = tmp_path / f"{title}.tflite"
        path.write_bytes(bytes(1000))
        made.append(bench.Row(title, "tflite", path, outputs(*given)))
        found[path] = profile((time,))
    int8 = argparse.Namespace(read=lambda path: argparse.Namespace(precision="int8"))
    monkeypatch.setitem(bench.table.__globals__, "artifact", int8)
    lines = bench.table(spec, made, found, np.array([1, 2, 0, 5])).splitlines()
    assert lines[0].split("|")[1].strip() == "file"
    stock, ours = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:])
    # 2 and 3 of 4 right; 3 of 4 like the first row; 1000 bytes of a floor of half a million; 1.5 of 2 ms.
    assert stock[:4] == [bench.STOCK, "tflite", "0.500", "1.000"]
    assert stock[4:] == ["inf dB", "0.0000", "1,000", "0.002x", "2.00", "1.00x"]
    # Half of a signal of 4 is missing from one row and put elsewhere: noise of 2.
    assert ours[2:5] == ["0.750", "0.750", "3.0 dB"]
    assert ours[6:] == ["1,000", "0.002x", "1.50", "0.75x"]


def test_a_peer_that_failed_says_why_in_its_row(bench):
    row = bench.Row("a road", "onnx", None, outputs(), "ImportError: No module named 'tf2onnx'")
    (line,) = bench.table(ModelSpec(), [row], {}, np.array([1])).splitlines()[2:]
    assert "a road: ImportError: No module named 'tf2onnx'" in line


def test_a_peer_that_raises_becomes_a_row_and_the_next_goes_on(bench, tmp_path, monkeypatch):
    def fail(kit, out):
        raise ValueError("first line\nsecond line")

    def lack(kit, out):
        import no_such_package  # noqa: F401

    def write(kit, out):
        out.write_bytes(b"a model")

    space = bench.peers.__globals__
    monkeypatch.setitem(space, "PEERS", {"bad": ("onnx", fail), "lacking": ("onnx", lack), "good": ("tflite", write)})
    monkeypatch.setitem(space, "outputs", lambda path, given: outputs(7))
    given = bench.Images(tmp_path, None, *[np.empty(0)] * 3)
    bad, lacking, good = bench.peers(None, given, tmp_path)
    assert (bad.path, bad.reason) == (None, "ValueError: first line")
    assert (lacking.path, lacking.reason) == (None, "not installed (no_such_package)")
    assert good.path is not None
    assert good.path.read_bytes() == b"a model"
    assert good.answers.tolist() == [[7]]


def test_formats_of_one_export_are_compared_with_each_other(bench):
    made = [
        bench.Row("mnet, fast", "tflite", Path("a"), outputs(1, 2, 3, 4)),
        bench.Row("mnet, fast", "onnx", Path("b"), outputs(1, 2, 3, 5)),
        bench.Row("a peer", "onnx", Path("c"), outputs(1, 2, 3, 4)),
    ]
    assert list(bench.twins(made)) == [("mnet, fast", 0.75)]


@pytest.mark.parametrize(
    ("isa", "said"),
    [
        (("AVX2", "AVX-512 VNNI"), "on VNNI, which does not saturate"),
        (("AVX2", "AVX-VNNI"), "on VNNI, which does not saturate"),
        (("AVX2",), "without VNNI, where 16-bit sums saturate"),
        (("NEON", "SDOT/UDOT"), None),
    ],
)
def test_the_kernels_of_the_machine_are_named(bench, isa, said):
    text = bench.conditions(profile((1,), isa=isa))
    assert said in text if said else "U8S8" not in text
    assert isa[-1] in text


@pytest.mark.slow
def test_without_data_it_says_so_and_stops(tmp_path):
    ended = run(MNET_DATA=str(tmp_path / "nowhere"))
    assert (ended.returncode, ended.stderr) == (0, "")
    (line,) = ended.stdout.splitlines()
    assert line.startswith(f"skipped: no real weights and images at {tmp_path / 'nowhere'}; set MNET_DATA")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--alpha", "0.5"), "belong together"),
        (("--weights", "w.h5", "--alpha", "0.5"), "belong together"),
        (("--calibrate", "0"), "--calibrate must be at least 1"),
        (("--limit", "0"), "--limit must be at least 1"),
        (("--rounds", "-1"), "--rounds must be at least 1"),
        (("--weights", "w.h5", "--alpha", "0.5", "--rho", "100"), "100"),
        (("--effort", "most"), "invalid choice"),
    ],
)
def test_a_wrong_option_is_refused(words, said):
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_wrong_file_is_one_line(tmp_path):
    words = ("--weights", "w.h5", "--alpha", "0.5", "--rho", "160")
    ended = run(*words, "--images", str(tmp_path / "nowhere"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("bench_int8: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.data
@pytest.mark.slow
def test_the_images_that_calibrate_do_not_score(bench, data):
    given = bench.load(argparse.Namespace(images=data, labels=None, calibrate=10, limit=30, crops=1), 32)
    assert given.calibrating.shape == (10, 32, 32, 3)
    assert given.scoring.shape == (30, 32, 32, 3)
    assert given.truth.shape == (30,)
    scored = bench.load.__globals__["prepare"].scale(given.scoring, given.rule)
    both = {image.tobytes() for image in given.calibrating} & {image.tobytes() for image in scored}
    assert not both


@pytest.mark.data
@pytest.mark.slow
def test_crops_follow_their_pictures(bench, data):
    options = {"images": data, "labels": None, "calibrate": 10, "limit": 4}
    one, three = (bench.load(argparse.Namespace(**options, crops=crops), 32) for crops in (1, 3))
    assert three.scoring.shape == (12, 32, 32, 3)
    np.testing.assert_array_equal(three.scoring[:4], one.scoring)
    assert three.truth.tolist() == [*one.truth, *one.truth.repeat(2)]
    assert len({image.tobytes() for image in three.scoring}) == 12


def test_divergence_and_noise_are_those_of_the_definitions(bench):
    reference, found = np.array([[0.5, 0.5]], np.float32), np.array([[0.75, 0.25]], np.float32)
    assert bench.divergence_nats(found, reference) == pytest.approx(0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(2))
    assert bench.signal_to_noise_db(found, reference) == pytest.approx(10 * np.log10(0.5 / 0.125))
