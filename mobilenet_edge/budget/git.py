"""Read files and the current commit from git, without a shell and without programs that a repository configures."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime

from mobilenet_edge.errors import InputError


def show(ref: str, path: str) -> bytes:
    """Return the content of a file in a commit.

    Args:
        ref: A branch, tag or commit.
        path: Path of the file in the working tree.

    Raises:
        InputError: There is no git, no repository, no such ref or no such file, or git would read the ref as an option.
    """
    if not ref or ref.startswith("-"):
        raise InputError(f"git:{ref} names no commit; write git:REF, such as git:main, or git:REF:PATH")
    commit = _git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if commit.returncode:
        raise InputError(f"git has no commit {ref!r} here; a shallow clone may lack it: git fetch origin REF")
    # Unlike show, cat-file applies no filter, pager or colour.
    blob = _git("cat-file", "blob", f"{commit.stdout.decode().strip()}:./{os.path.relpath(path)}")
    if blob.returncode:
        command = f"mnet check --format json --out {path}"
        raise InputError(f"commit {ref} has no {path}; write it with: {command}, and commit it")
    return blob.stdout


def head() -> tuple[str | None, str]:
    """Return the checked-out commit, with "-dirty" if files differ from it, and its date in ISO 8601.

    Outside a repository the commit is None, and the date is now.
    """
    try:
        output = _git("show", "--no-patch", "--no-show-signature", "--format=%H %cI", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except InputError:
        output = None
    if output is None or output.returncode:
        return None, datetime.now(UTC).isoformat(timespec="seconds")
    commit, date = output.stdout.decode().split()
    return f"{commit}-dirty" if changed.stdout.strip() else commit, date


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    # core.fsmonitor could start a program that the repository's configuration names.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise InputError("git is not installed; give the baseline as a file") from error
