"""Coral's Edge TPU: which operators it takes, and its compiler. Everything known here is public; see docs/coral.md."""
