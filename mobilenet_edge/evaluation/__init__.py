"""Run classifiers on images, each in its own process: a damaged file may crash the native runtime.

`evaluate` scores models on a folder, `scoring` divides its images into chunks for worker processes. In a worker `chunk`
runs one chunk, `model_pool` keeps the models open for it, and `classifier` is one of them. `serve` is the program in
the process of a model, `process` its client.
"""
