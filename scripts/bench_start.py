"""What `mnet` costs before and beside its work, where TensorFlow cannot be imported: whole processes, start to end.

Prints `mnet --help` and `mnet plan` beside a bare interpreter, and how much longer `mnet profile --runs 50` of a small
model takes than the steady runs that it was asked for.

    python scripts/bench_start.py --runs 10
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
from pathlib import Path

import numpy as np

# Python runs a sitecustomize at its start; workers inherit the path to it.
BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
"""
TARGETS_S = {"--help": 0.3, "plan": 0.4, "profile": 2.0}


def timed(words: list[str], env: dict[str, str]) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr.strip()}")
    return seconds, done.stdout


def small_model(path: Path) -> None:
    """A model whose inference is nothing beside the start of its worker."""
    from mobilenet_edge.formats.tflite import write as tflite
    from mobilenet_edge.graph import Graph, Node

    weight, bias = np.ones((3, 3, 3, 8), np.float32), np.zeros(8, np.float32)
    node = Node("conv", "conv", ("image",), (30, 30, 8), weight, bias)
    path.write_bytes(tflite.float_tflite(Graph("small", "image", (32, 32, 3), (node,))))


def beside(path: Path, runs: int, env: dict[str, str]) -> tuple[float, float]:
    """Seconds of `mnet profile --runs 50` beyond its steady runs, and of these."""
    words = ["-m", "mobilenet_edge", "profile", str(path), "--runs", str(runs), "--json", "-"]
    seconds, out = timed(words, env)
    steady = sum(json.loads(out)[0]["times_ns"]) / 1e9
    return seconds - steady, steady


def verdict(name: str, seconds: float) -> str:
    target = TARGETS_S[name]
    return f"{seconds:6.3f} s  (target {target:g} s: {'met' if seconds < target else 'MISSED'})"


def main() -> None:
    """Measure in turn, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="processes of each kind (default 10)")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(BLOCK)
        small_model(folder / "small.tflite")
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([name, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
        if "blocked" not in timed(["-c", "try: import tensorflow\nexcept ImportError as error: print(error)"], env)[1]:
            sys.exit("TensorFlow could still be imported; the figures would not be those of a small device")
        commands = {"python": ["-c", "pass"], **{verb: ["-m", "mobilenet_edge", verb] for verb in ("--help", "plan")}}
        for words in commands.values():
            timed(words, env)  # the first start reads from the disk
        figures: dict[str, list[float]] = {verb: [] for verb in commands}
        for _ in range(options.runs):
            for verb, words in commands.items():
                figures[verb].append(timed(words, env)[0])
        profiles = [beside(folder / "small.tflite", 50, env) for _ in range(max(1, options.runs // 3))]
    bare = statistics.median(figures["python"])
    print(f"bare interpreter           {bare:6.3f} s")
    for verb in ("--help", "plan"):
        print(f"mnet {verb:21} {verdict(verb, statistics.median(figures[verb]))}")
    overhead, steady = (statistics.median(each) for each in zip(*profiles, strict=True))
    print(f"mnet profile --runs 50     {verdict('profile', overhead)} beyond {steady:.3f} s of steady runs")


if __name__ == "__main__":
    main()
