"""Follow the README as a newcomer, and write docs/transcript.md: what was typed, what was shown, and how long it took.

The wheel of this checkout is installed into a new environment; the commands run with an empty home on a terminal of 80
columns. The pictures are those of a folder of class folders, a quarter of which is kept for scoring.

    python scripts/transcript.py pets/
    python scripts/transcript.py pets/ --weights mobilenet_2_5_128_tf.h5   # where Keras's weights cannot be downloaded
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from mobilenet_edge import files

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "transcript.md"
WIDTH, HEIGHT = 80, 40
NAME = "mobilenet_v1-a0.25-r128-c{classes}"
COMMANDS = (
    "mnet",
    "mnet plan --alpha 0.25 --rho 128 --classes {classes}",
    "mnet train pictures --alpha 0.25 --rho 128 --out models",
    "mnet export models/{name}.keras --calibrate pictures --out models",
    "mnet evaluate models --data pictures --json accuracy.json",
    "mnet profile models --json latency.json",
    "mnet recommend accuracy.json latency.json --max-size 1MB",
    "mnet report accuracy.json latency.json --out report",
    "mnet bundle models/{name}.int8.tflite --out app --pictures pictures",
    "mnet init models/{name}.int8.tflite",
    "mnet check",
)
# What a colour or a moving bar is made of.
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="a folder of class folders")
    parser.add_argument(
        "--weights", type=Path, help="a file of Keras's ImageNet weights, put where Keras keeps its own"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seconds = install(place)
        if options.weights:
            (place / "home" / ".keras" / "models").mkdir(parents=True)
            shutil.copy(options.weights, place / "home" / ".keras" / "models")
        arrange(options.pictures, place / "work" / "pictures")
        classes = sum(path.is_dir() for path in options.pictures.iterdir())
        parts = [f"pip install 'mobilenet-edge[build,report]'    # the wheel of this version: {seconds:.0f} s\n"]
        for command in COMMANDS:
            line = command.format(classes=classes, name=NAME.format(classes=classes))
            code, shown, seconds = run(line, place)
            parts.append(f"$ {line}    # {seconds:.1f} s{f', exit code {code}' if code else ''}\n{shown}")
    files.write_text(PAGE, page(parts))
    return 0


def arrange(pictures: Path, place: Path) -> None:
    """Copy class folders into train/ and test/, which gets every fourth picture."""
    for folder in filter(Path.is_dir, sorted(pictures.iterdir())):
        for number, picture in enumerate(sorted(folder.iterdir())):
            target = place / ("train" if number % 4 else "test") / folder.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, target)


def install(place: Path) -> float:
    """Install the wheel of this checkout into a new environment; return the seconds."""
    (place / "home").mkdir()
    (place / "work").mkdir()
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", place / "dist"], cwd=ROOT, check=True)
    pins = re.findall(r"^([a-z0-9-]+==[^\\\n]+)", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE)
    (place / "pins.txt").write_text("\n".join(pins))
    (wheel,) = (place / "dist").glob("*.whl")
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    command = [
        place / "venv/bin/pip",
        "install",
        "--quiet",
        "--constraint",
        place / "pins.txt",
        f"{wheel}[build,report]",
    ]
    subprocess.run(command, check=True)
    return time.monotonic() - started


def run(line: str, place: Path) -> tuple[int, str, float]:
    """Run a command on a terminal of its own; return its exit code, what the terminal shows at the end, and seconds."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = {
        "PATH": f"{place}/venv/bin:/usr/bin:/bin",
        "HOME": f"{place}/home",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
    }
    started = time.monotonic()
    process = subprocess.Popen(
        line.split(), cwd=place / "work", env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            shown += chunk
    except OSError:
        pass  # the terminal is closed when the command ends
    os.close(ours)
    code = process.wait()
    return code, tidy(shown.decode(errors="replace")), time.monotonic() - started


def tidy(shown: str) -> str:
    """Leave what a terminal shows at the end: of each line the last that was written over it."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in ESCAPE.sub("", shown).split("\n")]
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def page(parts: list[str]) -> str:
    head = (
        "# The first minutes\n\nWhat a newcomer types and sees: a wheel in a new environment, an empty home, and "
        f"a terminal of {WIDTH} columns. `scripts/transcript.py` wrote this page.\n"
    )
    return "\n".join([head, *(f"```text\n{part.rstrip()}\n```\n" for part in parts)]).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())
