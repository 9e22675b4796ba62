"""Turn scores into evaluations: the records of `mnet evaluate`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from mobilenet_edge.data.truth import Truth
from mobilenet_edge.evaluation import breakdown, changes, chunk
from mobilenet_edge.evaluation.score import Score
from mobilenet_edge.evaluation.scoring import Key, Sample, Subject
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.records import Evaluation, Remark
from mobilenet_edge.records.answers import Comparison, pack

# As `mnet train` describes the source of weights.
_TRAINED: Final = re.compile(r", trained on (.+) \([0-9a-f]+\)$")


@dataclass(frozen=True)
class Session:
    """What the evaluations of one call have in common.

    Attributes:
        sample: Images that were asked about.
        scores: Score of each model, by the key of its subject.
        truth: Listed labels of the images; None where class folders say it.
        reference: Float model that the others are compared with.
        leave_out: Number of calibration images that were left out.
        split: Which of several splits was scored, in words; may be empty.
        unseen: Whether it is known that the models were made without the images.
    """

    sample: Sample
    scores: Mapping[Key, Score]
    truth: Truth | None = None
    reference: Artifact | None = None
    leave_out: int = 0
    split: str = ""
    unseen: bool = False
    _digests: dict[bytes, str] = field(default_factory=dict)

    def record(self, subject: Subject, siblings: Sequence[Artifact], conditions: Mapping[str, Any]) -> Evaluation:
        """Return the evaluation of a model.

        Args:
            subject: The model.
            siblings: Files evaluated in the same call, this one included.
            conditions: How it was measured, beyond what the session says.
        """
        score, identity, judge = self.scores[subject.key], subject.model.identity(), self.reference
        likeness: dict[str, Any] = {} if judge is None else score.likeness(self.scores[judge.path, False])
        right = "" if score.truth is None else pack(score.correct()[score.readable])
        return Evaluation(
            **{**identity, "lacks": (*identity.get("lacks", ()), *_assumed(subject, score))},
            **score.figures(),
            **breakdown.by_class(score),
            **likeness,
            right=right,
            reference=None if judge is None else str(judge.path),
            data=str(self.sample.folder),
            pictures=self._digest(score),
            comparisons=tuple(self._comparisons(subject, siblings)),
            remarks=() if self.unseen else tuple(_seen(subject.model, self.leave_out)),
            unreadable=tuple(self.sample.chosen[place] for place in np.flatnonzero(~score.readable).tolist()),
            runtime=score.facts["runtime"],
            runtime_version=score.facts["version"],
            host=LOCAL if subject.place is None else subject.place.device.name,
            delegate=score.facts["delegate"],
            workstation=self._workstation(subject),
            conditions={
                **conditions,
                **({"split": self.split} if self.split else {}),
                "images_found": len(self.sample.found),
                "labels": subject.labels.source if subject.labels else "",
                "preprocess": score.facts["rule"],
            },
        )

    def _workstation(self, subject: Subject) -> dict[str, Any] | None:
        """Compare a model that ran at a `Place` with itself on this machine; None where it did not run here too."""
        here = self.scores.get((subject.model.path, False))
        if subject.place is None or here is None:
            return None
        facts = {"runtime": here.facts["runtime"], "runtime_version": here.facts["version"]}
        return facts | self.scores[subject.key].likeness(here)

    def _comparisons(self, subject: Subject, siblings: Sequence[Artifact]) -> Iterator[Comparison]:
        """Compare a model with the reference and with the float file of the same variant."""
        base = _base(subject.model, siblings)
        others = [(self.reference, False), (base, subject.place is not None)]
        found = {other.sha256: (other, there) for other, there in others if other is not None}
        found.pop(subject.model.sha256, None)
        for other, there in found.values():
            comparison = changes.compare(
                self.scores[subject.key], self.scores[other.path, there], other, self.sample.chosen
            )
            if comparison is not None:
                yield comparison

    def _digest(self, score: Score) -> str:
        """Compute the SHA-256 of the names, sizes and listed labels of the readable images."""
        key = score.readable.tobytes()
        if key not in self._digests:
            names = [self.sample.chosen[place] for place in np.flatnonzero(score.readable).tolist()]
            labels = self.truth.of(names) if self.truth else ()
            facts = [names, chunk.sizes(self.sample.folder, names), labels]
            self._digests[key] = hashlib.sha256(json.dumps(facts).encode("utf-8", "surrogatepass")).hexdigest()
        return self._digests[key]


def _base(model: Artifact, siblings: Sequence[Artifact]) -> Artifact | None:
    """Find the float32 file of the same variant, one of the same format first; None for a foreign file."""
    same = [
        each
        for each in siblings
        if each.metadata and model.metadata and each.metadata.variant == model.metadata.variant
        if each.precision == "float32"
    ]
    return next((each for each in same if each.format == model.format), same[0] if same else None)


def _seen(model: Artifact, leave_out: int) -> Iterator[Remark]:
    """Say what the file tells about whether the scored images were used to make it."""
    about = model.metadata
    if about is None:
        return
    if (trained := _TRAINED.search(about.weights.source)) is not None:
        yield Remark("trained-on", folder=trained[1])
    if about.calibration is None or about.calibration.source != "images":
        return
    if leave_out >= about.calibration.count:
        yield Remark("calibration-left-out", count=leave_out)
    else:
        yield Remark("calibration-unknown", count=about.calibration.count)


def _assumed(subject: Subject, score: Score) -> Iterator[str]:
    yield from score.facts["assumed"]
    labels = subject.labels
    if labels is not None and score.truth is not None and labels.assumed:
        yield f"class names (assumed: the {labels.source}, {labels.remark or 'in sorted order'})"
    if score.shift == 1:
        yield f"the first of its {score.facts['shape'][-1]} outputs (assumed: background)"
