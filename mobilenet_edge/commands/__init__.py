"""The verbs of `mnet`: one module each, one function `run`, which returns values and never prints."""
