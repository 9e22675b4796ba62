"""Run models on inputs, on whichever machine this Python is, and print what they answer.

python outputs.py WORKER.pyz MODEL... with MODEL.npy beside each: (count, *shape of its input)
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, sys.argv[1])
from mobilenet_edge.device import runtimes

if platform.machine() == "x86_64" and any(path.endswith(".onnx") for path in sys.argv[2:]):
    # Without VNNI its integer kernels cut off sums of weights that are meant for Arm (docs/quantisation.md): in float.
    import onnxruntime

    options = onnxruntime.SessionOptions

    def exact() -> onnxruntime.SessionOptions:
        made = options()
        made.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return made

    onnxruntime.SessionOptions = exact

answers = {}
for path in map(Path, sys.argv[2:]):
    session = runtimes.open_model(path)
    given = np.load(path.with_suffix(path.suffix + ".npy"))
    answers[path.name] = {
        "runtime": session.runtime,
        "version": session.version,
        "scale": session.outputs[0].scale,
        "zero_point": session.outputs[0].zero_point,
        "outputs": [session.run([each])[0][0].tolist() for each in given],
    }
json.dump(answers, sys.stdout)
