"""Run the command line: ``python -m minigrad`` is the same as ``minigrad``."""

import sys

from minigrad.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
