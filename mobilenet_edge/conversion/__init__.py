"""From a Keras model to checked files: the export pipeline, verification, targets and their compilers."""
