"""Run on a device: runtimes, the timing loop, facts about the machine, and the worker process.

This package is sent to the device together with `formats.wire`. It needs Python 3.9, numpy and one runtime, and
imports nothing else of mobilenet_edge except its version.
"""
