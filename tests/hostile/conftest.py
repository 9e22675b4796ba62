"""Names nobody would choose, and files that try more than they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from mobilenet_edge import cli

# Red, the title of the window, cursor up, eight-bit CSI, right-to-left, a half of a character, and each kind of break.
TERMINAL = "\x1b[31m\x1b]0;owned\x07\x1b[2A\x9b1m\u202e\udcff\r\n\t\x00\u2028"
HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='alert(3)"
MARKDOWN = "![p](http://x/p.png)[l](javascript:alert(4))\\|\\![q](http://x/q)|`"
SHELL = "$(touch canary)`touch canary`;touch canary|cat>canary&"
# A file name may hold all of it but the slash and the zero.
ALL = f"a {TERMINAL} {HTML} {MARKDOWN} {SHELL}"
FILE = ALL.replace("/", "").replace("\x00", "").replace("script", "b")[:100]


class Ended(NamedTuple):
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def mnet(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run `mnet` in this process, as the console script does."""

    def run(*words: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in err
        return Ended(ended.value.code, out, err)

    return run


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there as soon as anything of the bait was run; the current folder is where it would be."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder / "canary"


def assert_plain(text: str) -> None:
    """Nothing but lines of printable characters."""
    bad = sorted({each for each in text if not each.isprintable() and each != "\n"})
    assert bad == []
