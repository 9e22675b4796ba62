"""Building and exporting a whole grid: `mnet sweep` against the usual road, once for each model.

The usual road is that of bench_export.py (TFLiteConverter twice, model.export to ONNX, quantize_static), a process for
each model. It is timed on a sample of the grid, and the rest follows from a straight line through the sample, over the
models' MACs. Both are wall clock from the start of the first process to the end of the last, on the same cores, with as
many calibration images: for mnet files that it must decode, for the usual road arrays in memory.

    python scripts/bench_sweep.py --config configs/paper-grid.toml --images 100
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mobilenet_edge.model.layers import macs
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.quantise import synthetic
from mobilenet_edge.sweep import config

MARK = 8.0
SIDE = 256


def pictures(folder: Path, count: int) -> None:
    """Images to decode, of a usual size."""
    from PIL import Image

    for index, values in enumerate(synthetic.images(count, (SIDE, SIDE, 3))):
        Image.fromarray(np.asarray((values + 1) * 127.5, np.uint8)).save(folder / f"{index:04d}.jpg", quality=90)


def seconds(words: list[str]) -> float:
    """Wall clock of a process, which must not fail."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr.strip()[-500:]}")
    return time.perf_counter() - begin


def usual(spec: ModelSpec, images: int) -> float:
    """The usual road for one model, start to end."""
    script = Path(__file__).with_name("bench_export.py")
    return seconds(
        [str(script), "--road=usual", f"--alpha={spec.alpha}", f"--rho={spec.resolution}", f"--images={images}"]
    )


def sample_of(specs: list[ModelSpec]) -> list[ModelSpec]:
    """The smallest, the middle and the largest."""
    ordered = sorted(specs, key=macs)
    return [ordered[0], ordered[len(ordered) // 2], ordered[-1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/paper-grid.toml"))
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=None)
    options = parser.parse_args()
    specs = config.load_sweep(options.config).grid.specs()
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "data"), Path(folder, "out")
        data.mkdir()
        pictures(data, options.images)
        jobs = [] if options.jobs is None else [f"--jobs={options.jobs}"]
        text = options.config.read_text() + f'\n[calibration]\nsource = "{data}"\ncount = {options.images}\n'
        grid = Path(folder, "grid.toml")
        grid.write_text(text)
        words = ["-m", "mobilenet_edge", "sweep", str(grid), "--make-only", f"--out={out}", *jobs]
        ours = seconds(words)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        artifacts = sum(path.suffix in (".tflite", ".onnx") for path in out.iterdir())
        again = seconds(words)
    print(
        f"mnet sweep, {len(specs)} models, {artifacts} artifacts: {ours:.0f} s, largest process {peak:.0f} MB",
        flush=True,
    )
    print(f"the same again: {again:.1f} s", flush=True)
    sample = sample_of(specs)
    times = []
    for spec in sample:
        times.append(usual(spec, options.images))
        print(f"usual road, {spec.name}: {times[-1]:.1f} s", flush=True)
    slope, start = np.polyfit([macs(spec) for spec in sample], times, 1)
    theirs = sum(start + slope * macs(spec) for spec in specs)
    print(
        f"usual road, {len(specs)} models: {theirs:.0f} s, from a line through a sample of {len(sample)} "
        f"({start:.1f} s and {slope * 1e8:.1f} s for each 100 M MACs); "
        f"mnet is {theirs / ours:.1f}x faster (mark: {MARK:.0f}x)"
    )


if __name__ == "__main__":
    main()
