"""Measure the energy of inferences beside that of idle time (the mode "energy").

Sources are the RAPL counters of x86 CPUs (Intel's and AMD's, Documentation/power/powercap in Linux), the power
management chip of a Raspberry Pi 5 through `vcgencmd pmic_read_adc`, or a meter outside, for which times are noted.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mobilenet_edge.device import facts, measure, vcgencmd
from mobilenet_edge.device.faults import DeviceError

if TYPE_CHECKING:
    from mobilenet_edge.device.worker import Request

# Windows of idle time, each followed by one of inferences.
PAIRS: Final = 5
ZONE: Final = re.compile(r"intel-rapl:\d+")
# A call takes a few milliseconds of one core, while inferences run and while nothing does.
PMIC_SECONDS: Final = 0.1


def run(request: Request) -> dict[str, Any]:
    """Measure idle time and inferences in turn.

    Args:
        request: `steady.seconds` is the length of each window; with `external`, a meter outside measures.

    Returns:
        source ("package", "board rails" or "meter"), how, windows as `alternate` returns them, samples (seconds,
        watts) of board rails, and now_s, the monotonic clock at the end.

    Raises:
        DeviceError: The machine has no source, or as `measure.ready`.
    """
    meter = Meter() if request.external else find()
    _, step = measure.ready(request)
    windows = alternate(step, meter, request.steady.seconds)
    samples = meter.samples()
    about = {"source": meter.source, "how": meter.how}
    return {**about, "windows": windows, "samples": samples, "now_s": time.monotonic()}


def find(root: Path = facts.SYSTEM) -> Meter:
    """Find the source of a machine.

    Raises:
        DeviceError: There is none, or it cannot be read.
    """
    zones = packages(root)
    if zones:
        return Rapl(zones)
    text = vcgencmd.ask("pmic_read_adc")
    if text and watts(text) is not None:
        return Pmic()
    raise DeviceError(
        "there is no RAPL package below /sys/class/powercap, and no vcgencmd that knows pmic_read_adc; give the log of "
        "a meter with --power FILE"
    )


def alternate(
    step: Callable[[], object],
    meter: Meter,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> list[dict[str, Any]]:
    """Measure a window of idle time and one of inferences in turn.

    Returns:
        For each window, idle ones first: start and end in seconds of the clock, runs, and joules (None where samples
        say it).
    """
    windows = []
    for number in range(2 * PAIRS):
        start, before, runs = clock(), meter.read(), 0
        if number % 2:
            while clock() - start < seconds:
                step()
                runs += 1
        else:
            sleep(seconds)
        after, end = meter.read(), clock()
        windows.append({"start": start, "end": end, "runs": runs, "joules": meter.joules(before, after)})
    return windows


def packages(root: Path = facts.SYSTEM) -> list[Path]:
    """Return the RAPL zones of whole packages; cores and memory are within them, a platform around them."""
    zones = (path for path in sorted((root / "sys/class/powercap").glob("*")) if ZONE.fullmatch(path.name))
    return [zone for zone in zones if (_read(zone / "name") or "").startswith("package")]


class Meter:
    """A meter outside the machine; the base of those inside.

    Attributes:
        source: What the energy is of.
        how: How it is measured, in words.
    """

    source = "meter"
    how = "a meter outside the machine"

    def read(self) -> list[int]:
        """Return counters to pass to `joules`, empty where there are none."""
        return []

    def joules(self, before: list[int], after: list[int]) -> float | None:
        """Return the energy between two readings, or None where samples say it."""
        return None

    def samples(self) -> list[tuple[float, float]]:
        """End sampling, and return monotonic seconds and watts; empty where there is a counter."""
        return []


class Rapl(Meter):
    """The energy counters of all packages.

    Raises:
        DeviceError: They cannot be read.
    """

    source = "package"

    def __init__(self, zones: list[Path]) -> None:
        self._counters = [zone / "energy_uj" for zone in zones]
        self._ranges = [int(_read(zone / "max_energy_range_uj") or 0) for zone in zones]
        self.how = f"RAPL counter of {len(zones)} package{'s' * (len(zones) != 1)}"
        self.read()

    def read(self) -> list[int]:
        """Return the microjoules of each package."""
        try:
            return [int(path.read_text()) for path in self._counters]
        except (OSError, ValueError) as error:
            raise DeviceError(
                f"{self._counters[0]} cannot be read ({error}); only root may by default: measure as root, or run: "
                f"sudo chmod a+r {' '.join(map(str, self._counters))}"
            ) from error

    def joules(self, before: list[int], after: list[int]) -> float:
        """Return the energy between two readings, between which each counter may have started again once."""
        rises = zip(before, after, self._ranges)
        return sum(end - start + (limit if end < start else 0) for start, end, limit in rises) / 1e6


class Pmic(Meter):
    """The rails of a Raspberry Pi 5, whose power is read several times a second."""

    source = "board rails"
    how = "volts times amperes of the rails that vcgencmd pmic_read_adc tells, without losses and USB"

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []
        self._done = threading.Event()
        self._take()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def samples(self) -> list[tuple[float, float]]:
        """End sampling, and return monotonic seconds and watts."""
        self._done.set()
        self._thread.join()
        self._take()
        return self._samples

    def _watch(self) -> None:
        while not self._done.wait(PMIC_SECONDS):
            self._take()

    def _take(self) -> None:
        start = time.monotonic()
        power = watts(vcgencmd.ask("pmic_read_adc") or "")
        if power is not None:
            self._samples.append(((start + time.monotonic()) / 2, power))


def watts(text: str) -> float | None:
    """Add the power of the rails in the output of `vcgencmd pmic_read_adc`.

    A line is "VDD_CORE_A current(7)=1.54489000A" or "VDD_CORE_V volt(15)=0.88725180V"; the two channels of a rail have
    different numbers. EXT5V and BATT have no current.

    Returns:
        Watts, or None if no rail has both.
    """
    values: dict[str, float] = {}
    for line in text.splitlines():
        name, _, rest = line.strip().partition(" ")
        number = rest.partition("=")[2].rstrip("AV")
        try:
            values[name] = float(number)
        except ValueError:
            continue
    rails = [name[:-2] for name in values if name.endswith("_A") and f"{name[:-2]}_V" in values]
    return sum(values[f"{rail}_A"] * values[f"{rail}_V"] for rail in rails) if rails else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
