"""Look whether what is installed is what was locked, unchanged, and what is known against it.

    .venv/bin/python scripts/hostile/audit.py             of the environment it runs in
    .venv/bin/python scripts/hostile/audit.py --lock requirements/legacy.txt

Offline: the versions against the lock, every file against the hashes that its package was installed with, files that no
package brought, `pip check`, and what CI runs. With pip-audit installed it also asks its advisory service, and says
so where that cannot be reached. Ends with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OWN = "mobilenet-edge"
# What `python -m venv` brings, which no lock names.
BROUGHT = ("pip", "setuptools")
CODE = (".py", ".so", ".pth")
# GitHub's own actions by version: who can move their tags runs the machine as well. All others by commit.
TRUSTED = re.compile(r"actions/[\w-]+@v\d+(\.\d+)*")
COMMIT = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


@dataclass(frozen=True)
class Check:
    """One question, what is wrong, and what could not be asked."""

    name: str
    problems: tuple[str, ...] = ()
    not_tried: str = ""

    def lines(self) -> list[str]:
        """What to print."""
        verdict = f"not tried: {self.not_tried}" if self.not_tried else f"{len(self.problems)} problems"
        return [f"{self.name}: {verdict}", *(f"    {each}" for each in self.problems)]


def main(arguments: list[str] | None = None) -> int:
    """Ask everything; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements" / "dev.txt", help="what was to be installed")
    lock = parser.parse_args(arguments).lock
    installed = list(distributions())
    site = Path(sysconfig.get_path("purelib"))
    found = [
        Check("versions", tuple(versions(lock.read_text(), installed))),
        Check("files", tuple(changed(installed))),
        Check("strangers", tuple(strangers(installed, site))),
        pip_check(),
        Check("actions", tuple(problem for path in workflows() for problem in unpinned(path.name, path.read_text()))),
        advisories(lock),
    ]
    for each in found:
        print(*each.lines(), sep="\n")
    return int(any(each.problems for each in found))


def versions(lock: str, installed: Iterable[Distribution]) -> Iterator[str]:
    """Say what is installed in another version than the lock's, is missing, or is not in the lock."""
    here = {canonicalize_name(each.name): each.version for each in installed}
    pins = {}
    for line in lock.splitlines():
        if line and not line.startswith(("#", "-", " ")):
            pin = Requirement(line.removesuffix("\\").strip())
            if pin.marker is None or pin.marker.evaluate():
                pins[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    for name, wanted in pins.items():
        if here.get(name) != wanted:
            yield f"{name} is {here.get(name, 'not installed')}, the lock has {wanted}"
    for name in sorted(here.keys() - pins.keys() - {OWN, *BROUGHT}):
        yield f"{name} {here[name]} is not in the lock"


def changed(installed: Iterable[Distribution]) -> Iterator[str]:
    """Hold every installed file to the hash in its package's RECORD, as "Recording installed projects" defines it."""
    for each in installed:
        # Not `each.files`, of which some versions leave out what is missing.
        record = each.read_text("RECORD")
        if record is None:
            yield f"{each.name} has no RECORD to compare with"
            continue
        for file, noted, _ in csv.reader(record.splitlines()):
            path, (mode, _, digest) = Path(str(each.locate_file(file))), noted.partition("=")
            if not digest:
                continue  # RECORD itself, and what was compiled here
            if not path.is_file():
                yield f"{each.name}: {file} is missing"
            elif _digest(path, mode) != digest:
                yield f"{each.name}: {file} was changed"


def strangers(installed: Iterable[Distribution], site: Path) -> Iterator[str]:
    """Say which code lies among the packages and belongs to none; a .pth file runs at every start of Python."""
    own = {Path(str(file.locate())).resolve() for each in installed for file in each.files or ()}
    for path in sorted(site.rglob("*")):
        if path.suffix in CODE and path.resolve() not in own and path.is_file():
            yield f"{path.relative_to(site)} belongs to no package"


def pip_check() -> Check:
    """Ask pip whether the packages fit each other."""
    done = _python("-m", "pip", "--disable-pip-version-check", "check")
    said = (done.stdout + done.stderr).strip().splitlines()
    return Check("pip check", tuple(said or ["it failed and said nothing"]) if done.returncode else ())


def workflows() -> list[Path]:
    """What CI runs, and the actions of the repository."""
    return sorted(path for kind in ("*.yml", "*.yaml") for path in (ROOT / ".github").rglob(kind))


def unpinned(name: str, text: str) -> Iterator[str]:
    """Say what a workflow runs that someone else could exchange, and whether it has more rights than it says."""
    for number, line in enumerate(text.splitlines(), 1):
        uses = re.match(r"\s*(?:-\s+)?uses:\s*['\"]?([^\s'\"#]+)", line)
        if uses and not (uses[1].startswith("./") or TRUSTED.fullmatch(uses[1]) or COMMIT.fullmatch(uses[1])):
            yield f"{name}:{number}: {uses[1]} can be exchanged; name it by its commit"
    if re.search(r"^jobs:", text, re.MULTILINE) and not re.search(r"^permissions:", text, re.MULTILINE):
        yield f"{name} does not say its permissions"


def advisories(lock: Path) -> Check:
    """Ask pip-audit what is known against the pins."""
    name = "advisories"
    if _python("-c", "import pip_audit").returncode:
        return Check(name, not_tried="pip-audit is not installed; with it, and a network: pip install pip-audit")
    options = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off")
    done = _python("-m", "pip_audit", "--requirement", str(lock), *options)
    return reported(name, done.stdout, done.stderr)


def reported(name: str, out: str, said: str) -> Check:
    """Read what pip-audit told: JSON where it was answered, else only complaints."""
    try:
        known = json.loads(out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        return Check(name, not_tried=f"the service was not reached ({last:.120})")
    # One that the service does not know is passed over by pip-audit, which then tells of no weakness.
    unknown = [each["name"] for each in known if "vulns" not in each]
    problems = tuple(
        f"{each['name']} {each['version']}: {one['id']}, fixed in {', '.join(one['fix_versions']) or 'no version'}"
        for each in known
        for one in each.get("vulns", ())
    )
    return Check(name, problems, f"the service knows nothing of {len(unknown)} of {len(known)}" if unknown else "")


def _digest(path: Path, mode: str) -> str:
    with path.open("rb") as file:
        return base64.urlsafe_b64encode(hashlib.file_digest(file, mode).digest()).rstrip(b"=").decode()


def _python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
