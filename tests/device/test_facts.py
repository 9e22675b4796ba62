from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.device import facts, vcgencmd

PI = {
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/cpuinfo": "processor\t: 0\nFeatures\t: asimd asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n"
    "Serial\t\t: 10000000abcdef01\n",
    "proc/meminfo": "MemTotal:        4050000 kB\nMemFree:          100000 kB\n",
    "proc/loadavg": "0.52 0.40 0.30 1/200 4242\n",
    "proc/vmstat": "nr_free_pages 10\npswpin 3\npswpout 4\n",
    "proc/stat": "cpu  100 20 30 4000 50 6 7 8 90 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n",
    "etc/os-release": 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq": "1500000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2400000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "2400000\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "not a core's\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "sys/class/thermal/thermal_zone1/type": "battery\n",
    "sys/class/thermal/thermal_zone1/temp": "60000\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
}


def plant(root: Path, tree: dict[str, str]) -> Path:
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    return plant(tmp_path, PI)


def test_static_facts_of_a_pi(pi: Path):
    found = facts.static(pi)
    expected = {
        "board": "Raspberry Pi 5 Model B Rev 1.0",
        "cpu": "Cortex-A76",
        "isa": ["NEON", "SDOT/UDOT"],
        "governor": "ondemand",
        "min_mhz": 1500,
        "max_mhz": 2400,
        "memory_bytes": 4050000 * 1024,
        "os": "Debian GNU/Linux 12 (bookworm)",
    }
    assert {name: found[name] for name in expected} == expected


def test_serial_numbers_and_names_stay_where_they_are(pi: Path):
    text = json.dumps([facts.static(pi), facts.static()])
    assert "abcdef01" not in text
    assert os.uname().nodename not in text


def test_volatile_facts_of_a_pi(pi: Path):
    found = facts.volatile(pi)
    tick = 10**9 // os.sysconf("SC_CLK_TCK")
    assert found == {
        "load": 0.52,
        "mhz": [1500, 2400],
        "temperature_c": 48.312,  # the CPU's, not the hotter battery's
        # 0x50005: bits 0 and 2 now, 16 and 18 since boot.
        "throttled": ["under-voltage", "throttled"],
        "throttled_since_boot": ["under-voltage", "throttled"],
        "swapped_pages": 7,
        # user + nice + system + irq + softirq; neither idle nor iowait, and guest is part of user.
        "busy_ns": (100 + 20 + 30 + 6 + 7) * tick,
        "stolen_ns": 8 * tick,
    }


def test_throttle_events_of_x86_are_summed(tmp_path: Path):
    tree = {f"sys/devices/system/cpu/cpu{core}/thermal_throttle/core_throttle_count": "3\n" for core in range(2)}
    assert facts.volatile(plant(tmp_path, tree)) == {"mhz": [], "throttle_count": 6}


def test_frequency_comes_from_cpuinfo_where_there_is_no_cpufreq(tmp_path: Path):
    plant(tmp_path, {"proc/cpuinfo": "processor : 0\ncpu MHz : 2499.6\n"})
    assert facts.volatile(tmp_path)["mhz"] == [2500]


def test_governors_that_differ_are_all_named(pi: Path):
    plant(pi, {"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n"})
    assert facts.static(pi)["governor"] == "ondemand + performance"


def test_the_hottest_zone_stands_in_where_none_is_the_cpus(tmp_path: Path):
    tree = {"sys/class/thermal/thermal_zone0/temp": "41000\n", "sys/class/thermal/thermal_zone1/temp": "42000\n"}
    assert facts.volatile(plant(tmp_path, tree))["temperature_c"] == 42


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path):
    assert {"cpu", "board", "governor", "memory_bytes", "max_mhz"}.isdisjoint(facts.static(tmp_path))
    assert facts.volatile(tmp_path) == {"mhz": []}


@pytest.mark.parametrize("text", ["", "nonsense\n", "cpu\n", "0x\n"])
def test_an_unknown_layout_is_no_error(tmp_path: Path, text: str):
    plant(tmp_path, dict.fromkeys(PI, text))
    facts.static(tmp_path)
    facts.volatile(tmp_path)


def test_memory_of_this_process_is_in_bytes_and_peaks_above_now():
    now, peak = facts.memory_of_self("VmRSS"), facts.memory_of_self("VmHWM")
    # Python with numpy: more than 10 MB, less than 10 GB.
    assert 10e6 < now <= peak < 10e9


def test_cores_are_those_this_process_may_use():
    assert facts.static()["cores"] == len(os.sched_getaffinity(0))


def program(root: Path, path: str) -> Path:
    link = root / f"proc/self/task/{os.getpid()}/exe"
    link.parent.mkdir(parents=True)
    link.symlink_to(path)
    return root


@pytest.mark.parametrize("path", ["/usr/bin/qemu-aarch64-static", "/usr/libexec/qemu-aarch64"])
def test_an_emulated_cpu_is_told(tmp_path: Path, path: str):
    assert facts.static(program(tmp_path, path))["emulated"] == "qemu-aarch64"


def test_a_real_cpu_has_no_emulator(tmp_path: Path):
    assert "emulated" not in facts.static(program(tmp_path, "/usr/bin/python3.11"))


@pytest.mark.slow
@pytest.mark.emulated
def test_the_emulator_cannot_hide():
    emulator = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
    if emulator is None or platform.machine() != "x86_64":
        pytest.skip("no qemu-x86_64 for this Python; on Debian or Ubuntu: sudo apt install qemu-user-static")
    code = "import json; from mobilenet_edge.device import facts; print(json.dumps(facts.static()))"
    command = [emulator, "-cpu", "max", sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(Path(mobilenet_edge.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["emulated"] == "qemu-x86_64"


UNDER_VOLTAGE = {
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
}


def test_under_voltage_is_told_by_the_kernel_where_the_firmware_is_silent(tmp_path: Path):
    assert facts.volatile(plant(tmp_path, UNDER_VOLTAGE)) == {"mhz": [], "throttled": ["under-voltage"]}


def test_no_alarm_is_no_word_on_other_reasons(tmp_path: Path):
    tree = {**UNDER_VOLTAGE, "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n"}
    assert "throttled" not in facts.volatile(plant(tmp_path, tree))


def test_an_alarm_is_told_once_and_beside_the_firmwares_reasons(pi: Path):
    assert facts.volatile(plant(pi, UNDER_VOLTAGE))["throttled"] == ["under-voltage", "throttled"]


def test_the_firmware_of_a_pi_5_is_found(tmp_path: Path):
    path = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
    assert facts.volatile(plant(tmp_path, {path: "2\n"}))["throttled"] == ["frequency capped"]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["#!/bin/sh\nexec sleep 60\n", "no program\n"])
def test_a_firmware_that_does_not_answer_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str):
    plant(tmp_path, {"vcgencmd": script})
    (tmp_path / "vcgencmd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(vcgencmd, "SECONDS", 0.05)
    assert "throttled" not in facts.volatile()


def test_numpy_may_be_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert "numpy" not in facts.static()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prints", "expected"),
    [("throttled=0x20000", []), ("throttled=0x2", ["frequency capped"]), ("VCHI initialization failed", None)],
)
def test_the_firmware_is_asked_where_the_kernel_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, expected: list[str] | None
):
    plant(tmp_path, {"vcgencmd": f"#!/bin/sh\necho {prints}\n"})
    (tmp_path / "vcgencmd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert facts.volatile().get("throttled") == expected
