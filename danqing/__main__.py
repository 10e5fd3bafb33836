"""``python -m danqing``."""

from danqing.faces.cli import main

main()
