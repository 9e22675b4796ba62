"""The command line as a user meets it: exit codes, one line on stderr, results alone on stdout, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge import __version__, cli, errors
from mobilenet_edge.commands import plan
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import targets
from mobilenet_edge.profiling.machine import Machine

VERBS = (
    "plan", "build", "train", "export", "evaluate", "profile", "inspect", "table", "sweep", "compare", "setup-host",
    "doctor",
)  # fmt: skip
RHO = "--rho 32 --out out"
GRID = "[grid]\nalpha = [0.25]\nrho = [32]\n"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def mnet(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def mnet(*words: str) -> Ended:
        with pytest.raises(SystemExit) as stop:
            cli.main(words)
        captured = capsys.readouterr()
        return Ended(stop.value.code or 0, captured.out, captured.err)

    return mnet


@pytest.fixture
def refused(mnet: Callable[..., Ended], place: Path) -> Callable[..., str]:
    """Run what must fail; return its line, having checked that it is one and that no file came or went."""

    def refused(line: str, code: int) -> str:
        before = listed(place)
        ended = mnet(*line.split())
        assert ended.code == code, ended.err
        assert ended.out == ""
        assert ended.err.startswith("mnet: ")
        assert ended.err.count("\n") == 1
        assert listed(place) == before
        return ended.err

    return refused


def listed(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*")}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A tiny model in each format; the .keras has an architecture of nothing, which is all that reading it asks for."""
    from mobilenet_edge.formats.onnx import write as onnx
    from mobilenet_edge.formats.tflite import write as tflite

    folder = tmp_path_factory.mktemp("whole")
    random = np.random.default_rng(0)
    weight, bias = (np.asarray(random.normal(size=shape), np.float32) for shape in ((1, 1, 3, 4), (4,)))
    nodes = (
        Node("conv", "conv", ("image",), (8, 8, 4), weight, bias),
        Node("pool", "mean", ("conv",), (4,)),
        Node("predictions", "softmax", ("pool",), (4,)),
    )
    graph = Graph("tiny", "image", (8, 8, 3), nodes)
    about = Metadata("tiny", "float32", 4, graph.macs, graph.parameters, Preprocess((8, 8)), Weights("random", 0))
    with zipfile.ZipFile(folder / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": []}}))
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    made = {"tflite": tflite.float_tflite(graph), "onnx": onnx.float_onnx(graph)}
    for kind, data in (*made.items(), ("keras", (folder / "m.keras").read_bytes())):
        artifact.write(folder / f"m.{kind}", data, about)
    return {kind: (folder / f"m.{kind}").read_bytes() for kind in ("tflite", "onnx", "keras")}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, whole: dict[str, bytes]) -> Path:
    """Whole files and broken ones of every sort. Most tests see to it that they stay as they are."""
    folder = tmp_path_factory.mktemp("files")
    for kind, data in whole.items():
        (folder / f"m.{kind}").write_bytes(data)
        (folder / f"cut.{kind}").write_bytes(data[: len(data) // 2])
        (folder / f"text.{kind}").write_text("not a model\n")
        (folder / f"dir.{kind}").mkdir()
    (folder / "file").write_text("in the way\n")
    (folder / "empty").mkdir()
    (folder / "broken" / "cat").mkdir(parents=True)
    (folder / "broken" / "cat" / "a.jpg").write_bytes(b"no picture")
    (folder / "records.json").write_text('[{"schema_version": 1}]\n')
    (folder / "cut.json").write_text("[{")
    (folder / "good.toml").write_text(GRID)
    return folder


@pytest.fixture
def place(files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(files)
    return files


# Files

NO_MODEL = {
    "missing.{}": "cannot read missing.{}: no such file or directory; check the path",
    "dir.{}": "is a folder",
    "text.{}": "text.{} is not a whole .{} model: ",
    "cut.{}": "cut.{} is not a whole .{} model: ",
}


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        *(("inspect {}", kind) for kind in ("tflite", "onnx", "keras")),
        ("profile {}", "tflite"),
        ("evaluate {} --data broken", "onnx"),
        ("export {} --calibrate random --out out", "keras"),
    ],
)
@pytest.mark.parametrize(("name", "message"), NO_MODEL.items())
def test_what_is_no_model(kind: str, verb: str, name: str, message: str, refused: Callable[..., str]) -> None:
    line = refused(verb.format(name.format(kind)), 3)
    assert message.format(kind, kind) in line
    assert "; " in line  # the next step


@pytest.mark.parametrize("verb", ["inspect", "profile", "export --calibrate random --out out"])
def test_an_unreadable_file(
    verb: str, refused: Callable[..., str], whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests may run as root, whom no permission stops.
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "cannot read m.keras: permission denied; check its permissions" in refused(f"{verb} m.keras", 3)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("inspect file", 3, "file is not a model file mnet knows; it reads .tflite, .onnx, .keras and .h5"),
        ("profile m.keras", 3, "m.keras is a Keras model, which devices cannot run; first: mnet export m.keras"),
        (
            "export m.tflite --calibrate random --out out",
            2,
            "m.tflite is not a .keras or .h5 file; mnet exports Keras models",
        ),
        ("table missing.json", 3, "cannot read missing.json: no such file"),
        ("table cut.json", 3, "cut.json holds no records of mnet ("),
        ("table records.json", 3, "records.json holds no records of mnet (kind is missing); give a file"),
        ("table m.onnx", 3, "m.onnx holds no records of mnet ("),
        ("table empty", 3, "no profile and no evaluation in empty; measure with: mnet profile ARTIFACT --json FILE"),
    ],
)
def test_files_of_the_wrong_sort(line: str, code: int, message: str, refused: Callable[..., str]) -> None:
    assert message in refused(line, code)


