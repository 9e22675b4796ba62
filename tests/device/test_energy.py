"""Energy from a made tree of RAPL counters, from a made vcgencmd, and from a meter outside."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.device import energy, facts
from mobilenet_edge.device.faults import DeviceError
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import power

# Of a Raspberry Pi 5, from leukipp/touchkio, issue 35.
PI5 = """\
 3V7_WL_SW_A current(0)=0.12199130A
   3V3_SYS_A current(1)=0.15224510A
   1V8_SYS_A current(2)=0.17273960A
  DDR_VDD2_A current(3)=0.11613570A
  DDR_VDDQ_A current(4)=0.02941200A
   1V1_SYS_A current(5)=0.21763240A
    0V8_SW_A current(6)=0.50748360A
  VDD_CORE_A current(7)=1.54489000A
   3V3_DAC_A current(17)=0.00000000A
   3V3_ADC_A current(18)=0.00018315A
   0V8_AON_A current(16)=0.00390720A
      HDMI_A current(22)=0.01709400A
 3V7_WL_SW_V volt(8)=3.60605200V
   3V3_SYS_V volt(9)=3.31931300V
   1V8_SYS_V volt(10)=1.79682400V
  DDR_VDD2_V volt(11)=1.10842400V
  DDR_VDDQ_V volt(12)=0.60549390V
   1V1_SYS_V volt(13)=1.10219700V
    0V8_SW_V volt(14)=0.80146440V
  VDD_CORE_V volt(15)=0.88725180V
   3V3_DAC_V volt(20)=3.31501500V
   3V3_ADC_V volt(21)=3.31684600V
   0V8_AON_V volt(19)=0.79882700V
      HDMI_V volt(23)=4.90440000V
     EXT5V_V volt(24)=4.87894000V
      BATT_V volt(25)=2.50512600V
