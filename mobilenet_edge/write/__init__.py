"""Bytes of a model file from the folded graph, float or quantised. Same graph in, same bytes out."""