# Options

BAD_OPTIONS = [
    *(
        (f"build --alpha {alpha} {RHO}", f"alpha must be above 0 and at most 2, got {alpha}; published: 0.25, 0.5")
        for alpha in ("0", "-1", "2.5", "nan", "inf")
    ),
    (f"build --alpha wide {RHO}", "invalid value for '--alpha': "),
    ("build --alpha 1 --rho 100", "rho must be a multiple of 32 from 32 to 1024, got 100: "),
    ("build --alpha 1 --rho 0", "nearest: 32"),
    ("build --alpha 1 --rho 4096", "nearest: 1024"),
    ("build --alpha 1 --rho big", "'big' is not a side in pixels such as 224 or 160; --rho takes pixels"),
    ("build --alpha 1 --rho 0.714", "--rho takes pixels; .714 of 224 is 160"),
    ("plan --rho 0.5", "--rho takes pixels; .5 of 224 is 128"),
    ("build --alpha 1", "missing option '--rho'; see mnet build --help"),
    (f"build --alpha 1 {RHO} --classes 0", "classes must be at least 1, got 0"),
    (f"build --alpha 1 {RHO} --seed -1", "--seed must be from 0 to 4294967295, got -1"),
    (
        f"build --alpha .25 {RHO} --weights imagenet",
        "no ImageNet weights were published for mobilenet_v1 of alpha 0.25 at rho 32; ",
    ),
    ("build --alpha .3 --rho 128 --weights imagenet", "there are alpha 0.25, 0.5, 0.75, 1 at rho 128, 160, 192, 224"),
    ("plan --alpha 0", "alpha must be above 0"),
    ("plan --rho 100", "nearest: 96 and 128"),
    ("plan --max-macs many", "'many' is not a count such as"),
    ("plan --max-size 1M", "'1M' is not a size such as"),
    ("plan --layers", "--layers explains one variant, not 16; give one --alpha and one --rho"),
    ("export m.keras --out out", "int8 needs calibration images: add --calibrate DIR, or --calibrate random "),
    ("export m.keras --precision int4", "'float16', 'dynamic', 'int8', 'mixed'; see mnet"),
    ("export m.keras --format tf", "'tf' is not one of 'tflite', 'onnx'; see mnet export --help"),
    ("export m.keras --calibrate random --count 0", "--count must be at least 1, got 0"),
    ("export m.keras --precision float32 --io int8", "--io int8 is about int8 files, and only float32 is asked for; "),
    ("profile m.tflite --threads 0", "--threads must be at least 1, got 0"),
    ("profile m.tflite --runs 0", "--runs must be at least 1, got 0"),
    ("profile m.tflite --rounds 0", "--rounds must be at least 1, got 0"),
    ("profile m.tflite --seconds nan", "--seconds must be 0 or more, got nan"),
    ("profile m.tflite --max-seconds 0", "--max-seconds must be above 0, got 0"),
    ("profile m.tflite --affinity -1", "--affinity -1: CPUs are counted from 0"),
    ("profile m.tflite --until 2", "'2' is not a percentage such as 2% or 0.5%"),
    ("profile m.tflite --until 100%", "--until must lie between 0% and 100%"),
    ("profile m.tflite --sustain 10", "'10' is not a duration such as 500ms, 30s, 10m or 1.5h"),
    ("profile m.tflite --sustain 1m --until 2%", "give one of them"),
    ("profile m.tflite --rate 5", "'5' is not a rate such as 5/s or 30/min"),
    ("profile m.tflite --cooldown 2", "'2' is not a duration such as"),
    ("profile m.tflite --delegate-option a=b", "--delegate-option needs a delegate; "),
    ("profile m.tflite --delegate x.so --delegate-option usb", "--delegate-option 'usb' is not KEY=VALUE"),
    ("profile m.tflite --host -oProxyCommand=x@y", "host cannot be '-oProxyCommand=x@y'; give it as ssh takes it"),
    ("compare records.json", "missing argument 'AFTER.json'; see mnet compare --help"),
    ("setup-host", "missing argument 'HOST'; see mnet setup-host --help"),
    ("profile m.tflite --runtime tensorrt", "'tensorrt' is not one of "),
    ("profile m.tflite --runtime onnxruntime", "onnxruntime does not open m.tflite; use litert or tflite-runtime"),
    ("profile", "missing argument 'ARTIFACT...'; see mnet profile --help"),
    ("evaluate m.tflite", "missing option '--data'; see mnet evaluate --help"),
    ("evaluate m.tflite --data broken --limit 0", "limit must be at least 1, got 0"),
    ("evaluate m.tflite --data broken --leave-out -1", "invalid value for '--leave-out': "),
    ("table records.json --format html", "'html' is not one of 'markdown', 'csv', 'json'"),
    ("plan --aplha 1", "no such option: --aplha; did you mean --alpha? See mnet plan --help"),
    ("plna", "no such command 'plna'; did you mean plan? See mnet --help"),
]


