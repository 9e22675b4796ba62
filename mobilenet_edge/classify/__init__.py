"""Running classifiers on images, each in a process of its own: a damaged file may crash the native runtime.

`classifier.start` opens an artifact; `serve` is the program in the process, `process` its near end.
"""
