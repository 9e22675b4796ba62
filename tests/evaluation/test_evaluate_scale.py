"""`mnet evaluate` in several processes and on a Dask cluster: the same figures, whatever happens to a process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.cli import main
from mobilenet_edge.errors import HostError, InputError
from mobilenet_edge.evaluation import chunk, evaluate, scoring
from mobilenet_edge.records import Evaluation
from mobilenet_edge.workers import cluster as cluster_module
from tests.workers.dask_cluster import running

pytestmark = pytest.mark.slow

CLASSES = 10
# Decoding "b/7.png" ends the process, the first time in all processes together, or every time.
KILLER = """
import os, signal
from pathlib import Path

if "MNET_TEST_KILLS" in os.environ:
    from mobilenet_edge.data import images

    decode = images.decode

    def deadly(path, data=None):
        mark = Path(os.environ["MNET_TEST_KILLS"])
        if path.as_posix().endswith("b/7.png") and not (mark.exists() and mark.read_text() == "once"):
            mark.write_text(mark.read_text() if mark.exists() else "once")
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(path, data)

    images.decode = deadly
"""


def random_model(path: Path, seed: int) -> Path:
    """A classifier of random weights: every image has its own answer, so one that is counted twice or missed shows."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(seed).normal(size=(8 * 8 * 3, CLASSES)).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["scores"])]
    graph = helper.make_graph(
        nodes,
        "random",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 8, 8, 3))],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, CLASSES))],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten classes of eleven random images each, two of which are broken; three models."""
    place = tmp_path_factory.mktemp("scale")
    noise = np.random.default_rng(0)
    for name in "abcdefghij":
        (place / "images" / name).mkdir(parents=True)
        for number in range(11):
            pixels = noise.integers(0, 256, (9, 12, 3), np.uint8)
            Image.fromarray(pixels).save(place / "images" / name / f"{number}.png")
    (place / "images" / "c" / "3.png").write_bytes(b"broken")
    (place / "images" / "j" / "9.png").write_bytes(b"")
    (place / "labels.txt").write_text("\n".join("abcdefghij"))
    for seed in range(3):
        random_model(place / f"{seed}.onnx", seed)
    return place


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and groups so small that there are many: 110 images are sixteen chunks, three models two groups."""
    monkeypatch.setattr(scoring, "CHUNK", 7)
    monkeypatch.setattr(scoring, "AT_ONCE", 2)


