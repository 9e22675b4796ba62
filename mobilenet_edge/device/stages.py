"""Take pictures from the bytes of a file to an answer, and time each part (the modes "ways" and "stages").

A way is a library that decodes and prepares. Each is a module with `title`, `use_threads`, `decode` and `fit`.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import itertools
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from mobilenet_edge.device import facts, measure, picture
from mobilenet_edge.device.faults import DeviceError, InvalidModel, RequestError, first_line
from mobilenet_edge.device.timing import repeat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    from mobilenet_edge.device.picture import Layout, Rule
    from mobilenet_edge.device.runtimes import Session
    from mobilenet_edge.device.worker import Request

# Package and module of each way.
WAYS: Final = {"pillow": ("PIL", "picture"), "opencv": ("cv2", "opencv")}
TOP: Final = 5


def ways(request: Request) -> dict[str, Any]:
    """Name the ways whose libraries are installed.

    Raises:
        DeviceError: There is none.
    """
    installed = [name for name, (package, _) in WAYS.items() if importlib.util.find_spec(package)]
    if not installed:
        raise DeviceError(
            f"{sys.executable} has neither Pillow nor OpenCV to read pictures with; "
            f"run there: {sys.executable} -m pip install pillow"
        )
    return {"ways": installed}


def run(request: Request) -> dict[str, Any]:
    """Time one way: a first picture in a process that has done nothing yet, a warm-up and a steady phase.

    Returns:
        library, version and resize of the way; runtime, runtime_version; import_ns (of library and runtime), load_ns;
        first_ns and times_ns (lists: decode, prepare, infer and top-k of one picture); pictures, their number; host;
        and, where `request.inputs` has mnet's own pixels, what `_compare` returns.

    Raises:
        DeviceError: The model, its runtime or its delegate cannot be used, or a picture cannot be read.
    """
    if request.way not in WAYS or not request.preprocess or request.pictures is None:
        raise RequestError(f"mode 'stages' needs pictures, preprocess and a way, one of {', '.join(WAYS)}")
    pictures = _unpack(Path(request.pictures))
    start = time.perf_counter_ns()
    way = importlib.import_module(f"mobilenet_edge.device.{WAYS[request.way][1]}")
    stages = Stages(way, request.preprocess)
    about = _load(way, stages.rule, WAYS[request.way][0])
    way.use_threads(request.threads)
    library_ns = time.perf_counter_ns() - start
    session, import_ns, load_ns = measure.open_timed(request)
    stages.check(session)
    first = stages.time(session, pictures[0])
    following = itertools.cycle(pictures[1:] + pictures[:1])
    repeat(lambda: stages.time(session, next(following)), request.warmup)
    gc.collect()
    gc.disable()
    laps: list[list[int]] = []
    repeat(lambda: laps.append(stages.time(session, next(following))), request.steady)
    return {
        **about,
        "runtime": session.runtime,
        "runtime_version": session.version,
        "import_ns": library_ns + import_ns,
        "load_ns": load_ns,
        "first_ns": first,
        "times_ns": laps,
        "pictures": len(pictures),
        "host": facts.static(),
        **({} if request.inputs is None else _compare(stages, session, pictures, Path(request.inputs))),
    }


class Stages:
    """From the bytes of a picture to the best classes.

    Args:
        way: A module of `WAYS`.
        preprocess: {"rule", "layout"} with the fields of `picture.Rule` and `picture.Layout`.
    """

    def __init__(self, way: ModuleType, preprocess: dict[str, Any]) -> None:
        self._way = way
        self.rule = cast("Rule", SimpleNamespace(**preprocess["rule"]))
        self._layout = cast("Layout", SimpleNamespace(**preprocess["layout"]))

    def check(self, session: Session) -> None:
        """Refuse a model that has several inputs or outputs."""
        if len(session.inputs) != 1 or len(session.outputs) != 1:
            raise InvalidModel(
                f"the model has {len(session.inputs)} inputs and {len(session.outputs)} outputs; only one picture in "
                "and one list of scores out can be timed"
            )

    def fit(self, name: str, data: bytes) -> NDArray[np.uint8]:
        """Decode and fit a picture: (height, width, channels)."""
        pixels: NDArray[np.uint8] = self._way.fit(self._decode(name, data), self.rule)
        return pixels

    def tensor(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Make the model's input of fitted pixels."""
        return picture.fill(picture.scale(pixels, self.rule), self._layout)

    def time(self, session: Session, named: tuple[str, bytes]) -> list[int]:
        """Return the nanoseconds of decode, prepare, infer and top-k for one picture."""
        clock = time.perf_counter_ns
        start = clock()
        image = self._decode(*named)
        decoded = clock()
        tensor = self.tensor(self._way.fit(image, self.rule))
        prepared = clock()
        (outputs,) = session.run([tensor])
        answered = clock()
        best(outputs, session)
        return [decoded - start, prepared - decoded, answered - prepared, clock() - answered]

    def _decode(self, name: str, data: bytes) -> Any:
        try:
            return self._way.decode(io.BytesIO(data))
        except Exception as error:  # decoders raise all kinds of errors on a file that they do not know
            raise DeviceError(f"{name} cannot be decoded ({first_line(error)}); leave it out") from error


