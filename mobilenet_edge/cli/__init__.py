"""Define the command line: each verb parses its options, calls one function, prints the result and exits.

The verbs are registered on import, in the order in which `mnet --help` lists them.
"""

from mobilenet_edge.cli import creating, measuring, deploying, deciding, checking  # noqa: F401, I001 - the order of the help
from mobilenet_edge.cli.app import app, main

__all__ = ["app", "main"]
