"""Run the worker: `python -m mobilenet_edge.device` reads a JSON request on stdin and prints a JSON document."""

import sys

from mobilenet_edge.device.worker import main

sys.exit(main())
