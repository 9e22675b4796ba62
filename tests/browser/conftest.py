"""A headless Chromium of the system, and reports opened in it from their files.

$MNET_CHROMIUM is the browser to take; $MNET_SCREENSHOTS a folder in which screenshots are kept.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from mobilenet_edge import records
from mobilenet_edge.commands import report
from tests.report.html import grid

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    known = os.environ.get("MNET_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not known:
        pytest.skip("no Chromium; install it with: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        # In a container the sandbox has no rights; what is opened is our own page.
        browser = driver.chromium.launch(executable_path=known, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make a report by its name, once."""
    made: dict[str, Path] = {}
    own = grid.identity(grid.SPECS[1])
    kinds: dict[str, Callable[[], list[Any]]] = {
        "grid": lambda: [*grid.grid(), grid.long(own), grid.with_operators(own)],
        "published": lambda: [*grid.grid(scored=False), grid.prediction(grid.identity(grid.SPECS[1], "float16"), 1.5)],
        "exported": lambda: [*grid.exported(), grid.profile(grid.identity(grid.SPECS[0], "mixed"), 1.0)],
        "hostile": grid.hostile,
        "judged": grid.judged,
        "multiplied": lambda: [*grid.multiplied(), *grid.multiplied_elsewhere()],
        "foreign": lambda: [grid.profile(grid.identity(grid.SPECS[0], variant="mine", spec=None), 1.0)],
    }

    def make(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            records.write(folder / "records.json", kinds[name]())
            if name == "grid":
                lines = "".join(f"{json.dumps(line)}\n" for line in grid.history())
                (folder / "history.jsonl").write_text(lines)
            images = _pictures(folder / "pictures") if name == "judged" else None
            made[name] = report.run([folder], folder / "report", images)[0]
        return made[name]

    return make


def _pictures(folder: Path) -> Path:
    """Make the pictures whose answers changed, of random noise, which no JPEG makes small."""
    for change in grid.judged()[2].comparisons[0].pictures:
        path = folder / change.picture
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((400, 300), 90).convert("RGB").save(path)
    return folder


class Opened:
    """A page that is open, with what went wrong on it.

    Attributes:
        page: Playwright's own.
        errors: What the browser complained of.
        requests: Every address that was asked for.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def points(self, chart: str) -> int:
        """How many markers a chart has; nothing else in it has customdata."""
        count: int = self.page.evaluate(
            "id => (document.getElementById(id).data || [])"
            ".filter(trace => trace.customdata).reduce((sum, trace) => sum + trace.x.length, 0)",
            chart,
        )
        return count

    def rows(self) -> int:
        """How many rows of the table can be seen."""
        return int(self.page.locator("#table tbody tr:visible").count())

    def column(self, title: str) -> list[str]:
        """The cells of a column as they stand."""
        titles = [each.strip() for each in self.page.locator("#table thead th").all_text_contents()]
        return [
            text.strip()
            for text in self.page.locator(
                f"#table tbody tr:visible > :nth-child({titles.index(title) + 1})"
            ).all_text_contents()
        ]

    def shot(self, name: str) -> None:
        """Keep a picture of the page where somebody wants one."""
        folder = os.environ.get("MNET_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=str(Path(folder) / f"report-{name}.png"))


@pytest.fixture
def opened(chromium: Any, reports: Callable[[str], Path]) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def open_page(name: str = "grid", size: dict[str, int] = DESKTOP, scheme: str = "light") -> Opened:
        context = chromium.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.goto(reports(name).as_uri(), timeout=60_000)
        # Parsing the charts' library takes seconds on a busy machine of two cores.
        opened.page.wait_for_selector("html[data-ready]", timeout=60_000)
        return opened

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def phone() -> dict[str, int]:
    return PHONE
