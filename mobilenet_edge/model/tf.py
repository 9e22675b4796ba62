"""TensorFlow and Keras, imported without their noise."""

from __future__ import annotations

import os
from typing import Any

from mobilenet_edge.device.streams import quiet
from mobilenet_edge.errors import MissingExtraError


def load_keras() -> Any:
    """Import Keras on TensorFlow and return it.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    # Read by TensorFlow's native code while it loads; a user who set them keeps what they set.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # What the native code logs before its logger is set up ignores every log level.
    with quiet():
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
