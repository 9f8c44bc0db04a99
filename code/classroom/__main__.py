"""`python -m classroom`: see cli.py."""

import sys

if sys.platform == "win32":
    sys.exit("classroom: grading needs Linux, for its sandbox; on Windows, run it in WSL")

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
