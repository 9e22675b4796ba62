"""Whether MediaPipe Tasks' ImageClassifier gives the answers of `mnet evaluate` for files that `mnet export` wrote.

MediaPipe brings OpenCV and more, so this is no test of the suite. In an environment of its own:

    pip install -e '.[tflite,images]' mediapipe
    python scripts/try_mediapipe.py results/model.float32.tflite photos/a.jpg photos/b.jpg

MediaPipe stretches a picture to the size of the input, with a filter of its own. So that the metadata alone is
compared, it is given the pixels that the file's rule has cut out and scaled. The exit code is 1 where a first answer
differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from mobilenet_edge.data import images, prepare
from mobilenet_edge.evaluation import classifier
from mobilenet_edge.evaluation.classifier import Classifier
from mobilenet_edge.formats import artifact


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    options = parser.parse_args()
    model = artifact.read(options.model)
    labels = model.metadata.labels if model.metadata else ()
    task = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(options.model)))
    different = 0
    with vision.ImageClassifier.create_from_options(task) as theirs, classifier.start(model, 1) as ours:
        print("| picture | mnet | MediaPipe | greatest difference of a score |\n| --- | --- | --- | --- |")
        for path in options.pictures:
            mine, other, names = compare(ours, theirs, path)
            best, second = int(mine.argmax()), int(other.argmax())
            different += best != second
            shown = (labels[best] if labels else best, names[second] or second, np.abs(mine - other).max())
            print("| {} | {} | {} | {:.2g} |".format(path.name, *shown))
    sys.exit(int(different > 0))


def compare(
    ours: Classifier, theirs: vision.ImageClassifier, path: Path
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Put one picture to both: the scores of each by class, and the names that MediaPipe gives the classes."""
    pixels = prepare.fit(images.decode(path), ours.rule)
    ours.ask(pixels)
    outputs = ours.answer(whole=True).outputs
    assert outputs is not None
    picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))
    (head,) = theirs.classify(picture).classifications
    scores = np.zeros_like(outputs)
    for each in head.categories:
        scores[each.index] = each.score
    return outputs, scores, {each.index: each.category_name for each in head.categories}


if __name__ == "__main__":
    main()
