"""ONNX files: read, and written from the folded graph."""
