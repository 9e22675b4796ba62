"""Write a graph in all precisions and formats that are asked for, from one calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.conversion import background, derive, encode, mixture, passes
from mobilenet_edge.conversion import target as targets
from mobilenet_edge.conversion.encode import Made
from mobilenet_edge.conversion.micro.emit import Sources
from mobilenet_edge.conversion.mixture import Divider, Mixing
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.conversion.search import Search
from mobilenet_edge.conversion.verify import Reference
from mobilenet_edge.errors import BuildError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Metadata
from mobilenet_edge.graph import Graph
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise import QuantisedGraph, QuantParams, solve, synthetic, weights
from mobilenet_edge.quantise.attribution import attribute
from mobilenet_edge.quantise.entry import grid as input_grid
from mobilenet_edge.quantise.entry import require_within
from mobilenet_edge.quantise.partition import MixedGraph
from mobilenet_edge.records.export import LayerLoss
from mobilenet_edge.records.record import CALIBRATED

# Writes and checks the file of a format, of which the metadata are known but for what the check finds.
_Maker = Callable[[str, Metadata], Made]


@dataclass(frozen=True)
class Settings:
    """What is written.

    Attributes:
        formats: "tflite" and "onnx", or one of them.
        precisions: Of which int8 and mixed need samples.
        out: The folder to write to.
        io: Element type of an int8 file's input and output, None for the target's.
        effort: A key of `EFFORTS`.
        compact: Leave the scales of inner tensors out of an int8 .tflite.
        mixing: What decides which layers of a mixed file stay in float.
        explain: Divide the loss of int8 among the layers.
    """

    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    out: Path
    io: str | None = None
    effort: str = "fast"
    compact: bool = False
    mixing: Mixing = field(default_factory=Mixing)
    explain: bool = False

    def steps(self, graph: Graph) -> int:
        """Return how often a bar advances."""
        files = len(self.formats) * len(self.precisions)
        return files + len(set(CALIBRATED) & set(self.precisions)) * len(graph.nodes)


class Assembly:
    """The files of one graph.

    Args:
        graph: The float graph, of the variant's name.
        about: What all files say of themselves; its target decides what else is made of them.
        samples: Calibration; None where no precision needs any.
        settings: What is written.
        advance: Called after each layer of int8 and mixed files, and after each file.

    Attributes:
        search: What a search for a mixed file found; None where there was none.
        losses: What rounding each layer of the int8 files costs, where that was asked for.
        sources: C++ that was written beside a file for a microcontroller.
    """

    def __init__(
        self,
        graph: Graph,
        about: Metadata,
        samples: Samples | None,
        settings: Settings,
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        self.search: Search | None = None
        self.losses: tuple[LayerLoss, ...] = ()
        self.sources: tuple[Sources, ...] = ()
        self._graph, self._samples, self._settings, self._advance = graph, samples, settings, advance
        self._target = targets.find(about.target)
        self._about = replace(about, calibration=None)
        self._tools = {kind: encode.tools(kind) for kind in settings.formats}
        self._solved: Future[QuantisedGraph] = Future()
        self._answers: list[NDArray[Any]] = []

    @cached_property
    def _reference(self) -> Reference:
        return encode.reference(self._graph, self._samples, self._about.preprocess)

    def write(self) -> Iterator[Artifact]:
        """Write every format of every precision; yield each file once it is checked.

        Integers are solved while the reference is computed and float files are written.

        Raises:
            BuildError: Some failed; all others have been written by then.
        """
        formats, precisions, out = self._settings.formats, self._settings.precisions, self._settings.out
        failures: list[str] = []
        with workers() as pool, ExitStack() as stack:
            if self._samples is not None and "int8" in precisions:
                work = partial(self._solve, self._samples)
                self._solved = stack.enter_context(background.start(pool, work, self._advance))
            for precision in precisions:
                about = replace(self._about, precision=precision, scheme=encode.SCHEMES[precision])
                make = self._maker(about)
                for kind in formats:
                    path = out / artifact.file_name(about.variant, precision, kind, about.target)
                    try:
                        made = make(kind, replace(about, tools=self._tools[kind]))
                        derived = derive.of(path, made.about, made.data)
                    except BuildError as error:
                        failures.append(str(error))
                        continue
                    if made.outputs is not None:
                        self._answers.append(self._reference.head.answers(made.outputs))
                    yield _written(path, made.about, made.data)
                    if derived is not None:
                        yield from self._keep(derived)
                    self._advance()
        if failures:
            written = len(formats) * len(precisions) - len(failures)
            raise BuildError("; ".join(failures) + (f" (the other files are in {out})" if written else ""))

    @property
    def mutual(self) -> float | None:
        """Share of the checked images on which the int8 files give the same answer: class, side or set of labels.

        None where there are no images or no two such files. It is said, not stored, since a file is the same whatever
        was written beside it.
        """
        if not self._reference.real or len(self._answers) < 2 or self._reference.head is Head.features:
            return None
        return float(np.all([each == self._answers[0] for each in self._answers], axis=0).all(axis=-1).mean())

    def _keep(self, derived: derive.Derived) -> Iterator[Artifact]:
        if derived.sources is not None:
            derived.sources.write()
            self.sources += (derived.sources,)
        if derived.name is not None:
            yield _written(self._settings.out / derived.name, derived.about, derived.data)

    def _maker(self, about: Metadata) -> _Maker:
        """Prepare the files of a precision."""
        if self._samples is not None and about.precision in CALIBRATED:
            return self._calibrated(self._samples, about.precision)
        rounded = (weights.nearest(self._graph),) if about.precision == "dynamic" else ()
        return lambda kind, own: encode.small(self._graph, rounded, kind, own, self._reference)

    def _calibrated(self, samples: Samples, precision: str) -> _Maker:
        calibration = samples.describe()
        make = self._integer(samples) if precision == "int8" else self._mixed(samples)

        def described(kind: str, about: Metadata) -> Made:
            scheme = about.scheme + encode.PAIRS * self._options.pairs
            return make(kind, replace(about, scheme=scheme, calibration=calibration))

        return described

    @cached_property
    def _options(self) -> solve.Options:
        synthesised = self._samples is not None and self._samples.source == "synthetic"
        margin = synthetic.MARGIN if synthesised else 1.0
        return replace(solve.EFFORTS[self._settings.effort], pairs=self._target.pairs, margin=margin)

    def _entry(self, samples: Samples) -> QuantParams:
        entry = input_grid(self._about.preprocess)
        require_within(samples.images, entry)
        return entry

    def _solve(self, samples: Samples, step: Callable[[], None]) -> QuantisedGraph:
        entry = self._entry(samples)
        return solve.solve(self._graph, samples.images, self._options, step, entry, engine=passes.choose())

    def _integer(self, samples: Samples) -> _Maker:
        # Not in the thread that solves, so that it takes no time of its own.
        reference = self._reference
        quantised = self._solved.result()
        if self._settings.explain:
            self.losses = attribute(self._graph, quantised, samples.checking)

        def make(kind: str, about: Metadata) -> Made:
            io = self._settings.io or self._target.io(kind)
            return encode.integer(quantised, kind, io, about, reference, self._settings.compact)

        return make

    def _mixed(self, samples: Samples) -> _Maker:
        divider = Divider(self._graph, samples, self._options, self._entry(samples), self._advance)
        chosen = self._divide(divider)

        def make(kind: str, about: Metadata) -> Made:
            own = replace(about, scheme=mixture.scheme(chosen[kind], self._graph, about.scheme))
            return mixture.make(chosen[kind], kind, own, self._reference, self._settings.compact)

        return make

    def _divide(self, divider: Divider) -> Mapping[str, MixedGraph]:
        """Choose what stays in float in the mixed file of each format."""
        formats, mixing = self._settings.formats, self._settings.mixing
        if mixing.min_agreement is None:
            return dict.fromkeys(formats, divider.default())
        int8 = self._solved.result() if "int8" in self._settings.precisions else None
        self.search = divider.search(mixing, formats, int8, self._reference.head, whole=self._settings.explain)
        return self.search.chosen


def write_quantised(
    graph: Graph, quantised: QuantisedGraph, about: Metadata, samples: Samples, out: Path, scheme: str = ""
) -> list[Artifact]:
    """Write, and check, the int8 files of any processor from integers that are there already.

    Args:
        graph: The float graph.
        quantised: Its integers.
        about: Of the model.
        samples: What the integers were calibrated with.
        out: The folder to write to.
        scheme: How they came about, beyond the usual.

    Raises:
        BuildError: A file failed its check.
    """
    target = targets.find("generic")
    reference = encode.reference(graph, samples, about.preprocess)
    scheme = encode.SCHEMES["int8"] + encode.PAIRS + scheme
    about = replace(about, precision="int8", scheme=scheme, calibration=samples.describe(), target=target.name)
    files = []
    for kind in target.formats:
        own = replace(about, tools=encode.tools(kind))
        made = encode.integer(quantised, kind, target.io(kind), own, reference, compact=False)
        files.append(
            _written(out / artifact.file_name(about.variant, "int8", kind, target.name), made.about, made.data)
        )
    return files


def _written(path: Path, about: Metadata, data: bytes) -> Artifact:
    artifact.write(path, data, about)
    return artifact.read(path)
