"""Model files: readers and writers of TFLite, ONNX and Keras, and the metadata inside them."""
