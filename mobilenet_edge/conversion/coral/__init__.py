"""Check models for Coral's Edge TPU, and run its compiler. All facts are from public sources; see docs/coral.md."""
