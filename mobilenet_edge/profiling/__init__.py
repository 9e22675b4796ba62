"""Measure latency and memory over processes, rounds and machines."""
