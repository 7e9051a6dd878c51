"""Users against the stack that runs; exit status 1 if anything is wrong: python -m tools.bench.load.users --users 20."""

import argparse
import sys
from pathlib import Path

from tools.bench.load.area import pictures, throughput
from tools.bench.load.life import NotOurs, lives
from tools.bench.load.remains import Remains
from tools.local.state import StackNotRunning, read_state


def main() -> int:
    """Puts the stack under load, and prints what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.load.users", description=__doc__)
    parser.add_argument("--users", type=int, default=20, help="at once")
    parser.add_argument("--lives", type=int, default=2, help="of each, one after the other")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="where the running stack keeps stack.json")
    chosen = parser.parse_args()
    try:
        state = read_state(chosen.state)
        log = lives(state, chosen.users, chosen.lives, pictures())
    except (StackNotRunning, NotOurs) as error:
        print(error, file=sys.stderr)
        return 1
    wrong = [*log.errors, *Remains(state).wrong([log])]
    print("\n".join([throughput(log), *wrong]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
