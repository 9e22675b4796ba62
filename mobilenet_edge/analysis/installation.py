"""What is installed on a machine, and what would have to be: Python, numpy, runtimes, Coral's library, extras."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mobilenet_edge.analysis.finding import FAIL, OK, WARN, Finding
from mobilenet_edge.hosts.devices import LOCAL

# Where all three runtimes can be had.
ELSEWHERE: Final = "take a 64-bit system with Python 3.11 and glibc 2.34 or newer, Debian 12 for one"
CORAL: Final = "install libedgetpu1-std from Coral's package repository (https://coral.ai/docs); pip does not have it"
Facts = Mapping[str, Any]


def formats(facts: Facts) -> tuple[str, ...]:
    """Name the formats ("tflite", "onnx") that the machine can run now."""
    return tuple(dict.fromkeys(each["format"] for each in facts["runtimes"].values() if _works(each)))


def of_python(facts: Facts) -> Iterator[Finding]:
    """Judge Python and numpy."""
    version = ".".join(str(part) for part in facts["python"])
    fact = f"{version}, {facts['bits']}-bit, on {facts['host'].get('machine', 'an unknown CPU')}: {facts['executable']}"
    if facts["bits"] < 64:
        yield Finding("python", WARN, fact, "a 64-bit system has more runtimes, and faster ones")
    else:
        yield Finding("python", OK, fact)


def of_numpy(facts: Facts, host: str) -> Iterator[Finding]:
    """Judge numpy, without which no runtime works."""
    numpy = facts["numpy"]
    if not numpy["installed"]:
        # Alone it would come in a version that not every runtime takes.
        comes = any(_offered(each) for each in facts["runtimes"].values())
        line = "install a runtime as below: it brings numpy" if comes else pip("numpy", facts, host)
        yield Finding("numpy", FAIL, "not installed, and no runtime works without it", line)
    elif numpy["error"]:
        line = pip("numpy", facts, host, anew=True)
        yield Finding("numpy", FAIL, f"does not load: {_reason(numpy['error'])}", line)
    else:
        yield Finding("numpy", OK, numpy["version"])


def of_runtimes(facts: Facts, host: str) -> Iterator[Finding]:
    """Judge each runtime, then each format: whether anything opens it, or could."""
    groups: dict[str, list[tuple[str, Facts]]] = {}
    for name, each in facts["runtimes"].items():
        groups.setdefault(each["format"], []).append((name, each))
    for group in groups.values():
        for name, each in group:
            yield _runtime(name, each, [other for _, other in group], facts, host)
    for kind, group in groups.items():
        yield _format(kind, [each for _, each in group], formats(facts))


def of_edge_tpu(facts: Facts) -> Iterator[Finding]:
    """Tell of Coral's library and devices; that there is none is nothing bad."""
    buses = " and ".join({"usb": "USB", "pci": "PCIe"}.get(bus, bus) for bus in facts["edge_tpus"])
    seen = f"a device on {buses}" if buses else "no device"
    if facts["delegates"]:
        yield Finding("edge tpu", OK, f"{seen}; libedgetpu: {', '.join(facts['delegates'])}")
    elif buses:
        yield Finding("edge tpu", WARN, f"{seen}, and no libedgetpu in the system's folders", CORAL)
    else:
        yield Finding("edge tpu", OK, "no device, no libedgetpu")


def of_extras(lacking: Mapping[str, Sequence[str]], facts: Facts) -> Iterator[Finding]:
    """Judge what only a workstation needs.

    Args:
        lacking: Extra of mobilenet-edge to those of its packages that are not installed.
        facts: The machine's.
    """
    verbs = {"build": "build, export and sweep", "images": "evaluate, and all that reads images,"}
    for extra, packages in lacking.items():
        needs = f"{verbs.get(extra, extra)} need{'s' * (extra == 'images')}"
        if not packages:
            yield Finding(f"[{extra}]", OK, "installed")
        elif extra == "build" and "board" in facts["host"]:
            yield Finding(f"[{extra}]", OK, f"not installed; {needs} it, on a workstation")
        else:
            fact = f"{needs} what is not installed: {', '.join(packages)}"
            yield Finding(f"[{extra}]", WARN, fact, pip(f"mobilenet-edge[{extra}]", facts, LOCAL))


