"""How far latencies predicted from a few models are from measurements of the others.

Exports the sixteen published variants with random weights, float32 and int8, TFLite and ONNX; profiles all of them,
interleaved, with one thread; then hides all but the few that `mnet sweep --measure` would choose, predicts the others
from these, and compares. How idle the machine was is measured, too: what two halves of the rounds differ by, than which
no prediction can come closer.

    python scripts/bench_predict.py --measure 6
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from statistics import median

from mobilenet_edge import records
from mobilenet_edge.analysis import predict
from mobilenet_edge.analysis.forecast import Query, forecast
from mobilenet_edge.errors import MnetError
from mobilenet_edge.model.spec import PUBLISHED_ALPHAS, PUBLISHED_RESOLUTIONS, ModelSpec
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Prediction, Profile
from mobilenet_edge.report.hardware import describe
from mobilenet_edge.report.markdown_table import Column, grid

SPECS = [ModelSpec(alpha, rho) for alpha in PUBLISHED_ALPHAS for rho in PUBLISHED_RESOLUTIONS]
SORTS = [(form, precision) for form in ("tflite", "onnx") for precision in ("float32", "int8")]


@dataclass(frozen=True)
class Check:
    """A prediction beside the measurement that it did not see."""

    guess: Prediction
    truth: Profile

    @property
    def error(self) -> float:
        """Relative to what was measured."""
        return abs(self.guess.predicted_ms / self.truth.median_ms - 1)

    @property
    def held(self) -> bool:
        """Whether the interval holds what was measured."""
        return self.guess.low_ms <= self.truth.median_ms <= self.guess.high_ms

    @property
    def width(self) -> float:
        """Half of the interval."""
        return (self.guess.high_ms - self.guess.low_ms) / 2 / self.guess.predicted_ms

    @property
    def noise(self) -> float:
        """What the odd rounds' median and that of the even ones differ by."""
        odd, even = (median(chain.from_iterable(self.truth.rounds[first::2])) for first in (0, 1))
        return abs(odd / even - 1)


def export(out: Path) -> list[Path]:
    """Build and export the grid; return the artifacts."""
    text = f"[grid]\nalpha = {json.dumps(PUBLISHED_ALPHAS)}\nrho = {json.dumps(PUBLISHED_RESOLUTIONS)}\n"
    (out / "grid.toml").write_text(text)
    words = ["sweep", str(out / "grid.toml"), "--make-only", "--out", str(out)]
    done = subprocess.run([sys.executable, "-m", "mobilenet_edge", *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return sorted(path for path in out.iterdir() if path.suffix in (".tflite", ".onnx"))


def measure(paths: Sequence[Path], options: argparse.Namespace) -> list[Profile]:
    """Profile all of them, interleaved."""
    plan = Plan(runs=options.rounds, seconds=options.seconds, rounds=options.rounds, limit=False)
    made = latency.profile(paths, plan)
    return [each for each in made if isinstance(each, Profile)]


def checks(profiles: Sequence[Profile], count: int) -> Iterator[Check]:
    """Hide all but `count` models of each sort and predict them."""
    chosen = {SPECS[index].name for index in predict.choose(SPECS, count)}
    shown = [each for each in profiles if each.variant in chosen]
    hidden = [each for each in profiles if each.variant not in chosen]
    names = [each.name for each in fields(records.ArtifactRecord)]
    wanted = [Query({name: getattr(each, name) for name in names}, "local", each.threads) for each in hidden]
    for truth, guess in zip(hidden, forecast(shown, wanted), strict=True):
        if isinstance(guess, str):
            sys.exit(f"{truth.artifact}: {guess}")
        yield Check(guess, truth)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    return sorted(values)[max(0, -(-len(values) * round(100 * share) // 100) - 1)]


def table(found: Sequence[Check]) -> str:
    """A row for each format and precision, and one for all."""
    titles = ("models", "median error", "90 % within", "largest", "interval", "held", "noise")
    columns = [Column("sort", words=True), *(Column(title) for title in titles)]
    groups = {
        f"{form} {precision}": [
            each for each in found if (each.truth.format, each.truth.precision) == (form, precision)
        ]
        for form, precision in SORTS
    }
    return grid(columns, [_cells(name, group) for name, group in {**groups, "all": list(found)}.items() if group])


def _cells(name: str, group: Sequence[Check]) -> list[str]:
    errors = [each.error for each in group]
    return [
        name,
        str(len(group)),
        f"{median(errors):.1%}",
        f"{percentile(errors, 0.9):.1%}",
        f"{max(errors):.1%}",
        f"±{median(each.width for each in group):.0%}",
        f"{sum(each.held for each in group)} of {len(group)}",
        f"{median(each.noise for each in group):.1%}",
    ]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=int, default=6, help="models that are not hidden (default 6)")
    parser.add_argument("--rounds", type=int, default=4, help="fresh processes for each artifact (default 4)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of steady runs an artifact (default 1)")
    parser.add_argument("--artifacts", type=Path, metavar="DIR", help="of an earlier run, instead of exporting them")
    parser.add_argument("--records", type=Path, metavar="FILE", help="write the profiles, or read them if it is there")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2: what they differ by is the noise")
    return options


def profiles(options: argparse.Namespace) -> list[Profile]:
    """Measure, or read what was measured before."""
    if options.records and options.records.exists():
        return [each for each in records.read(options.records) if isinstance(each, Profile)]
    with tempfile.TemporaryDirectory() as name:
        folder = options.artifacts or Path(name)
        kept = sorted(each for each in folder.iterdir() if each.suffix in (".tflite", ".onnx"))
        made = measure(kept or export(folder), options)
    if options.records:
        records.write(options.records, made)
    return made


def main() -> None:
    options = parse()
    try:
        made = profiles(options)
        found = list(checks(made, options.measure))
    except MnetError as error:
        sys.exit(f"bench_predict: {error}")
    print(table(found))
    print(f"\nmeasured: {', '.join(SPECS[index].name for index in predict.choose(SPECS, options.measure))}")
    print("interval: half of it, median; held: how many intervals hold what was measured")
    print("noise: what two halves of the rounds differ by, median: no prediction can be closer")
    print(describe(made[0]))


if __name__ == "__main__":
    main()
