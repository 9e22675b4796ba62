"""The stages of a sweep: build, export, evaluate, profile."""
