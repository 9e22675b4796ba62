"""Run a sweep in stages, and repeat only the stages that are stale.

A stage is fresh while its ingredients and its output files are unchanged. This is decided by content, never by the age
of a file, so that a sweep can be killed at any time and started again.
"""
