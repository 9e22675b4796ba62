"""Run functions in several processes, on this machine or on a Dask cluster."""