def pip(requirement: str, facts: Facts, host: str, *, anew: bool = False) -> str:
    """Say how a requirement is installed on that very machine.

    Args:
        requirement: Arguments of pip, quoted for a shell.
        facts: The machine's.
        host: What the user calls it.
        anew: Replace what is there.
    """
    python, local = shlex.quote(facts["executable"]), host == LOCAL
    what = shlex.join((["--force-reinstall"] if anew else []) + shlex.split(requirement))
    where = "" if local else f"on {host}: "
    if not facts["venv"] and (facts["managed"] or not facts["pip"]):
        return f"{where}sudo apt install python3-venv; then {_environment(what, python, host)}"
    if facts["managed"]:
        return _environment(what, python, host)
    first = "" if facts["pip"] else f"{python} -m ensurepip && "
    return f"{where}{first}{python} -m pip install {what}"


def _environment(what: str, python: str, host: str) -> str:
    # Debian's own Python refuses pip (PEP 668), or has none.
    if host != LOCAL:
        return f"mnet setup-host {shlex.quote(host)}"
    return f"{python} -m venv .venv, install mobilenet-edge there, and: .venv/bin/python -m pip install {what}"


def _runtime(name: str, each: Facts, group: Sequence[Facts], facts: Facts, host: str) -> Finding:
    serving, offer = _first(group, _works), _first(group, _offered)
    if _works(each):
        return Finding(name, OK, each["version"])
    if each["installed"]:
        # The first that is installed is what "auto" takes, whether it works or not.
        status = FAIL if each is _first(group, lambda other: other["installed"]) else WARN
        return Finding(name, status, f"does not load: {_reason(each['error'])}", _repair(each, facts, host))
    if serving is not None:
        return Finding(name, OK, f"not installed; {serving['title']} opens .{each['format']} files")
    if each is offer:
        return Finding(name, WARN, "not installed", pip(each["requirement"], facts, host))
    if offer is not None:
        return Finding(name, OK, f"not installed; {offer['title']} would open .{each['format']} files")
    return Finding(name, WARN, f"not installed, and no wheel of it fits {facts['system']}", ELSEWHERE)


def _repair(each: Facts, facts: Facts, host: str) -> str:
    if each["requirement"] is None:
        return f"no wheel of it fits {facts['system']}: {ELSEWHERE}"
    if "illegal instruction" in each["error"]:
        return "it was built for a newer CPU: install an older version of it"
    return pip(each["requirement"], facts, host, anew=True)


def _format(kind: str, group: Sequence[Facts], runnable: Sequence[str]) -> Finding:
    serving, offer = _first(group, _works), _first(group, _offered)
    if serving is not None:
        return Finding(f".{kind} files", OK, f"opened by {serving['title']} {serving['version']}")
    fact, status = "nothing here opens them", WARN if runnable else FAIL
    if any(each["installed"] for each in group):
        return Finding(f".{kind} files", status, fact, "repair the runtime above")
    if offer is not None:
        return Finding(f".{kind} files", status, fact, f"install {offer['title']} as above")
    other = f"export to .{runnable[0]}" if runnable else ELSEWHERE
    return Finding(f".{kind} files", status, f"{fact}, and nothing can", other)


def _works(each: Facts) -> bool:
    return bool(each["installed"]) and each["error"] is None


def _offered(each: Facts) -> bool:
    return not each["installed"] and each["requirement"] is not None


def _first(group: Sequence[Facts], fits: Any) -> Facts | None:
    return next((each for each in group if fits(each)), None)


def _reason(error: str) -> str:
    # What comes after is the advice of `mnet profile`; here is a better one.
    return error.partition("; ")[0]
