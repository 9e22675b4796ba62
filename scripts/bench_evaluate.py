"""What one core does in `mnet evaluate`: images a second for decoding, for each of four .tflite files and for all four.

A chunk of real images is put to the models by the code of a worker process, which is held to one core with the models;
decoding alone, each model and all at once take turns. Wall time is what one waits, CPU time what it costs where other
programs run, too. Then the memory of each process, and `mnet evaluate` as a whole with one job and with two.

    MNET_DATA=DIR python scripts/bench_evaluate.py --rounds 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mobilenet_edge import cpus
from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.evaluation import chunk, evaluate
from mobilenet_edge.formats import artifact
from mobilenet_edge.model.spec import ModelSpec

SPECS = (ModelSpec(0.25, 128), ModelSpec(0.5, 160))
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunk", type=int, default=100, help="images a turn")
    options = parser.parse_args()
    folder = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"skipped: no images at {folder}; set MNET_DATA")
    with tempfile.TemporaryDirectory() as place:
        paths = make(Path(place))
        print(
            f"{len(cpus.available())} cores, load {os.getloadavg()[0]:.1f}, {options.rounds} x {options.chunk} images"
        )
        one_core(paths, folder / "images", options.rounds, options.chunk)
        whole(paths, folder, options.rounds)


def make(place: Path) -> list[Path]:
    """Float32 and int8 .tflite files with random weights, which take as long as any."""
    # In processes of their own, since the memory of this one is measured.
    for spec in SPECS:
        mnet("build", "--alpha", str(spec.alpha), "--rho", str(spec.resolution), "--out", str(place))
        model = str(place / f"{spec.name}.keras")
        kinds = ("--format", "tflite", "--precision", "float32", "--precision", "int8")
        mnet("export", model, *kinds, "--calibrate", "random", "--out", str(place))
    return [place / f"{spec.name}.{precision}.tflite" for spec in SPECS for precision in ("float32", "int8")]


def mnet(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "mobilenet_edge", *words], check=True, stdout=subprocess.DEVNULL)


def one_core(paths: list[Path], folder: Path, rounds: int, many: int) -> None:
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    names = images.spread(images.names(folder), many)
    rules = {spec.resolution: Preprocess((spec.resolution, spec.resolution)) for spec in SPECS}
    work: dict[str, Callable[[], object]] = {"decoding alone": lambda: [images.decode(folder / name) for name in names]}
    for side, rule in rules.items():
        work[f"decoding, then fitting to {side}"] = lambda rule=rule: [
            prepare.fit(images.decode(folder / name), rule) for name in names
        ]
    # Made before anything is timed, since a request of the command reads no model either.
    asked = {path.name: request([path], folder, names) for path in paths} | {"all four": request(paths, folder, names)}
    for name, question in asked.items():
        work[name] = lambda question=question: chunk.answer(question)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            if name in asked:
                chunk.answer({**asked[name], "names": []})  # open it
            began, used = time.perf_counter(), cpu_seconds()
            run()
            took[name].append((time.perf_counter() - began, cpu_seconds() - used))
    print("\n| one core | images/s, wall | CPU ms an image |\n|---|---:|---:|")
    for name, times in took.items():
        wall, cpu = (statistics.median(each) for each in zip(*times, strict=True))
        print(f"| {name} | {many / wall:.0f} | {cpu / many * 1e3:.2f} |")
    print("\n| process | peak memory, MB |\n|---|---:|")
    for pid in [os.getpid(), *children()]:
        print(f"| {'reader' if pid == os.getpid() else 'model'} | {peak_bytes(pid) / 1e6:.0f} |")
    chunk.IDLE.close()
    os.sched_setaffinity(0, everywhere)


def request(paths: list[Path], folder: Path, names: list[str]) -> dict[str, object]:
    return {
        "models": [str(path) for path in paths],
        "digests": [artifact.read(path).sha256 for path in paths],
        "threads": 1,
        "folder": str(folder),
        "names": names,
    }


def whole(paths: list[Path], data: Path, rounds: int) -> None:
    """`mnet evaluate` of all four from start to end, the jobs taking turns."""
    took: dict[int, list[float]] = {jobs: [] for jobs in range(1, len(cpus.available()) + 1)}
    many = len(images.names(data / "images"))
    for _ in range(rounds):
        for jobs, times in took.items():
            began = time.perf_counter()
            evaluate.evaluate(paths, data, jobs=jobs)
            times.append(time.perf_counter() - began)
    print(f"\n| all four, {many} images | s | images/s |\n|---|---:|---:|")
    for jobs, times in took.items():
        seconds = statistics.median(times)
        print(f"| --jobs {jobs} | {seconds:.1f} | {many / seconds:.0f} |")


def children() -> list[int]:
    return [int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


def cpu_seconds() -> float:
    """User and system time of this process and of the models' up to now."""
    total = time.process_time()
    for pid in children():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def peak_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
