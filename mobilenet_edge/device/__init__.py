"""Everything that runs on a device: runtimes, the timing loop, facts of the machine, the worker.

It travels alone: Python 3.9, the standard library, numpy and one runtime. Nothing of the package is imported here
except its version.
"""
