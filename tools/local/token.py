"""Mints a token with the running stack's issuer: `make token USER=ada ARGS="--expired --alg ES256"`.

Without options it is a good token that lasts a working day; every option makes it differ from that in one way.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tools.local.issuer import ALGORITHMS, LONG
from tools.local.state import StackNotRunning, read_state

TIMEOUT = 10
"""Seconds; the issuer is on this machine."""


def parse_arguments(arguments: list[str]) -> tuple[dict[str, Any], Path]:
    """What to wish for, and where the stack's state lies."""
    parser = argparse.ArgumentParser(prog="token", description=__doc__)
    parser.add_argument("user", help="ada, grace, linus, noor or admin")
    parser.add_argument("--expired", action="store_true", help="it has run out")
    parser.add_argument("--ttl", type=int, default=LONG, help="seconds it lasts")
    parser.add_argument("--audience", help="for another audience than the service")
    parser.add_argument("--issuer", help="in another issuer's name")
    parser.add_argument("--tenant", help="of another tenant than the user's; empty for none")
    parser.add_argument("--scope", help="with this scope claim; profile-media:admin is the administrator's")
    parser.add_argument("--alg", choices=ALGORITHMS, help="signed otherwise than by RS256")
    parser.add_argument("--key", choices=("published", "other"), help="signed with a key that nobody knows")
    parser.add_argument("--kid", help="naming a key of this id")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="where the stack keeps stack.json")
    chosen = vars(parser.parse_args(arguments))
    state = chosen.pop("state")
    return {name: value for name, value in chosen.items() if value is not None}, state


def main(arguments: list[str]) -> int:
    """Prints the token; exit status 1, and why on standard error, where there is none."""
    wish, state = parse_arguments(arguments)
    try:
        print(_mint(read_state(state)["issuer"], wish))
    except StackNotRunning as error:
        print(error, file=sys.stderr)
        return 1
    except urllib.error.HTTPError as error:
        print(json.load(error)["message"], file=sys.stderr)
        return 1
    return 0


def _mint(issuer: str, wish: dict[str, Any]) -> str:
    request = urllib.request.Request(  # noqa: S310 - the address is the stack's own
        f"{issuer}/tokens", json.dumps(wish).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
        return str(json.load(answer)["token"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
