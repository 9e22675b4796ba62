"""Whether `mnet profile` can be trusted: beside its peers, beside itself, and how long it takes beyond what it times.

Everything takes turns within one run. Beside its peers: one file in `mnet profile`, in LiteRT's own `litert-benchmark`
(.tflite) or in a bare loop of onnxruntime (.onnx), each in a fresh process with as many runs; printed is the ratio of
medians. Beside itself: the distance of two calls of `mnet profile` that follow each other. Beyond: the wall time of
`mnet profile --runs 50 --seconds 0` without its steady runs, of this package or, with `--beside DIR`, of the one in a
checkout too, in turns. Start: a whole worker process that is asked for one timed inference.

    python scripts/bench_profile.py --repeats 9 --pairs 20
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.model.spec import ModelSpec

WARMUP = 20
WITHIN = 0.03
START_S = 0.6
BEYOND_S = 2.0
HERE = Path(__file__).parents[1]
BARE_LOOP = """
import statistics, sys, time
import numpy as np, onnxruntime
path, warmup, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
given = session.get_inputs()[0]
image = np.random.default_rng(0).uniform(-1, 1, given.shape).astype(np.float32)
times = []
for run in range(warmup + runs):
    start = time.perf_counter_ns()
    session.run(None, {given.name: image})
    times.append(time.perf_counter_ns() - start)
print(statistics.median(times[warmup:]) / 1e6)
"""


def call(words: list[str], checkout: Path = HERE) -> str:
    """The output of a process with the package of a checkout, which must not fail."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def mnet(path: Path, runs: int, *options: str) -> float:
    """Median of `mnet profile`, in ms."""
    words = ["profile", str(path), "--runs", str(runs), "--seconds", "0", "--json", "-", *options]
    return float(json.loads(call([sys.executable, "-m", "mobilenet_edge", *words]))[0]["median_ms"])


def litert_benchmark(path: Path, runs: int) -> float:
    """Median of LiteRT's own tool, in ms to two decimals."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        words = [f"--model={path}", f"--num_runs={runs}", f"--warmup_runs={WARMUP}", f"--result_json={result}"]
        call([sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", *words])
        return float(json.loads(result.read_text())["latency"]["median_ms"])


def bare_loop(path: Path, runs: int) -> float:
    """Median of onnxruntime in ten lines, in ms."""
    return float(call([sys.executable, "-c", BARE_LOOP, str(path), str(WARMUP), str(runs)]))


def peer_of(path: Path) -> Callable[[Path, int], float]:
    """What else measures a file."""
    return litert_benchmark if path.suffix == ".tflite" else bare_loop


def beside_peers(paths: list[Path], repeats: int, runs: int) -> dict[Path, list[tuple[float, float]]]:
    """(ours, the peer's) median of each file, in ms; the two swap their order at each repeat."""
    found: dict[Path, list[tuple[float, float]]] = {path: [] for path in paths}
    for repeat in range(repeats):
        for path in paths:
            measures = (partial(mnet, path, runs, "--rounds", "1"), partial(peer_of(path), path, runs))
            order = (0, 1) if repeat % 2 else (1, 0)
            medians = {index: measures[index]() for index in order}
            found[path].append((medians[0], medians[1]))
    return found


def beside_itself(paths: list[Path], pairs: int) -> dict[Path, list[float]]:
    """Relative distances of two calls with default options that follow each other."""
    found: dict[Path, list[float]] = {path: [] for path in paths}
    for _ in range(pairs):
        for path in paths:
            one, other = (
                float(
                    json.loads(call([sys.executable, "-m", "mobilenet_edge", "profile", str(path), "--json", "-"]))[0][
                        "median_ms"
                    ]
                )
                for _ in range(2)
            )
            found[path].append(abs(one / other - 1))
    return found


def beyond_steady(paths: list[Path], repeats: int, checkouts: list[Path]) -> dict[tuple[Path, Path], list[float]]:
    """Seconds of whole calls less those of their steady runs, by file and checkout; the order turns round each time."""
    found: dict[tuple[Path, Path], list[float]] = {(path, each): [] for path in paths for each in checkouts}
    for repeat in range(repeats):
        for path, checkout in list(found)[:: 1 if repeat % 2 else -1]:
            words = ["profile", str(path), "--runs", "50", "--seconds", "0", "--json", "-"]
            begin = time.perf_counter()
            (record,) = json.loads(call([sys.executable, "-m", "mobilenet_edge", *words], checkout))
            steady = record["conditions"]["usage"]["wall_ns"] / 1e9
            found[path, checkout].append(time.perf_counter() - begin - steady)
    return found


def start_seconds(path: Path, repeats: int) -> list[float]:
    """Seconds of whole workers that load a file, run it once, warm up once and time one inference."""
    request = {"mode": "time", "warmup": {"runs": 1}, "steady": {"runs": 1}}
    times = []
    with Local() as host:
        for _ in range(repeats):
            begin = time.perf_counter()
            host.run(request, {"artifact": path}, limit_seconds=60)
            times.append(time.perf_counter() - begin)
    return times


def make(folder: Path) -> list[Path]:
    """Both formats, float32 and int8, of alpha 0.5 at 160 pixels, with random weights."""
    model = creation.create(ModelSpec(0.5, 160), out=folder)
    return [made.path for made in export.run(model.path, calibrate=calibration.RANDOM, out=folder)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--beside", type=Path, help="another checkout of mnet, whose calls take turns with ours")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = make(Path(folder))
        print(f"median of mnet profile over its peer's, {options.repeats} times in turn, {options.runs} runs each")
        for path, pairs in beside_peers(paths, options.repeats, options.runs).items():
            ratios = sorted(ours / peers for ours, peers in pairs)
            middle = statistics.median(ratios)
            ours, peers = (statistics.median(each) for each in zip(*pairs, strict=True))
            good = "within 3 %" if abs(middle - 1) <= WITHIN else "NOT within 3 %"
            print(
                f"  {path.name}: {middle:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}), {ours:.2f} against {peers:.2f} ms "
                f"of {peer_of(path).__name__}: {good}"
            )
        print(f"distance of two calls of mnet profile, {options.pairs} pairs")
        for path, distances in beside_itself(paths, options.pairs).items():
            close = sum(each <= WITHIN for each in distances)
            print(
                f"  {path.name}: {close} of {len(distances)} within 3 %, median {statistics.median(distances):.1%}, "
                f"largest {max(distances):.1%}"
            )
        print(f"mnet profile --runs 50 beyond its steady runs, {options.repeats} times in turn (mark: {BEYOND_S} s)")
        checkouts = [HERE, *([options.beside.resolve()] if options.beside else [])]
        for (path, checkout), each in beyond_steady(paths, options.repeats, checkouts).items():
            print(f"  {path.name}, {checkout}: {statistics.median(each):.2f} s ({min(each):.2f} to {max(each):.2f})")
        print("worker, start to end, one timed inference")
        for path in paths:
            seconds = start_seconds(path, options.repeats)
            print(f"  {path.name}: {statistics.median(seconds):.2f} s (mark for LiteRT: {START_S} s)")


if __name__ == "__main__":
    main()
