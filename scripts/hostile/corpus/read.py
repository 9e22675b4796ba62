"""Read a part of the corpus in this process, with bounded memory and time: `python -m corpus.read SEEDS FIRST STEP`.

Each file gives one line of JSON on stdout, before it is read and after: a line without an answer is the file that the
process died of.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from corpus.all import corpus
from corpus.case import Case
from corpus.seeds import BUDGETS, load
from corpus.verbs import VERBS, code

# What a file of the corpus may take beside the interpreter; the largest has 2 MB.
MEMORY_BYTES: Final = 384 << 20
SECONDS: Final = 10


class Hung(BaseException):
    """A file took too long; no `except Exception` may swallow it."""


def main() -> int:
    """Read every STEP-th file from the FIRST on."""
    sound, first, step = load(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGALRM, _ring)
    soft = _address_space() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
    with tempfile.TemporaryDirectory(prefix="corpus-") as name:
        folder = Path(name)
        (folder / "sound.toml").write_text(BUDGETS)
        for index, case in islice(enumerate(corpus(sound)), first, None, step):
            _say({"index": index, "name": case.name, "category": case.category})
            began = time.monotonic()
            _say({"index": index, **_judged(case, folder), "seconds": time.monotonic() - began})
    return 0


def _judged(case: Case, folder: Path) -> dict[str, Any]:
    """Every verb's exit code, and what is wrong with it."""
    path = folder / f"case{case.name[case.name.rindex('.') :]}"
    codes, bad = [], ""
    for verb in VERBS[path.suffix]:
        path.write_bytes(case.data)
        try:
            with _alarm():
                codes.append(code(verb, path))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - what is looked for
            bad = bad or f"{verb.__name__}: {type(error).__name__}: {str(error)[:200]}"
    # Only the first verb reads the whole file; others may be content with less.
    if not bad and codes and (codes[0] not in case.codes or not set(codes) <= {0, 1, 2, 3}):
        bad = f"exit codes {codes}, not {sorted(case.codes)}"
    return {"codes": codes, "bad": bad}


@contextmanager
def _alarm() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(*_: object) -> None:
    raise Hung(f"longer than {SECONDS} s")


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    sys.exit(main())
