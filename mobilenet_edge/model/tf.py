"""TensorFlow and Keras, imported without their noise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mobilenet_edge.errors import MissingExtraError


def load_keras() -> Any:
    """Import Keras on TensorFlow and return it.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    # Read by TensorFlow's native code while it loads; a user who set them keeps what they set.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _silent_stderr():
        try:
            import keras
            import tensorflow as tf
        except ImportError as error:
            raise MissingExtraError(f"Keras models need TensorFlow ({error})", "build") from error
        # The first op starts the device, which logs too.
        tf.constant(0)
    tf.get_logger().setLevel("ERROR")
    return keras


def tensorflow_version() -> str:
    """Version of TensorFlow; its distribution has more than one name, its module one."""
    import tensorflow as tf

    return str(tf.__version__)


@contextmanager
def _silent_stderr() -> Iterator[None]:
    # What TensorFlow's native code logs before its logger is set up ignores every log level: only the descriptor helps.
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
