"""What git tells: a file as it was, and where we are. No shell, and nothing that a repository could have run."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime

from mobilenet_edge.errors import InputError


def show(ref: str, path: str) -> bytes:
    """Return a file as it was committed at a ref.

    Args:
        ref: A branch, tag or commit.
        path: Of the file now.

    Raises:
        InputError: No git, no repository, no such ref or file; or a ref that git would take for an option.
    """
    if not ref or ref.startswith("-"):
        raise InputError(f"git:{ref} names no commit; write git:REF, such as git:main, or git:REF:PATH")
    commit = _git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if commit.returncode:
        raise InputError(f"git has no commit {ref!r} here; a shallow clone lacks it, get it with: git fetch origin REF")
    # cat-file and not show: no filter, no pager, no colour.
    blob = _git("cat-file", "blob", f"{commit.stdout.decode().strip()}:./{os.path.relpath(path)}")
    if blob.returncode:
        make = f"mnet check --format json --out {path}"
        raise InputError(f"{path} was not committed at {ref}; make one with: {make}, and commit it")
    return blob.stdout


def head() -> tuple[str | None, str]:
    """Return the commit that is checked out, with "-dirty" where files differ from it, and its date; ISO 8601.

    Outside of a repository there is no commit, and the date is now.
    """
    try:
        found = _git("show", "--no-patch", "--no-show-signature", "--format=%H %cI", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except InputError:
        found = None
    if found is None or found.returncode:
        return None, datetime.now(UTC).isoformat(timespec="seconds")
    commit, date = found.stdout.decode().split()
    return f"{commit}-dirty" if changed.stdout.strip() else commit, date


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    # A file system monitor is a program that the repository's configuration names.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise InputError("git is not installed; give the baseline as a file") from error
