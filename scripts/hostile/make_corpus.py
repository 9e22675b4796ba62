"""Write the corpus of damaged and hostile files into a folder, and what each may come to.

The same seed gives the same files. The tests and scripts/hostile/hardening.py make it for themselves and keep nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import islice
from pathlib import Path

from corpus import seeds
from corpus.all import FLIPPED, SEED, corpus


def main() -> None:
    """Export the sound files and write the damaged ones, with a list of them in `corpus.jsonl`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="DIR", help="where the files go; some gigabytes without --step")
    parser.add_argument(
        "--sound", type=Path, metavar="DIR", help="sound files that an earlier run left; else they are made"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--flipped", type=int, default=FLIPPED, help="files with flipped bits of each sound one")
    parser.add_argument("--step", type=int, default=1, help="write every so many-th file only")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        sound = options.sound or Path(name)
        if not any(sound.glob("*.keras")):
            seeds.make(sound)
        made = islice(corpus(seeds.load(sound), options.seed, options.flipped), None, None, options.step)
        with (options.out / "corpus.jsonl").open("w") as index:
            for number, case in enumerate(made):
                place = f"{number:05}{Path(case.name).suffix}"
                (options.out / place).write_bytes(case.data)
                about = {"file": place, "name": case.name, "category": case.category, "codes": sorted(case.codes)}
                index.write(json.dumps(about) + "\n")


if __name__ == "__main__":
    main()
