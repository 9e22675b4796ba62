"""`python -m mobilenet_edge.device`: one JSON request on stdin, one JSON document on stdout."""

import sys

from mobilenet_edge.device.worker import main

sys.exit(main())
