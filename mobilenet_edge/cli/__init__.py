"""The command line: a verb parses, calls one function, prints, and stops.

The verbs register themselves in the order in which `mnet --help` lists them.
"""

from mobilenet_edge.cli import creating, measuring, deciding, checking  # noqa: F401, I001 - the order of the help
from mobilenet_edge.cli.app import app, main

__all__ = ["app", "main"]