def _load(way: ModuleType, rule: Rule, package: str) -> dict[str, str]:
    """Import the library of a way, and describe it.

    Raises:
        DeviceError: It cannot be loaded, as OpenCV with windows on a machine without a screen.
    """
    try:
        about: dict[str, str] = way.title(rule)
    except ImportError as error:
        raise DeviceError(
            f"{package} cannot be loaded ({first_line(error)}); install it again, OpenCV as opencv-python-headless"
        ) from error
    return about


def best(outputs: NDArray[Any], session: Session) -> list[tuple[int, float]]:
    """Return the classes of the highest scores, the best first, with their scores as real numbers."""
    scores, (tensor,) = outputs.reshape(-1).astype(np.float32), session.outputs
    if tensor.scale:
        scores = (scores - (tensor.zero_point or 0)) * np.float32(tensor.scale)
    order = np.argsort(-scores, kind="stable")[:TOP]
    return list(zip(order.tolist(), scores[order].tolist()))


def _unpack(archive: Path) -> list[tuple[str, bytes]]:
    """Read the pictures of a zip file into memory: what is timed is not the storage."""
    with zipfile.ZipFile(archive) as opened:
        return [(name, opened.read(name)) for name in opened.namelist()]


def _compare(stages: Stages, session: Session, pictures: Sequence[tuple[str, bytes]], own: Path) -> dict[str, Any]:
    """Compare fitted pictures with `own`, those of mnet in an .npy file, and the model's outputs for both.

    Returns:
        mean_difference and max_difference in grey levels (0..255), equal (number of pictures without any); output
        (shape, dtype, scale and zero_point), and outputs and own_outputs, a flat list for each picture.
    """
    mine = np.load(own, allow_pickle=False)
    means: list[float] = []
    maxima: list[int] = []
    outputs: list[NDArray[Any]] = []
    own_outputs: list[NDArray[Any]] = []
    for named, pixels in zip(pictures, mine):
        fitted = stages.fit(*named)
        difference = np.abs(fitted.astype(np.int16) - pixels)
        means.append(float(difference.mean()))
        maxima.append(int(difference.max()))
        for made, values in ((fitted, outputs), (pixels, own_outputs)):
            values.append(session.run([stages.tensor(made)])[0])
    (output,) = session.outputs
    return {
        "mean_difference": sum(means) / len(means),
        "max_difference": max(maxima),
        "equal": maxima.count(0),
        "output": {
            "shape": list(outputs[0].shape),
            "dtype": outputs[0].dtype.name,
            "scale": output.scale,
            "zero_point": output.zero_point,
        },
        "outputs": [values.reshape(-1).tolist() for values in outputs],
        "own_outputs": [values.reshape(-1).tolist() for values in own_outputs],
    }
