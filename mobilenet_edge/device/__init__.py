"""Everything that runs on a device: runtimes, the timing loop, facts of the machine, the worker.

It travels with the codecs of `formats.wire`: Python 3.9, the standard library, numpy and one runtime. Nothing else of
the package is imported here except its version.
"""
