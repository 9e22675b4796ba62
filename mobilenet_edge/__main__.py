"""`python -m mobilenet_edge` is `mnet`."""

from mobilenet_edge.cli import main

main()
