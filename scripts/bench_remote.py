"""Compare `mnet evaluate --host HOST` with the same evaluation on this machine, in turns.

    python scripts/bench_remote.py HOST MODEL PICTURES [--limit 200] [--rounds 3]

The ratio of the times matters; over loopback, both share the CPUs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from mobilenet_edge.evaluation.evaluate import evaluate
from mobilenet_edge.profiling import targets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", type=Path, help="file that describes the devices")
    options = parser.parse_args()
    places = {"here": None, options.host: targets.place(options.host, options.devices)}
    seconds: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(options.rounds):
        for name, place in places.items():
            start = time.perf_counter()
            evaluate([options.model], options.pictures, limit=options.limit, place=place)
            seconds[name].append(time.perf_counter() - start)
    for name, times in seconds.items():
        print(f"{name}: {statistics.median(times):.2f} s ({', '.join(f'{each:.2f}' for each in times)})")
    here, there = (statistics.median(times) for times in seconds.values())
    print(f"ratio: {there / here:.2f}")


if __name__ == "__main__":
    main()
