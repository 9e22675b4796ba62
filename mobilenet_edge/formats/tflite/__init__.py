"""TFLite files: read, and written from the folded graph."""
