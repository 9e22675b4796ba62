"""A sweep's file: what is read, what is filled in, and what is refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.sweep import config
from mobilenet_edge.sweep.config import CalibrationTable, EvaluateTable, GridTable, ProfileTable, Sweep, WeightsTable

ROOT = Path(__file__).parents[2]
GRID = "[grid]\nalpha = [0.25]\nrho = [32]\n"
FULL = """
[grid]
alpha = [0.5, 1]
rho = [160, 128]
format = ["onnx"]
precision = ["int8"]
target = ["arm64"]
classes = 10

[weights]
source = "imagenet"
seed = 7

[calibration]
source = "images"
count = 30
effort = "best"

[profile]
threads = [1, 2]
hosts = ["local", "pi4"]
runs = 20
seconds = 2
rounds = 4

[evaluate]
data = "images"
labels = "labels.txt"
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Sweep]:
    def load(text: str) -> Sweep:
        (tmp_path / "sweep.toml").write_text(text)
        return config.load_sweep(tmp_path / "sweep.toml")

    return load


def test_every_key_is_read(load: Callable[[str], Sweep], tmp_path: Path) -> None:
    assert load(FULL) == Sweep(
        GridTable((0.5, 1.0), (160, 128), ("onnx",), ("int8",), ("arm64",), 10),
        WeightsTable("imagenet", 7),
        CalibrationTable(str(tmp_path / "images"), 30, "best"),
        ProfileTable((1, 2), ("local", "pi4"), 20, 2.0, 4),
        EvaluateTable(str(tmp_path / "images"), str(tmp_path / "labels.txt")),
    )


def test_only_the_grid_is_needed(load: Callable[[str], Sweep]) -> None:
    sweep = load(GRID)
    assert sweep == Sweep(GridTable((0.25,), (32,)))
    assert (sweep.grid.format, sweep.grid.precision) == (("tflite", "onnx"), ("float32", "int8"))
    assert (sweep.weights.source, sweep.calibration.source, sweep.evaluate.data) == ("random", "random", None)


def test_whole_numbers_are_numbers(load: Callable[[str], Sweep]) -> None:
    sweep = load(FULL)
    assert [type(each) for each in (*sweep.grid.alpha, sweep.profile.seconds)] == [float, float, float]
    # An alpha of 1 must not make another name than 1.0 does.
    assert sweep.grid.specs()[2].name == "mobilenet_v1-a1.00-r160-c10"


def test_one_value_stands_for_a_list_of_one(load: Callable[[str], Sweep]) -> None:
    assert load("[grid]\nalpha = 0.25\nrho = 32\n").grid == GridTable((0.25,), (32,))


def test_the_grid_is_a_product_in_the_order_given_without_repeats() -> None:
    specs = GridTable((0.5, 0.25), (160, 128, 160)).specs()
    assert specs == [ModelSpec(0.5, 160), ModelSpec(0.5, 128), ModelSpec(0.25, 160), ModelSpec(0.25, 128)]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.name)
