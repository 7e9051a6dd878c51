"""`python -m tools.local`: starts the stack and stays until it is told to go."""

import sys

from tools.local.stack import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