@pytest.mark.parametrize(("line", "message"), BAD_OPTIONS)
def test_options_that_cannot_be_met(line: str, message: str, refused: Callable[..., str]) -> None:
    assert message in refused(line, 2)


def test_unknown_weights(refused: Callable[..., str]) -> None:
    line = refused(f"build --alpha .25 {RHO} --weights imagnet", 3)
    assert "--weights imagnet: there is no such file; give random, imagenet or a file of weights" in line


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("missing", "missing is not a folder; give one that holds images"),
        ("file", "file is not a folder; give one that holds images"),
        ("empty", "empty holds no images; known suffixes: "),
    ],
)
@pytest.mark.parametrize(
    "verb", ["export m.keras --calibrate {} --out out", "evaluate m.tflite --data {}", "sweep good.toml --data {}"]
)
def test_folders_without_images(verb: str, folder: str, message: str, refused: Callable[..., str]) -> None:
    assert message in refused(verb.format(folder), 3)


# Places to write to

NO_PLACE = ("file/deeper", "/proc/mnet", "file")


@pytest.mark.parametrize("out", NO_PLACE)
@pytest.mark.parametrize(
    "verb",
    ["build --alpha .25 --rho 32 --out {}", "export m.keras --calibrate random --out {}", "sweep good.toml --out {}"],
)
def test_places_that_cannot_be_written(verb: str, out: str, refused: Callable[..., str]) -> None:
    line = refused(verb.format(out), 3)
    assert f"cannot write to {out}: " in line
    assert "; choose another place" in line


