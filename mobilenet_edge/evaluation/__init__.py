"""Running classifiers on images, each in a process of its own: a damaged file may crash the native runtime.

`chunk` answers for a number of images, `panel` keeps the models open that are asked about them, and `classifier` is one
of these; `serve` is the program in its process, `process` the near end.
"""
