"""The mixed files of a model: which layers stay in float, how that is said, and how a file is written and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mobilenet_edge.conversion import latencies, passes, search, verify
from mobilenet_edge.conversion import target as targets
from mobilenet_edge.conversion.encode import Made
from mobilenet_edge.conversion.latencies import Timing
from mobilenet_edge.conversion.samples import ENOUGH, Samples
from mobilenet_edge.conversion.search import Search, Trial
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.formats.onnx import write as onnx
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, partition
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.quantise.solve import Options, solve


@dataclass(frozen=True)
class Mixing:
    """What decides which layers of a mixed file stay in float.

    Attributes:
        min_agreement: Agreement with the float model on held-out pictures, from 0 to 1, that is to be kept in the
            fewest milliseconds; None for the first layers with a fifth of the MACs.
        latency: File of records of a device to take times from; None to time operators on this machine.
    """

    min_agreement: float | None = None
    latency: Path | None = None

    def check(self, precisions: Sequence[str]) -> None:
        """Refuse what does not go together.

        Raises:
            UsageError: The message says what is missing.
        """
        if self.min_agreement is not None and not 0 < self.min_agreement <= 1:
            raise UsageError(f"--min-agreement must be above 0 and at most 1, got {self.min_agreement:g}")
        if self.min_agreement is not None and "mixed" not in precisions:
            raise UsageError("--min-agreement is about mixed files; add --precision mixed")
        if self.latency is not None and self.min_agreement is None:
            raise UsageError("--latency has the times that --min-agreement weighs; add --min-agreement 0.97")


@dataclass(frozen=True)
class Divider:
    """Divides a graph between float and integers.

    Attributes:
        graph: The folded graph.
        samples: Calibration images.
        options: How hard the quantiser tries.
        entry: The grid of the model's input.
        advance: Called for each node once.
    """

    graph: Graph
    samples: Samples
    options: Options
    entry: QuantParams
    advance: Callable[[], None] = lambda: None

    def default(self) -> MixedGraph:
        """Leave the first layers in float, with a fifth of the MACs."""
        return self.at(partition.default(self.graph), self.advance)

    def at(self, cut: str, advance: Callable[[], None] = lambda: None) -> MixedGraph:
        """Leave all up to a cut in float."""
        mixed = partition.quantise(
            self.graph, cut, self.samples.images, self.options, self.entry, _run, advance, passes.choose()
        )
        for _ in mixed.front.nodes:
            advance()
        return mixed

    def search(
        self, mixing: Mixing, formats: Sequence[str], int8: QuantisedGraph | None, head: Head, whole: bool = False
    ) -> Search:
        """Find the fastest division for each format that keeps an agreement.

        Args:
            mixing: The agreement, and where times come from.
            formats: What will be written.
            int8: The graph in integers only, if it is known already.
            head: What the outputs mean.
            whole: Measure the cuts, too, that the choice does not need.

        Raises:
            UsageError: There are no held-out pictures.
            InputError: The records are not of this model.
            BuildError: No division keeps the agreement, or operators cannot be timed.
        """
        held_out = self.samples.held_out
        if held_out is None or self.samples.source != "images":
            raise UsageError(
                f"--min-agreement is measured on held-out pictures; give at least {ENOUGH} with --calibrate DIR"
            )
        if int8 is None:
            images, chosen = self.samples.images, passes.choose()
            int8 = solve(self.graph, images, self.options, entry=self.entry, engine=chosen)
        timings = (
            latencies.measure(self.graph, int8, formats)
            if mixing.latency is None
            else latencies.read(mixing.latency, self.graph.name, formats)
        )
        ms = {kind: self._estimates(timings[kind], int8.graph) for kind in formats}
        float32_ms = {kind: timings[kind].float32_ms for kind in formats}
        trial = Trial(self.graph, int8, self.at, search.look(held_out), head, formats[-1])
        found = search.run(trial, mixing.min_agreement or 0.0, ms, float32_ms, len(held_out), whole)
        for _ in self.graph.nodes:
            self.advance()
        return replace(found, timed={kind: timings[kind].int8 for kind in formats})

    def _estimates(self, timing: Timing, int8: Graph) -> Mapping[str, float]:
        """Milliseconds by cut, and of all int8 under an empty name."""
        cuts = search.candidates(self.graph, int8)
        return {"": timing.int8_ms} | {cut: timing.estimate(self.graph, int8, cut) for cut in cuts}


def scheme(mixed: MixedGraph, graph: Graph, integers: str) -> str:
    """Say how a mixed file stores what; `integers` is what an int8 file says."""
    layers, total = mixed.layers, len(list(graph.weighted()))
    share = mixed.front.macs / graph.macs
    return f"float32 up to {mixed.cut} ({layers} of {total} layers, {share:.0%} of the MACs); then {integers}"


def make(mixed: MixedGraph, kind: str, about: Metadata, reference: verify.Reference, compact: bool) -> Made:
    """Write and check a mixed file; its ends are float.

    Raises:
        BuildError: It failed its check.
    """
    write: Callable[[MixedGraph], bytes] = (
        partial(onnx.mixed_onnx, activations=targets.find(about.target).activations)
        if kind == "onnx"
        else partial(tflite.mixed_tflite, compact=compact)
    )
    data = write(mixed)
    agreement = verify.mixed_file(kind, data, write(mixed.logits()), mixed, reference)
    return Made(replace(about, agreement=agreement), data)


def _run(graph: Graph, images: Array) -> Array:
    (values,) = passes.outputs(graph, images, [graph.output.name])
    return values
