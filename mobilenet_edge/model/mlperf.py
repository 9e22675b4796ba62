"""What was published for visual wake words in MLPerf Tiny: shown beside measured figures, never instead of them.

The benchmark's model is a MobileNet v1 of width 0.25 at 96 pixels with two classes, in int8. Rows are of the closed
division. Those of v1.2 are from summary.csv of github.com/mlcommons/tiny_results_v1.2, those of v1.3 from the results
of each submission in github.com/mlcommons/tiny_results_v1.3. Submitters bring their own software: of the rows here one
ran TensorFlow Lite for Microcontrollers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mobilenet_edge.model.spec import ModelSpec

SHAPE: Final = ModelSpec(0.25, 96, 2)
ST: Final = "STMicroelectronics"
HALE: Final = "Bosch HALE 1.0.175"


@dataclass(frozen=True)
class TinyResult:
    """One published result of visual wake words.

    Attributes:
        version: Of MLPerf Tiny.
        board: As the submitter names it.
        submitter: Who measured.
        software: Inference framework.
        clock: Of the processor, as published.
        per_second: Inferences a second.
        accuracy: Top-1 in percent.
        energy_uj: Of one inference, in microjoules; None where it was not submitted.
        supply: Supply of the energy measurement; empty where not stated.
    """

    version: str
    board: str
    submitter: str
    software: str
    clock: str
    per_second: float
    accuracy: float
    energy_uj: float | None = None
    supply: str = ""

    @property
    def ms(self) -> float:
        """Time of one inference: the inverse of the published rate."""
        return 1e3 / self.per_second


RESULTS: Final = (
    TinyResult("1.2", "NUCLEO-L4R5ZI", ST, "X-CUBE-AI 9.0", "120 MHz", 11.245, 85.2, 3894.566, "1.8 V"),
    TinyResult("1.2", "NUCLEO-L4R5ZI", "Bosch", HALE, "120 MHz", 5.54, 85.4),
    TinyResult("1.2", "NUCLEO-U575ZI-Q", ST, "X-CUBE-AI 9.0", "160 MHz", 16.87, 85.2, 1354.685, "1.8 V, SMPS"),
    TinyResult("1.2", "NUCLEO-U575ZI-Q", "Bosch", HALE, "160 MHz", 8.345, 85.4),
    TinyResult("1.2", "NUCLEO-H7A3ZI-Q", ST, "X-CUBE-AI 9.0.0", "280 MHz", 42.009, 85.2, 2965.461, "3 V, SMPS"),
    TinyResult("1.2", "EK-RA8D1", "Renesas", "TensorFlow Lite for micro, CMSIS", "480 MHz", 74.665, 85.4),
    TinyResult("1.2", "NUCLEO-G0B1RE", "Bosch", HALE, "64 MHz", 0.707, 85.4),
    TinyResult("1.3", "NUCLEO-L4R5ZI-P", ST, "X-CUBE-AI 10.2", "120 MHz", 11.181, 85.2, 3029.752, "3 V, external SMPS"),
    TinyResult("1.3", "NUCLEO-U575ZI-Q", ST, "X-CUBE-AI 10.2", "160 MHz", 16.873, 85.2, 1372.168, "1.8 V, SMPS"),
    TinyResult("1.3", "NUCLEO-U385RG-Q", ST, "X-CUBE-AI 10.2", "96 MHz", 10.128, 85.2, 518.976, "1.8 V, SMPS"),
)


def results(spec: ModelSpec | None, board: str | None = None) -> tuple[TinyResult, ...]:
    """Return what was published for a variant, and for a board by the beginning of its name; none for other shapes."""
    if spec != SHAPE:
        return ()
    return tuple(result for result in RESULTS if board is None or result.board.lower().startswith(board))
