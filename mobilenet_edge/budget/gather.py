"""From files and records to subjects: all that is said of one artifact in one place."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.budget.subject import FITTED, Run, Subject
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.records import ArtifactRecord, Evaluation, Failure, Inspection, Profile, Record

Groups = dict[str, list[ArtifactRecord]]


def gather(paths: Sequence[Path], records: Iterable[Record]) -> tuple[list[Subject], list[str]]:
    """Join files, and records that belong to them by their hash, with records of other files.

    Args:
        paths: Model files.
        records: Of any kind, of these files and others.

    Returns:
        The subjects in the order given, and remarks.

    Raises:
        InputError: A file is missing, no model, or damaged.
    """
    groups, failures = defaultdict[str, list[ArtifactRecord]](list), list[Failure]()
    for record in records:
        if isinstance(record, ArtifactRecord):
            groups[record.sha256].append(record)
        elif isinstance(record, Failure):
            failures.append(record)
    found = [_of_file(path, groups) for path in dict.fromkeys(paths)]
    stale = _stale({each.artifact for each in found}, groups)
    found += [_of_records(group) for group in groups.values()]
    notes = [f"{each} was made again after its records were: they are passed over, measure it again" for each in stale]
    return _with_failures(found, failures), notes


def _of_file(path: Path, groups: Groups) -> Subject:
    data, about = artifact.metadata(path)
    own: list[ArtifactRecord] = []
    # Hashing takes longer than all the rest: only where a record could be of this file.
    if any(group[0].size_bytes == len(data) for group in groups.values()):
        own = groups.pop(hashlib.sha256(data).hexdigest(), [])
    if about is None:
        return _filled(_foreign(artifact.read(path)), own)
    made = Subject(
        str(path), about.variant, path.suffix.removeprefix("."), about.precision, about.target, len(data), about.macs,
        about.parameters, **_at_export(asdict(about.agreement) if about.agreement else None),
    )  # fmt: skip
    return _filled(made, own)


def _foreign(found: artifact.Artifact) -> Subject:
    variant = found.path.name.removesuffix(f".{found.format}")
    size, sections = found.size_bytes, found.contents.sections
    return Subject(str(found.path), variant, found.format, found.precision, size_bytes=size, bytes=sections)


def _of_records(group: Sequence[ArtifactRecord]) -> Subject:
    first = group[0]
    return _filled(
        Subject(
            first.artifact, first.variant, first.format, first.precision, first.target, first.size_bytes, first.macs,
            first.parameters,
        ),
        group,
    )  # fmt: skip


def _filled(subject: Subject, group: Sequence[ArtifactRecord]) -> Subject:
    """Add what records hold beyond the identity."""
    inspections = [each for each in group if isinstance(each, Inspection)]
    runs = tuple(_run(each) for each in group if isinstance(each, Profile))
    evaluations = [each for each in group if isinstance(each, Evaluation)]
    more: dict[str, Any] = {"runs": runs}
    for each in inspections:
        more["bytes"] = each.bytes
        more |= _at_export((each.metadata or {}).get("agreement"))
    agreements = [(each.agreement, each.n) for each in evaluations if each.agreement is not None]
    if agreements:
        share, count = min(agreements)
        more |= {"agreement": share, "agreement_of": f"{count} images"}
    if tops := [each.top1 for each in evaluations if each.top1 is not None]:
        more["top1"] = min(tops)
    return replace(subject, **more)


def _run(profile: Profile) -> Run:
    host = str(profile.host.get("name") or LOCAL)
    reason = unusable(profile)
    return Run(host, profile.threads, profile.median_ms, profile.peak_rss_bytes, sentence(reason) if reason else None)


def _at_export(agreement: Mapping[str, Any] | None) -> dict[str, Any]:
    """The agreement that the artifact itself tells; on noise it would be chance, on fitted images flattery."""
    if not agreement or agreement.get("inputs", "images") != "images":
        return {}
    if not agreement.get("held_out", False):
        return {"agreement_of": FITTED}
    return {"agreement": agreement["top1"], "agreement_of": f"{agreement['count']} held-out images at export"}


def _stale(paths: set[str], groups: Groups) -> list[str]:
    """Take out the records of another content of the files; name these files."""
    old = [digest for digest, group in groups.items() if all(each.artifact in paths for each in group)]
    return list(dict.fromkeys(each.artifact for digest in old for each in groups.pop(digest)))


def _with_failures(found: Sequence[Subject], failures: Sequence[Failure]) -> list[Subject]:
    """Say at each subject what failed of it; what failed before there was a file becomes a subject without figures."""
    left = list(failures)
    told = []
    for subject in found:
        own = [each for each in left if _means(each, subject)]
        left = [each for each in left if each not in own]
        told.append(replace(subject, failures=tuple(f"{each.stage} failed: {each.reason}" for each in own)))
    groups = defaultdict[Any, list[Failure]](list)
    for each in left:
        groups[each.variant, each.format, each.precision].append(each)
    return told + [_failed(group) for group in groups.values()]


def _failed(group: Sequence[Failure]) -> Subject:
    first = group[0]
    reasons = tuple(f"{each.stage} failed: {each.reason}" for each in group)
    return Subject(first.artifact or first.variant, first.variant, first.format, first.precision, failures=reasons)


def _means(failure: Failure, subject: Subject) -> bool:
    if failure.artifact is not None and failure.artifact == subject.artifact:
        return True
    same = (failure.variant, failure.format, failure.precision) == (subject.variant, subject.format, subject.precision)
    return failure.artifact is None and same
