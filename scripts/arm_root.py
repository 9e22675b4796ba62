"""Make the userland of a 64-bit Raspberry Pi OS, with runtimes and the facts of a Pi 4, and print where it is.

Debian's arm64 packages are unpacked and aarch64 wheels laid beside them; nothing foreign is run. It takes less than a
minute and 360 MB, once: ~/.cache/mobilenet-edge/arm64, or $MNET_ARM_CACHE, keeps it under a digest of what it is made
from. Packages come from where apt and pip of this machine take theirs. Needs mmdebstrap, on Debian or Ubuntu.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
CACHE: Final = "~/.cache/mobilenet-edge/arm64"
SUITE: Final = "bookworm"
PYTHON: Final = "python3.11"
PACKAGES: Final = ("python3-minimal", "libpython3-stdlib", "libstdc++6", "libgcc-s1", "dash", "coreutils")
GLIBC: Final = 36  # minor version, bookworm's
# Virtual environments below usr/local: what pip is asked for, and the lock that pins it. The system's own Python has
# neither numpy nor a runtime.
ENVIRONMENTS: Final = {
    "current": (("ai-edge-litert", "onnxruntime"), "dev.txt"),
    "legacy": (("tflite-runtime", "numpy"), "legacy.txt"),
}
KEPT_SECONDS: Final = 7 * 24 * 3600
OURS: Final = re.compile(r"[0-9a-f]{16}|making-\w+")
CORES: Final = 4
# An x86 /proc/cpuinfo makes the runtimes' ARM code crash, so that of a Pi 4 is no decoration.
PROCESSOR: Final = """\
processor\t: {}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
FREQUENCIES: Final = {"cpuinfo_min": 600000, "cpuinfo_max": 1800000, "scaling_cur": 1500000}
PI: Final[Mapping[str, str]] = {
    "proc/cpuinfo": "".join(PROCESSOR.format(core) for core in range(CORES)),
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
    # Under-voltage and throttling since boot, none of it now.
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
    **{f"sys/devices/system/cpu/{name}": f"0-{CORES - 1}\n" for name in ("possible", "present", "online")},
    **{
        f"sys/devices/system/cpu/cpu{core}/cpufreq/{name}": f"{value}\n"
        for core in range(CORES)
        for name, value in {
            "scaling_governor": "ondemand",
            **{f"{name}_freq": khz for name, khz in FREQUENCIES.items()},
        }.items()
    },
}
# Where tests/arm/enter.sh puts what is this machine's, and what of its /proc the Pi's own leads to.
MOUNTS: Final = ("dev", "run/proc", "root", "tmp")
LIVE: Final = ("self", "stat", "loadavg", "vmstat", "meminfo", "sys", "mounts")


def main() -> int:
    """Print the folder of the userland; 1 and the reason where it cannot be made."""
    try:
        print(find(Path(os.environ.get("MNET_ARM_CACHE") or CACHE).expanduser()))
    except OSError as error:
        print(f"arm_root: the ARM userland was not made: {error}", file=sys.stderr)
        return 1
    return 0


def find(cache: Path) -> Path:
    """Return the folder of the userland below `cache`, made first where there is none of this version.

    Raises:
        OSError: mmdebstrap is not installed, it or pip failed, or the folder cannot be written.
    """
    root = cache / version()
    with _alone(cache):
        if not root.is_dir():
            with tempfile.TemporaryDirectory(prefix="making-", dir=cache) as scratch:
                made = make(Path(scratch))
                # The folder appears whole or not at all.
                made.rename(root)
        root.touch()
        _tidy(cache)
    return root


def _tidy(cache: Path) -> None:
    """Remove what nobody asked for in a while: userlands of older versions, and what a killed process left."""
    for path in cache.iterdir():
        # The folder is the user's choice: what else is in it is none of ours.
        if OURS.fullmatch(path.name) and path.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def version() -> str:
    """Digest of what the userland is made from: this file and the locks."""
    parts = [Path(__file__), *(_lock(lock) for _, lock in ENVIRONMENTS.values())]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()[:16]


def make(scratch: Path) -> Path:
    """Make the userland in a folder below `scratch`."""
    root = scratch / "root"
    root.mkdir()
    _unpack(scratch / "root.tar", root)
    for name, (requirements, lock) in ENVIRONMENTS.items():
        environment = root / "usr/local" / name
        _environment(environment)
        versions = scratch / lock
        versions.write_text(pins(_lock(lock).read_text()))
        _install(environment / f"lib/{PYTHON}/site-packages", requirements, versions)
    if f"python{sys.version_info[0]}.{sys.version_info[1]}" == PYTHON:
        # The guest reads the same bytecode, and imports several times faster with it. Some packages hold files that
        # are no Python for this version; they are never imported.
        packages = [root / "usr/lib" / PYTHON, *(root / "usr/local" / name for name in ENVIRONMENTS)]
        subprocess.run([sys.executable, "-m", "compileall", "-qq", *packages], check=False)
    plant(root, PI)
    for folder in MOUNTS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in LIVE:
        (root / "proc" / name).symlink_to(f"/run/proc/{name}")
    return root


def plant(root: Path, tree: Mapping[str, str]) -> None:
    """Write files by name below a folder."""
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _unpack(archive: Path, root: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        raise FileNotFoundError("mmdebstrap is not installed; on Debian or Ubuntu: sudo apt install mmdebstrap")
    # By way of an archive: without root rights its owners could not be given to files, and nobody asks for them here.
    command = ["mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64", "--skip=output/dev"]
    command += ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--include={','.join(PACKAGES)}"]
    _run(*command, SUITE, archive, *_sources())
    _run("tar", "--extract", "--no-same-owner", "--file", archive, "--directory", root)
    archive.unlink()


def _sources() -> list[str]:
    """This machine's list of package sources where it is of the same suite; else mmdebstrap knows one."""
    release = Path("/etc/os-release").read_text()
    if f"VERSION_CODENAME={SUITE}" not in release.splitlines():
        return []
    lists = (Path("/etc/apt", name) for name in ("sources.list.d/debian.sources", "sources.list"))
    return [str(path) for path in lists if path.is_file() and path.stat().st_size][:1]


def _environment(folder: Path) -> None:
    """Lay out a virtual environment; `venv` would have to run the foreign Python."""
    plant(folder, {"pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = false\n"})
    (folder / "bin").mkdir()
    for name in ("python", "python3"):
        # Relative, so that it is the same file seen from outside.
        (folder / "bin" / name).symlink_to(f"../../../bin/{PYTHON}")


def pins(lock: str) -> str:
    """Return a lock's pins without their hashes, with which pip would want a pin for all that it is asked for."""
    return "".join(f"{pin}\n" for pin in re.findall(r"^[\w.-]+==.*?(?= *\\?$)", lock, re.MULTILINE))


def _install(site: Path, requirements: tuple[str, ...], versions: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311"]
    command += [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(17, GLIBC + 1)]
    _run(*command, f"--target={site}", f"--constraint={versions}", *requirements)


def _run(*command: str | Path) -> None:
    """Run a tool, or raise OSError with the last line of what it said."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        name = "pip" if "pip" in command else command[0]
        said = done.stdout.strip() or f"exit code {done.returncode}"
        raise OSError(f"{name} failed: {said.splitlines()[-1]}")


def _lock(name: str) -> Path:
    return PROJECT / "requirements" / name


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is making something in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
