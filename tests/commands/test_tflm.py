"""Files for microcontrollers, by the interpreter of tflite-micro: export, inspect, evaluate, predict, bundle."""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge import cli, records
from mobilenet_edge.commands import inspect
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.conversion.assembly import Assembly, Settings
from mobilenet_edge.conversion.micro import c_source, footprint, resolver
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import runtimes
from mobilenet_edge.device.faults import InvalidModel, RequestError, RuntimeMissing
from mobilenet_edge.device.runtimes import RUNTIMES, Runtime
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.formats.tflite.write import dynamic_tflite, float_tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import synthetic, weights
from mobilenet_edge.records import Profile
from mobilenet_edge.report import exports
from tests.bundle import library

# The main function of a bundle, in a Python that has the library of the wheel.
MAIN = """
import ctypes, pathlib, sys, tflite_micro
library = pathlib.Path(tflite_micro.__file__).parent / "python/tflite_micro/_runtime.so"
ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
sys.exit(ctypes.CDLL("./libfirmware.so").main())
"""
FLAGS = ("-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-class-memaccess", "-I.", "-shared", "-fPIC")


def graph(classes: int = 4, side: int = 32) -> Graph:
    """A small network with a block, a sum and a pool."""
    random = np.random.default_rng(3)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    half = side // 2
    nodes = (
        Node("conv1", "conv", ("image",), (half, half, 8), normal(3, 3, 3, 8), normal(8), 2, ((0, 1), (0, 1)), "relu6"),
        Node(
            "deep", "depthwise", ("conv1",), (half, half, 8), normal(3, 3, 8), normal(8), 1, ((1, 1), (1, 1)), "relu6"
        ),
        Node("point", "conv", ("deep",), (half, half, 8), normal(1, 1, 8, 8), normal(8), 1, ((0, 0), (0, 0))),
        Node("sum", "add", ("conv1", "point"), (half, half, 8)),
        Node("pool", "mean", ("sum",), (8,)),
        Node("head", "dense", ("pool",), (classes,), normal(8, classes), normal(classes)),
        Node("predictions", "softmax", ("head",), (classes,)),
    )
    return Graph("mine", "image", (side, side, 3), nodes)


def about(made: Graph, target: str = "tflm") -> Metadata:
    return Metadata(
        variant="mine",
        precision="float32",
        classes=made.classes,
        macs=made.macs,
        parameters=made.parameters,
        preprocess=Preprocess(made.input_shape[:2]),
        weights=Weights("random", seed=3),
        target=target,
    )


def write(out: Path, made: Graph, io: str | None = None) -> export.Files:
    samples = calibration.Samples(synthetic.images(8, made.input_shape), "synthetic")
    assembly = Assembly(made, about(made), samples, Settings(("tflite",), ("int8",), out, io))
    found = export.Files(assembly.write())
    found.sources = assembly.sources
    return found


def mnet(*words: object, code: int = 0) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert ended.value.code == code, words


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tflm: None) -> export.Files:
    return write(tmp_path_factory.mktemp("tflm"), graph())


def test_without_the_wheel_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(Runtime, "installed", lambda self: self.name != "tflm")
    model = tmp_path / "m.tflite"
    artifact.write(model, float_tflite(graph()), about(graph()))
    with pytest.raises(MissingExtraError, match=r"pip install 'mobilenet-edge\[tflm\]'"):
        export.run(model, calibrate="random", target="tflm", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--precision", "float32"], "--target tflm takes --precision int8, not float32"),
        (["--precision", "float16"], "takes --precision int8, not float16"),
        (["--precision", "dynamic"], "takes --precision int8, not dynamic"),
        (["--precision", "mixed"], "takes --precision int8, not mixed"),
        (["--format", "onnx"], "takes --format tflite, not onnx"),
        (["--io", "float32"], "takes --io int8 or uint8, not float32"),
    ],
)
def test_what_a_microcontroller_does_not_take_is_refused_at_once(tmp_path, capsys, words, message):
    artifact.write(tmp_path / "m.tflite", float_tflite(graph()), about(graph()))
    mnet("export", tmp_path / "m.tflite", "--calibrate", "random", "--target", "tflm", *words, code=2)
    assert message in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.tflm
@pytest.mark.parametrize("io", ["int8", "uint8"])
@pytest.mark.usefixtures("tflm")
def test_an_export_brings_its_sources(tmp_path, io):
    files = write(tmp_path, graph(), io)
    (file,), (sources,) = files, files.sources
    assert file.path.name == "mine.int8-tflm.tflite"
    assert (file.metadata.target, file.metadata.io) == ("tflm", io)
    header, array, ops = (tmp_path / f"mine.int8-tflm{end}" for end in (".h", ".cc", "_ops.h"))
    numbers = re.findall(r"\d+", array.read_text().partition("{")[2])
    assert bytes(map(int, numbers)) == c_source.flatbuffer(file.data)
    assert f"kArenaBytes = {sources.footprint.arena_bytes};" in header.read_text()
    assert f"kModelBytes = {len(numbers)};" in header.read_text()
    assert ops.read_text().count("resolver.Add") == len(file.contents.ops)
    shown = " ".join(exports.table(files, sources=files.sources).split())
    assert f"an arena of {sources.footprint.arena_bytes:,} bytes, found with tflite-micro 0.dev" in shown