@pytest.mark.parametrize("verb", ["profile m.tflite", "evaluate m.tflite --data broken", "inspect m.tflite"])
def test_records_are_not_written_over_a_folder(
    verb: str, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not after a minute of measuring.
    monkeypatch.setattr(Local, "run", lambda *_, **__: pytest.fail("measured before the place was tried"))
    assert "cannot write empty: " in refused(f"{verb} --json empty", 3)
    assert "cannot write" in refused(f"{verb} --json file/records.json", 3)


def test_a_table_is_not_written_over_a_folder(mnet: Callable[..., Ended], place: Path) -> None:
    (place / "some").mkdir()
    mnet("inspect", "m.tflite", "--json", "some/inspection.json")
    assert mnet("table", "some", "--out", "empty").code == 3
    assert list((place / "empty").iterdir()) == []


# Configuration

CONFIGS = {
    "missing.toml": (None, "cannot read missing.toml: no such file"),
    "bad.toml": ("= 3\n", "bad.toml is not TOML: "),
    "key.toml": (
        "[grid]\nalhpa = [1.0]\nrho = [32]\n",
        "key.toml, line 2: unknown key 'grid.alhpa'; did you mean 'alpha'?",
    ),
    "type.toml": (
        "[grid]\nalpha = ['wide']\nrho = [32]\n",
        "type.toml, line 2: grid.alpha is 'wide'; it must be a number",
    ),
    "list.toml": ("[grid]\nalpha = []\nrho = [32]\n", "list.toml: grid.alpha is empty"),
    "zero.toml": ("[grid]\nalpha = [0]\nrho = [32]\n", "zero.toml: alpha must be above 0 and at most 2, got 0"),
    "grid.toml": ("[weights]\nseed = 1\n", "grid.toml: the file lacks grid; mnet init writes examples"),
    "runs.toml": (f"{GRID}[profile]\nruns = 0\n", "runs.toml: profile.runs must be at least 1, got 0"),
    "images.toml": (f"{GRID}[calibration]\nsource = 'gone'\n", "gone is not a folder; give one that holds images"),
    "labels.toml": (f"{GRID}[evaluate]\nlabels = 'gone.txt'\n", "cannot read gone.txt: no such file"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations_that_cannot_be_used(name: str, refused: Callable[..., str], place: Path) -> None:
    text, message = CONFIGS[name]
    if text is not None:
        (place / name).write_text(text)
    assert message in refused(f"sweep {name} --out out", 3)


# Ends


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object, **__: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(plan, "run", bug)
    with pytest.raises(ZeroDivisionError):
        cli.main(["plan"])


@pytest.mark.parametrize("kind", ["UsageError", "InputError", "BuildError", "HostError"])
def test_every_failure_has_its_code_and_one_line(
    kind: str, mnet: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise getattr(errors, kind)("the fact\n  and more; the next step")

    monkeypatch.setattr(plan, "run", fail)
    ended = mnet("plan")
    assert (ended.code, ended.err) == (getattr(errors, kind).exit_code, "mnet: the fact and more; the next step\n")


def test_an_interruption_is_130(mnet: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "run", interrupt)
    ended = mnet("plan")
    assert (ended.code, ended.out) == (130, "")
    # Typer's newer versions say nothing, which is enough for whoever pressed Ctrl-C.
    assert ended.err.strip() in ("", "mnet: interrupted")


@pytest.mark.slow
def test_a_crash_of_a_runtime_is_a_line(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = Local(command=(sys.executable, "-c", "import os; os.abort()"))
    monkeypatch.setattr(targets, "find", lambda *_: [Machine(crashing)])
    assert "the runtime crashed on m.tflite (signal 6, aborted): " in refused("profile m.tflite", 6)


# Results


def test_the_version(mnet: Callable[..., Ended]) -> None:
    assert mnet("--version") == Ended(0, f"mnet {__version__}\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_a_result(verb: str, mnet: Callable[..., Ended]) -> None:
    ended = mnet(verb, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"Usage: mnet {verb} " in ended.out


def test_json_to_stdout_is_nothing_but_json(mnet: Callable[..., Ended], place: Path) -> None:
    ended = mnet("inspect", "m.tflite", "m.onnx", "m.keras", "--json", "-")
    found = json.loads(ended.out)
    assert ended.err == ""
    assert [(each["artifact"], each["format"], each["kind"]) for each in found] == [
        (f"m.{kind}", kind, "inspection") for kind in ("tflite", "onnx", "keras")
    ]
    for each in found:
        assert sum(each["bytes"].values()) == each["size_bytes"] == (place / each["artifact"]).stat().st_size
        assert each["metadata"]["variant"] == "tiny"


def test_json_to_a_file_leaves_the_text_on_stdout(mnet: Callable[..., Ended], place: Path) -> None:
    text = mnet("inspect", "m.tflite").out
    assert mnet("inspect", "m.tflite", "--json", "new/folder/records.json").out == text
    assert json.loads((place / "new/folder/records.json").read_text())[0]["artifact"] == "m.tflite"


@pytest.mark.slow
def test_more_threads_than_cores_are_doubted_not_refused(mnet: Callable[..., Ended], place: Path) -> None:
    line = "profile m.tflite --threads 64 --runs 5 --rounds 1 --seconds 0 --json -"
    ended = mnet(*line.split())
    (found,) = json.loads(ended.out)
    assert (ended.code, ended.err, found["threads"]) == (0, "", 64)
    assert ("too-many-threads", 64) in {(doubt["code"], doubt.get("threads")) for doubt in found["doubts"]}


# Whole processes


def process(line: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "mobilenet_edge", *line.split()]
    return subprocess.run(words, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": False, **options})


@pytest.fixture
def broken_pipe() -> Iterator[int]:
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["plan", "--help", "plan --layers --alpha .5 --rho 160"])
def test_a_reader_that_goes_away_is_no_fault(line: str, broken_pipe: int) -> None:
    assert process(line, stdout=broken_pipe).stderr == b""


@pytest.mark.slow
def test_a_real_process_says_its_line_and_its_code(tmp_path: Path) -> None:
    ended = process("inspect missing.onnx", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert ended.stderr == b"mnet: cannot read missing.onnx: no such file or directory; check the path\n"


def said(err: bytes) -> list[bytes]:
    """Lines on stderr but for those of progress, which only a slow machine shows."""
    return [line for line in err.splitlines() if not line.startswith((b"build ", b"export "))]


@pytest.mark.slow
def test_build_and_export_say_no_more_than_they_must_where_there_is_no_terminal(tmp_path: Path) -> None:
    """TensorFlow logs from native code: only a process of its own shows what a user would see."""
    built = process("build --alpha .25 --rho 32 --classes 3 --out .", cwd=tmp_path)
    assert (built.returncode, said(built.stderr)) == (0, [])
    assert built.stdout == b"mobilenet_v1-a0.25-r32-c3.keras\n"
    exported = process("export mobilenet_v1-a0.25-r32-c3.keras --calibrate random --count 4 --out .", cwd=tmp_path)
    assert exported.returncode == 0
    # How pixels become the input is always said, and nothing else.
    (line,) = said(exported.stderr)
    assert line.startswith(b"pixels: 32 x 32 px ")
    assert exported.stdout.count(b"mobilenet_v1-a0.25-r32-c3.") == 4
    assert b"synthetic calibration; accuracy unknown" in exported.stdout


@pytest.mark.slow
def test_a_bar_is_drawn_on_a_terminal_and_on_stderr_only(place: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    terminal = {**os.environ, "TERM": "xterm"}
    drawn = bytearray()
    # A terminal that nobody reads fills up, and stops whoever draws on it.
    reader = threading.Thread(target=_drain, args=(leader, drawn))
    reader.start()
    line = "profile m.tflite --runs 5 --seconds 0 --no-limit --json -"
    ended = process(line, stderr=follower, cwd=place, env=terminal)
    os.close(follower)
    reader.join(timeout=300)
    os.close(leader)
    assert ended.returncode == 0
    assert b"profile" in drawn
    assert json.loads(ended.stdout)[0]["artifact"] == "m.tflite"


def _drain(terminal: int, into: bytearray) -> None:
    # The end of a terminal whose other side is closed is an error, not an end of file.
    with suppress(OSError):
        while data := os.read(terminal, 1 << 16):
            into += data
