"""`python -m tools.local`, which `make up` runs: start the stack and wait until it is stopped."""

import sys

from tools.local.stack import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