@pytest.mark.slow
@pytest.mark.tflm
def test_the_arena_is_the_least_that_the_interpreter_takes(made):
    from tflite_micro import runtime

    (file,), (sources,) = made, made.sources
    need = sources.footprint.arena_bytes
    assert runtime.Interpreter.from_bytes(file.data, arena_size=need)
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(file.data, arena_size=need - 16)


@pytest.mark.slow
@pytest.mark.tflm
def test_the_arena_holds_what_arithmetic_says_and_little_more(made):
    # While `sum` is made, conv1, point and sum lie in the arena: 3 of 16 x 16 x 8 bytes. An input of 32 x 32 x 3 with
    # conv1 is less: 3072 + 2048 < 6144. What the interpreter keeps of 7 operators is a few kilobytes.
    (sources,) = made.sources
    assert 6144 < sources.footprint.arena_bytes < 6144 + 12_000


@pytest.mark.slow
@pytest.mark.tflm
def test_answers_are_those_of_the_reference_kernels_of_litert(made):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    (file,) = made
    micro = runtimes.open_model(file.path, runtime="tflm")
    plain = Interpreter(model_content=file.data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    plain.allocate_tensors()
    random = np.random.default_rng(1)
    for _ in range(50):
        image = random.integers(-128, 128, micro.inputs[0].shape, np.int8)
        plain.set_tensor(plain.get_input_details()[0]["index"], image)
        plain.invoke()
        (found,) = micro.run([image])
        np.testing.assert_array_equal(found, plain.get_tensor(plain.get_output_details()[0]["index"]))


@pytest.mark.slow
@pytest.mark.tflm
def test_its_tensors_are_those_of_litert(made):
    micro, lite = (runtimes.open_model(made[0].path, runtime=name) for name in ("tflm", "litert"))
    assert (micro.inputs, micro.outputs) == (lite.inputs, lite.outputs)
    assert (micro.runtime, micro.delegate) == ("tflm", None)
    assert micro.version.startswith("0.dev")


@pytest.mark.slow
@pytest.mark.tflm
def test_auto_never_takes_it(made, monkeypatch):
    assert runtimes.choose(made[0].path).name == "litert"
    monkeypatch.setattr(Runtime, "installed", lambda self: self.name == "tflm")
    with pytest.raises(RuntimeMissing, match="LiteRT is not installed"):
        runtimes.choose(made[0].path)
    assert runtimes.choose(made[0].path, "tflm") is RUNTIMES["tflm"]


@pytest.mark.slow
@pytest.mark.tflm
@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "does not begin as a TFLite flatbuffer"), (b"\x1c\0\0\0TFL3" + b"\xff" * 60, "not a whole model")],
)
def test_what_is_no_model_is_refused(tmp_path, data, message):
    (tmp_path / "a.tflite").write_bytes(data)
    with pytest.raises(InvalidModel, match=message):
        runtimes.open_model(tmp_path / "a.tflite", runtime="tflm")


@pytest.mark.slow
@pytest.mark.tflm
def test_it_takes_no_delegate(made):
    with pytest.raises(RequestError, match="takes no delegate"):
        runtimes.open_model(made[0].path, runtime="tflm", delegate={"path": "a.so", "options": {}})


@pytest.mark.slow
@pytest.mark.tflm
def test_it_has_one_thread(made):
    with pytest.raises(RequestError, match="has one thread, not 4; leave out --threads"):
        runtimes.open_model(made[0].path, threads=4, runtime="tflm")


@pytest.mark.slow
@pytest.mark.tflm
@pytest.mark.usefixtures("tflm")
def test_a_dynamic_file_is_refused_with_the_interpreters_reason(tmp_path):
    path = tmp_path / "mine.dynamic.tflite"
    artifact.write(path, dynamic_tflite(graph(), weights.nearest(graph())), about(graph(), "generic"))
    with pytest.raises(BuildError, match=r"cannot run|can run: .*; export it with --target tflm"):
        footprint.measure(path, path.read_bytes())
    (record,) = inspect.run([path], "tflm", "nucleo-l4r5zi")
    assert record.preflight["refusal"]
    assert inspect.exit_code([record]) == 1


@pytest.mark.slow
@pytest.mark.tflm
def test_inspect_tells_whether_a_board_has_the_memory(made, tmp_path, capsys):
    (file,), (sources,) = made, made.sources
    mnet("inspect", file.path, "--target", "tflm", "--board", "nano33ble", "--json", tmp_path / "r.json")
    said = " ".join(capsys.readouterr().out.split())
    assert "nano33ble: nRF52840, Cortex-M4F, 64 MHz (of 1 MiB of flash the bootloader has 64 KiB). It fits." in said
    (record,) = json.loads((tmp_path / "r.json").read_text())
    assert record["preflight"]["arena_bytes"] == sources.footprint.arena_bytes
    assert record["preflight"]["lacks"] == []