def test_files_that_come_with_the_project_are_valid(path: Path) -> None:
    if "grid" in path.read_text():
        assert config.load_sweep(path).grid.specs()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grid]\nalpha = [0.25]\n", r"the table \[grid\] lacks rho; mnet init writes examples"),
        ("[grid]\n", r"the table \[grid\] lacks alpha and rho"),
        ("", "the file lacks grid"),
        (f"{GRID}[wieghts]\n", "unknown key 'wieghts'; did you mean 'weights'"),
        (f"{GRID}[weights]\nsead = 1\n", "unknown key 'weights.sead'; did you mean 'seed'"),
        (f"{GRID}[weights]\nzzz = 1\n", "unknown key 'weights.zzz'; known: seed, source"),
        (f"weights = 3\n{GRID}", r"weights is 3; it must be a table \[weights\]"),
        ("grid = [1]\n", r"grid is \[1\]; it must be a table \[grid\]"),
        ("[grid]\nalpha = [true]\nrho = [32]\n", "grid.alpha is True; it must be a number"),
        ("[grid]\nalpha = ['0.5']\nrho = [32]\n", "grid.alpha is '0.5'; it must be a number"),
        ("[grid]\nalpha = [0.5]\nrho = [32.0]\n", r"grid.rho is 32\.0; it must be a whole number"),
        ("[grid]\nalpha = [[0.5]]\nrho = [32]\n", r"grid.alpha is \[0\.5\]; it must be a number"),
        (f"{GRID}[weights]\nsource = 3\n", "weights.source is 3; it must be text"),
        (f"{GRID}[evaluate]\ndata = 3\n", "evaluate.data is 3; it must be text"),
        (f"{GRID}[evaluate]\ndata = 2026-01-01\n", r"evaluate.data is datetime.*; it must be text"),
        (f"{GRID}format = ['tf']\n", "unknown values in grid.format: tf; known: tflite, onnx"),
        (
            f"{GRID}precision = ['int4', 'int8']\n",
            "unknown values in grid.precision: int4; known: float32, float16, dynamic, int8",
        ),
        (
            f"{GRID}target = ['arm']\n",
            "unknown values in grid.target: arm; known: generic, x86, x86-vnni, arm64, edgetpu",
        ),
        (
            f"{GRID}target = ['edgetpu']\nformat = ['onnx']\n",
            "grid.target edgetpu exports nothing of this grid; it supports",
        ),
        (f"{GRID}[calibration]\neffort = 'most'\n", "calibration.effort is 'most'; known: fast, best"),
        (f"{GRID}[profile]\nhosts = []\n", "profile.hosts is empty"),
        (f"{GRID}classes = 0\n", "classes must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, message: str, load: Callable[[str], Sweep]) -> None:
    with pytest.raises(InputError, match=rf"sweep\.toml(, line \d+)?: {message}"):
        load(text)


@pytest.mark.parametrize("name", ["alpha", "rho", "format", "precision"])
def test_an_empty_list_leaves_nothing(name: str, load: Callable[[str], Sweep]) -> None:
    values = {"alpha": "[0.25]", "rho": "[32]", name: "[]"}
    text = "[grid]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
    with pytest.raises(InputError, match=rf"sweep\.toml: grid\.{name} is empty; give it at least one value"):
        load(text)


@pytest.mark.parametrize("alpha", ["0", "-1", "nan", "inf", "2.5"])
def test_alphas_out_of_range(alpha: str, load: Callable[[str], Sweep]) -> None:
    with pytest.raises(InputError, match=rf"sweep\.toml: alpha must be above 0 and at most 2, got {alpha}"):
        load(f"[grid]\nalpha = [0.5, {alpha}]\nrho = [32]\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[weights]\nseed = -1", "weights.seed must be from 0 to 4294967295, got -1"),
        ("[weights]\nseed = 4294967296", "weights.seed must be from 0 to 4294967295"),
        ("[calibration]\ncount = 0", "calibration.count must be at least 1, got 0"),
        ("[profile]\nthreads = []", "profile.threads is empty"),
        ("[profile]\nthreads = [2, 0]", "profile.threads must be at least 1, got 0"),
        ("[profile]\nruns = -5", "profile.runs must be at least 1, got -5"),
        ("[profile]\nrounds = 0", "profile.rounds must be at least 1, got 0"),
        ("[profile]\nseconds = -0.5", "profile.seconds must be 0 or more, got -0.5"),
        ("[profile]\nseconds = nan", "profile.seconds must be 0 or more, got nan"),
        ("[profile]\nseconds = inf", "profile.seconds must be 0 or more, got inf"),
    ],
)
def test_numbers_out_of_range_are_found_before_anything_is_built(
    line: str, message: str, load: Callable[[str], Sweep]
) -> None:
    with pytest.raises(InputError, match=rf"sweep\.toml(, line \d+)?: {message}"):
        load(f"{GRID}{line}\n")


def test_values_are_refused_where_they_are_made() -> None:
    with pytest.raises(UsageError, match=r"unknown values in grid\.format: tf"):
        GridTable((0.5,), (32,), format=("tf",))
    with pytest.raises(UsageError, match=r"profile\.runs"):
        ProfileTable(runs=0)


@pytest.mark.parametrize(
    "text",
    ["= 3", "[grid", "a = " + "[" * 5000, "a = 1" + "0" * 5000, "\x00"],
    ids=["key", "head", "deep", "long", "nul"],
)
def test_what_is_not_toml(text: str, load: Callable[[str], Sweep]) -> None:
    with pytest.raises(InputError, match=r"sweep\.toml is not TOML: .*; mnet init writes examples") as caught:
        load(text)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"sweep\.toml is not TOML: 'utf-8' codec"):
        config.load_sweep(tmp_path / "sweep.toml")


def test_a_number_beyond_all_floats(load: Callable[[str], Sweep]) -> None:
    with pytest.raises(InputError, match=r"sweep\.toml: int too large"):
        load(f"[grid]\nalpha = [1{'0' * 400}]\nrho = [32]\n")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.toml: no such file"):
        config.load_sweep(tmp_path / "none.toml")
    with pytest.raises(InputError, match="is a directory"):
        config.load_sweep(tmp_path)


def test_a_grid_spans_families(load: Callable[[str], Sweep]) -> None:
    grid = load(GRID + 'family = ["mobilenet_v1", "mobilenet_v2"]\n').grid
    assert grid.specs() == [ModelSpec(0.25, 32), ModelSpec(0.25, 32, family="mobilenet_v2")]
    with pytest.raises(InputError, match=r"must be 'mobilenet_v1' or 'mobilenet_v2'"):
        load(GRID + 'family = ["mobilenet_v3"]\n')
