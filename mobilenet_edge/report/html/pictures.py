"""Draw charts as SVG and PNG for papers and READMEs, with the same bytes for the same rows."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.records import Training
from mobilenet_edge.report import scaling
from mobilenet_edge.report.html import curves, machines, multipliers, tradeoff, views
from mobilenet_edge.report.html.timeline import Entry
from mobilenet_edge.report.rows import Row, by_machine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Groups = Mapping[str, Sequence[Row]]

# Names of all charts, so that those of an earlier report can be removed.
NAMES: Final = (
    "accuracy-latency",
    "accuracy-size",
    "latency",
    "operators",
    "trace",
    "history",
    "training",
    "latency-alpha",
    "latency-rho",
)
FORMATS: Final = ("svg", "png")
SETTINGS: Final[Mapping[str, Any]] = {
    "svg.hashsalt": "mobilenet-edge",
    # A $ in a name does not start a formula.
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#5b6470",
    "axes.labelcolor": "#1c2024",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e6e5",
    "grid.linewidth": 0.7,
    "font.size": 9,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.color": "#5b6470",
    "ytick.color": "#5b6470",
    "savefig.facecolor": "white",
    "savefig.dpi": 144,
}
_METADATA: Final[Mapping[str, Mapping[str, None]]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def pictures(
    rows: Sequence[Row], entries: Sequence[Entry], runs: Sequence[Training] = ()
) -> Iterator[tuple[str, bytes]]:
    """Yield the file name and the bytes of each chart that has data."""
    import matplotlib as mpl

    # Ignore the settings of the user, which would change the bytes. Setting the backend would search for a display.
    defaults: Any = mpl.rcParamsDefault
    settings = {**{key: value for key, value in defaults.items() if key != "backend"}, **SETTINGS}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A character that is missing from the font is drawn as a box.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        for name, draw in _drawings(rows, entries, runs).items():
            figure = draw()
            if figure is not None:
                # Compute the layout once for both formats.
                _lay_out(figure)
                yield from ((f"{name}.{format}", _bytes(figure, format)) for format in FORMATS)


def _drawings(
    rows: Sequence[Row], entries: Sequence[Entry], runs: Sequence[Training]
) -> dict[str, Callable[[], Figure | None]]:
    groups: Groups = by_machine(rows) if rows else {}
    found, names = scaling.scalings(rows), machines.names(groups)
    drawings: Sequence[Callable[[], Figure | None]] = (
        lambda: tradeoff.latency(groups),
        lambda: tradeoff.size(groups),
        lambda: views.distribution(groups),
        lambda: views.operators(groups),
        lambda: views.trace(groups),
        lambda: views.over_commits(entries),
        lambda: curves.figure(runs),
        lambda: multipliers.over_alpha(found, names),
        lambda: multipliers.over_rho(found, names),
    )
    return dict(zip(NAMES, drawings, strict=True))


def _lay_out(figure: Figure) -> None:
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def _bytes(figure: Figure, format: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=format, metadata=dict(_METADATA[format]))
    return out.getvalue()