"""
# The sum of volts times amperes by awk.
PI5_WATTS = 3.50705


class Machine:
    """Two packages that take 3 W together while idle, and 2 mJ for each inference of 10 ms beside it.

    Args:
        root: Where its counters are.
        start: Of the counter of the first package, in microjoules.
    """

    LIMIT = 262_143_328_850

    def __init__(self, root: Path, start: int = 0) -> None:
        self.now = 50.0
        self.counters = {0: start, 1: 700}
        self.zones = {n: root / f"sys/class/powercap/intel-rapl:{n}" for n in (0, 1)}
        for n, zone in self.zones.items():
            for place, name in ((zone, f"package-{n}"), (Path(f"{zone}:0"), "core")):
                place.mkdir(parents=True)
                (place / "name").write_text(f"{name}\n")
                (place / "max_energy_range_uj").write_text(f"{self.LIMIT}\n")
                (place / "energy_uj").write_text("5\n")
        platform = root / "sys/class/powercap/intel-rapl:2"
        platform.mkdir()
        (platform / "name").write_text("psys\n")
        self.spend(0)

    def spend(self, seconds: float, microjoules: int = 0) -> None:
        self.now += seconds
        for n, share in ((0, 2), (1, 1)):
            self.counters[n] = (self.counters[n] + round(share * 1e6 * seconds) + microjoules // 2) % self.LIMIT
            (self.zones[n] / "energy_uj").write_text(f"{self.counters[n]}\n")

    def infer(self) -> None:
        self.spend(0.01, 2000)

    def measure(self, root: Path) -> list[dict[str, Any]]:
        return energy.alternate(self.infer, energy.find(root), 2.0, clock=lambda: self.now, sleep=self.spend)


@pytest.mark.parametrize("start", [0, Machine.LIMIT - 7_000_000])
def test_the_energy_of_an_inference_is_found_again(tmp_path: Path, start: int):
    windows = Machine(tmp_path, start).measure(tmp_path)
    assert len(windows) == 2 * energy.PAIRS
    # 3 W for two seconds; beside it 2 mJ for each of 200 runs.
    assert [window["joules"] for window in windows[:2]] == pytest.approx([6.0, 6.4], abs=0.05)
    assert [window["runs"] for window in windows[:2]] == [0, pytest.approx(200, abs=1)]
    found = power.summarise({"source": "package", "how": "RAPL", "windows": windows}, [])
    assert found["mj"] == pytest.approx(2.0, rel=1e-6)
    assert found["idle_w"] == pytest.approx(3.0)
    assert found["busy_w"] == pytest.approx(3.2)
    assert found["interval_mj"] == pytest.approx([2.0, 2.0], rel=1e-6)


def test_only_whole_packages_are_counted(tmp_path: Path):
    Machine(tmp_path)
    assert [zone.name for zone in energy.packages(tmp_path)] == ["intel-rapl:0", "intel-rapl:1"]
    meter = energy.find(tmp_path)
    assert (meter.source, meter.how) == ("package", "RAPL counter of 2 packages")


def test_a_counter_that_may_not_be_read_is_said(tmp_path: Path):
    machine = Machine(tmp_path)
    # What cannot be read is no number; taking rights away does nothing where the tests run as root.
    (machine.zones[1] / "energy_uj").write_text("")
    with pytest.raises(
        DeviceError, match=r"energy_uj cannot be read .* sudo chmod a\+r /.*:0/energy_uj /.*:1/energy_uj$"
    ):
        energy.find(tmp_path)


def test_the_rails_of_a_pi_5_are_added_up():
    assert energy.watts(PI5) == pytest.approx(PI5_WATTS, abs=1e-5)
    # A rail without its voltage, or a voltage without a current, says nothing of power.
    assert energy.watts("A_A current(0)=2A\nA_V volt(1)=3V\nB_A current(2)=9A\nC_V volt(3)=5V\n") == 6
    assert energy.watts("EXT5V_V volt(24)=4.87894000V") is None
    assert energy.watts('error=1 error_msg="Command not registered"') is None
    assert energy.watts("X_A current(0)=?A\nX_V volt(1)=1V") is None


def test_a_machine_that_tells_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match=r"no RAPL package .* give the log of a meter with --power FILE$"):
        energy.find(tmp_path)


@pytest.fixture
def pi5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vcgencmd that answers as one of a Pi 5."""
    (tmp_path / "answer").write_text(PI5)
    script = tmp_path / "vcgencmd"
    script.write_text(f'#!/bin/sh\n[ "$*" = pmic_read_adc ] && exec cat "{tmp_path}/answer"\necho throttled=0x0\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "answer"


@pytest.mark.slow
def test_rails_are_sampled_until_the_end(pi5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(energy, "PMIC_SECONDS", 0.001)
    meter = energy.find(tmp_path / "nowhere")
    assert meter.source == "board rails"
    samples = meter.samples()
    assert len(samples) >= 2
    assert [at for at, _ in samples] == sorted(at for at, _ in samples)
    assert [watts for _, watts in samples] == pytest.approx([PI5_WATTS] * len(samples), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("external", [True, False])
def test_a_worker_alternates(pi5: Path, make_onnx: Callable[..., Path], external: bool):
    if not external and energy.packages(facts.SYSTEM):
        pytest.skip("this machine has RAPL, which is preferred")
    request = {"mode": "energy", "warmup": {"runs": 1}, "steady": {"seconds": 0.5}, "external": external}
    found = Local().run(request, {"artifact": make_onnx()}, limit_seconds=300)
    windows = found["windows"]
    assert len(windows) == 10
    assert all(window["end"] - window["start"] >= 0.5 and window["joules"] is None for window in windows)
    assert [window["runs"] > 0 for window in windows] == [False, True] * 5
    assert all(before["end"] <= after["start"] for before, after in pairwise(windows))
    if external:
        assert (found["source"], found["samples"]) == ("meter", [])
    else:
        # How often they are read depends on the machine.
        assert found["source"] == "board rails"
        times = [at for at, _ in found["samples"]]
        assert times == sorted(times)
        assert times[0] < windows[0]["start"] < windows[-1]["end"] < times[-1] < found["now_s"]
        assert [watts for _, watts in found["samples"]] == pytest.approx([PI5_WATTS] * len(times), abs=1e-5)