def score(folder: Path, **options: object) -> list[Evaluation]:
    models = [folder / f"{seed}.onnx" for seed in range(3)]
    return evaluate.evaluate(models, folder, reference=models[0], **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[Evaluation]:
    """What one process says that is asked for everything at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "CHUNK", 1000)
        return score(folder, jobs=1)


def test_figures_are_those_of_numpy(folder, expected):
    # The same product by hand: crop 0.875 of 9 pixels to 8, scaled to -1..1.
    from mobilenet_edge.data import images, prepare
    from mobilenet_edge.data.preprocess import Preprocess

    names = [name for name in images.names(folder / "images") if name not in {"c/3.png", "j/9.png"}]
    inputs = [prepare.prepare(images.decode(folder / "images" / n), Preprocess((8, 8))).ravel() for n in names]
    first = []
    for seed, record in enumerate(expected):
        weights = np.random.default_rng(seed).normal(size=(192, CLASSES)).astype(np.float32)
        best = np.argsort(-(np.stack(inputs) @ weights), axis=1)[:, :5]
        truth = np.array(["abcdefghij".index(name[0]) for name in names])
        first.append(best[:, 0])
        assert record.n == 108
        assert record.top1 == np.mean(best[:, 0] == truth)
        assert record.top5 == np.mean((best == truth[:, None]).any(axis=1))
        assert record.agreement == np.mean(first[seed] == first[0])
        assert record.unreadable == ("c/3.png", "j/9.png")


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_any_number_of_processes_gives_the_same(folder, expected, jobs):
    assert score(folder, jobs=jobs) == expected


@pytest.fixture
def killer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that notes the kill; with "always" in it there is no end of kills."""
    (tmp_path / "sitecustomize.py").write_text(KILLER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("MNET_TEST_KILLS", str(tmp_path / "killed"))
    return tmp_path / "killed"


def test_a_process_killed_in_the_middle_changes_nothing(folder, expected, killer):
    assert score(folder, jobs=2) == expected
    assert killer.read_text() == "once"


def test_images_that_end_every_process_are_named(folder, killer):
    killer.write_text("always")
    # Eleven of a and then b/0, b/1, b/10, b/2, b/3: chunks of seven begin at 0, 7, 14.
    with pytest.raises(HostError, match=r"images b/\S+ to b/\S+: its process ended twice"):
        score(folder, jobs=2)


def test_memory_does_not_grow_with_the_number_of_images(tmp_path, folder):
    """The whole of `mnet evaluate` on 500 and on 2000 images, by the peak of its own process and of the largest child.

    2000 inputs of 128 x 128 as float32 would be 393 MB; decoded, 98 MB. What may grow are names and counts: below 1 kB
    an image, 1.5 MB. The rest is the allocator's.
    """
    import subprocess
    import sys

    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mobilenet_edge.evaluation import evaluate\n"
        "evaluate.evaluate([Path(sys.argv[1])], Path(sys.argv[2]), jobs=1)\n"
        # getrusage of the process itself would begin with what pytest took when it was forked.
        "print(*(line.split()[1] for line in Path('/proc/self/status').open() if line.startswith('VmHWM:')))\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    peaks = []
    for many in (500, 2000):
        data = tmp_path / str(many)
        for name in "abcdefghij":
            (data / name).mkdir(parents=True)
            for number in range(many // 10):
                os.link(pixels(tmp_path), data / name / f"{number}.png")
        words = [sys.executable, "-c", code, str(folder / "0.onnx"), str(data)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
        peaks.append([int(line) * 1024 for line in done.stdout.split()])
    assert all(after - before < 15_000_000 for before, after in zip(*peaks, strict=True)), peaks


def pixels(folder: Path) -> Path:
    path = folder / "128.png"
    if not path.exists():
        Image.fromarray(np.random.default_rng(1).integers(0, 256, (128, 128, 3), np.uint8)).save(path)
    return path


# On a Dask cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Three workers, and the file whose "once" keeps them from being killed."""
    place = tmp_path_factory.mktemp("cluster")
    (place / "sitecustomize.py").write_text(KILLER)
    (place / "killed").write_text("once")
    with running(place, 3, MNET_TEST_KILLS=str(place / "killed")) as address:
        yield address, place / "killed"


@pytest.mark.cluster
def test_a_cluster_that_sees_the_files_gives_the_same(folder, expected, cluster):
    assert score(folder, dask=cluster[0]) == expected


@pytest.mark.cluster
def test_a_worker_of_a_cluster_killed_in_the_middle_changes_nothing(folder, expected, cluster):
    address, killed = cluster
    killed.unlink()
    assert score(folder, dask=address) == expected
    assert killed.read_text() == "once"


@pytest.mark.cluster
@pytest.mark.parametrize("hidden", ["models", "images", "both"])
def test_a_cluster_that_does_not_see_the_files_gets_their_bytes(folder, expected, cluster, hidden, monkeypatch):
    asked = watch(monkeypatch)
    real = os.path.abspath

    def elsewhere(path: Path) -> str:
        own = real(path)
        hide = (hidden != "images" and own.endswith(".onnx")) or (hidden != "models" and own.endswith("images"))
        return own.replace(str(folder), "/nowhere") if hide else own

    # The paths that the workers are told are of no machine; the bytes are read here, by the true ones.
    monkeypatch.setattr(scoring, "_abroad", elsewhere)
    assert score(folder, dask=cluster[0]) == expected
    assert {"files" in each for each in asked} == {hidden != "images", False}
    assert {"images" in each for each in asked} == {hidden != "models", False}


def watch(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    asked: list[dict[str, object]] = []
    request = scoring._Asking._request

    def note(self, question):
        asked.append(request(self, question))
        return asked[-1]

    monkeypatch.setattr(scoring._Asking, "_request", note)
    return asked


def test_other_images_under_the_same_path_are_not_taken_for_ours(folder, tmp_path):
    copy = tmp_path / "images"
    shutil.copytree(folder / "images", copy)
    names = ["a/1.png", "a/2.png"]
    sizes = chunk.sizes(copy, names)
    (copy / "a" / "2.png").write_bytes(b"another picture")
    request = {"folder": str(copy), "names": names, "sizes": sizes}
    assert chunk.answer(request) == {"lacks": "images"}


@pytest.mark.cluster
def test_images_that_no_worker_can_read_are_told_as_here(folder, cluster, tmp_path):
    (tmp_path / "m.onnx").write_bytes((folder / "0.onnx").read_bytes())
    for image in (shutil.copytree(folder / "images", tmp_path / "images")).rglob("*.png"):
        image.write_bytes(b"broken")
    (tmp_path / "labels.txt").write_text("\n".join("abcdefghij"))
    with pytest.raises(InputError, match=r"none of 110 image files can be read; the first: cannot read .*a/0\.png"):
        evaluate.evaluate([tmp_path / "m.onnx"], tmp_path, dask=cluster[0])


@pytest.mark.cluster
def test_a_cluster_that_is_not_there_is_one_line_and_exit_code_6(folder, monkeypatch, capsys):
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(folder / "0.onnx"), "--data", str(folder), "--dask", "tcp://127.0.0.1:1"])
    assert ended.value.code == 6
    assert capsys.readouterr().err.startswith("mnet: no Dask scheduler answers at tcp://127.0.0.1:1; start one")