@pytest.mark.slow
@pytest.mark.tflm
@pytest.mark.usefixtures("tflm")
def test_a_file_that_does_not_fit_is_exit_code_1(tmp_path, capsys):
    # The first map alone has 224 x 224 x 8 bytes, more than the 256 KiB of the board.
    (file,) = write(tmp_path, graph(side=448))
    mnet("inspect", file.path, "--target", "tflm", "--board", "nano33ble", code=1)
    assert "It lacks RAM there." in " ".join(capsys.readouterr().out.split())


def test_a_board_without_a_target_and_one_that_is_unknown(tmp_path, capsys):
    artifact.write(tmp_path / "m.tflite", float_tflite(graph()), about(graph()))
    mnet("inspect", tmp_path / "m.tflite", "--board", "rp2040", code=2)
    mnet("inspect", tmp_path / "m.tflite", "--target", "tflm", "--board", "uno", code=2)
    said = capsys.readouterr().err
    assert "add --target tflm" in said
    assert "there is no board 'uno'; there are nucleo-l4r5zi" in said


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(4):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder


def build(place: Path) -> subprocess.CompletedProcess[str]:
    """Compile a bundle against the declarations of the wheel's library, and run its main function with that library."""
    library.write(place, library.NEW)
    sources = ("main.cc", "model.cc", "vectors.cc")
    subprocess.run(["g++", *FLAGS, *sources, "-o", "libfirmware.so"], cwd=place, check=True, timeout=300)
    return subprocess.run([sys.executable, "-c", MAIN], cwd=place, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.tflm
@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
def test_a_bundle_runs_in_the_interpreter_in_c(made, photos, tmp_path):
    app = tmp_path / "app"
    mnet("bundle", made[0].path, "--out", app, "--pictures", photos, "--for", "micro")
    assert (app / "model.tflite").read_bytes() == made[0].data
    done = build(app)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[-1] == "this model works here"
    assert sum("as expected; outputs differ by at most 0" in line for line in lines) == 3
    # Without the recorder of the wheel's interpreter it takes less, and 1 kB less is too little.
    header = (app / "model.h").read_text()
    need = made.sources[0].footprint.arena_bytes
    (app / "model.h").write_text(header.replace(f"kArenaBytes = {need};", f"kArenaBytes = {need - 1024};"))
    done = build(app)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        f"an arena of {need - 1024} bytes is too small here; give more in model.h",
    )


@pytest.mark.slow
@pytest.mark.tflm
@pytest.mark.usefixtures("tflm")
def test_every_operator_of_the_list_is_in_the_library():
    import tflite_micro

    found = ctypes.CDLL(str(Path(tflite_micro.__file__).parent / "python/tflite_micro/_runtime.so"))
    # Itanium C++ ABI: tflite::micro::Register_ADD()
    names = {kind: f"_ZN6tflite5micro{len(kind) + 9}Register_{kind}Ev" for kind in resolver.OPERATORS}
    assert [kind for kind, name in names.items() if not hasattr(found, name)] == []
    assert not hasattr(found, "_ZN6tflite5micro13Register_GELUEv")


@pytest.mark.slow
@pytest.mark.tflm
def test_predict_and_evaluate_run_it(made, photos, tmp_path, capsys):
    mnet("predict", made[0].path, photos, "--runtime", "tflm", "--json", tmp_path / "predict.json")
    answers = json.loads((tmp_path / "predict.json").read_text())
    assert {answer["runtime"] for answer in answers} == {"tflm"}
    for name in ("a", "b"):
        (photos / name).mkdir()
    for number, path in enumerate(sorted(photos.glob("*.png"))):
        path.rename(photos / "ab"[number % 2] / path.name)
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\n")
    words = ("--data", photos, "--labels", labels, "--runtime", "tflm", "--json", tmp_path / "scores.json")
    mnet("evaluate", made[0].path, *words)
    (record,) = json.loads((tmp_path / "scores.json").read_text())
    assert (record["runtime"], record["n"]) == ("tflm", 4)
    assert "same as litert" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.tflm
def test_recommend_takes_what_fits_a_board(made, tmp_path, capsys):
    path = made[0].path
    profile = Profile(
        **artifact.read(path).identity(),
        runtime="litert",
        runtime_version="1",
        threads=1,
        load_ms=1.0,
        first_ms=1.0,
        times_ns=(1_000_000,) * 10,
        round_sizes=(10,),
        host={"name": "local", "cpu": "Xeon", "machine": "x86_64", "before": {"load": 0.1}},
        conditions={},
    )
    records.write(tmp_path / "profile.json", [profile])
    mnet("recommend", tmp_path, "--board", "rp2040", code=3)
    assert "find out with: mnet inspect FILE.tflite --target tflm --json" in capsys.readouterr().err
    mnet("inspect", path, "--target", "tflm", "--json", tmp_path / "inspect.json")
    capsys.readouterr()
    mnet("recommend", tmp_path, "--board", "rp2040")
    said = capsys.readouterr().out
    assert "1 of 1 rows fit rp2040 (2.10 MB of flash, 270.3 kB of RAM)" in said
