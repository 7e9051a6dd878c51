"""Mint a token with the running stack's issuer: `make token USER=ada ARGS="--expired --alg ES256"`.

`AS=cognito` imitates an identity provider. A stack that was started with its preset accepts such tokens.
Without options the token is valid for eight hours. Each option changes one property.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tools.local.imitations import KINDS
from tools.local.issuer import ALGORITHMS, DEFAULT_TTL, PROVIDERS
from tools.local.state import StackNotRunning, read_state

TIMEOUT = 120
"""Seconds."""


def parse_arguments(arguments: list[str]) -> tuple[dict[str, Any], Path]:
    """Return the token request and the folder of the stack's state."""
    parser = argparse.ArgumentParser(prog="make token", description="Print a token of a development user.")
    parser.add_argument("user", help="ada, grace, linus, noor or admin")
    parser.add_argument("--expired", action="store_true", help="already expired")
    parser.add_argument("--ttl", type=int, default=DEFAULT_TTL, help="lifetime in seconds")
    parser.add_argument("--audience", help="another audience")
    parser.add_argument("--issuer", help="another issuer")
    parser.add_argument("--tenant", help="another tenant; empty for none")
    parser.add_argument("--scope", help="scope claim; profile-media:admin is the administrator's")
    parser.add_argument("--alg", choices=ALGORITHMS, help="signature algorithm; RS256 by default")
    parser.add_argument("--as", dest="provider", choices=PROVIDERS, help="identity provider to imitate")
    parser.add_argument("--kind", choices=KINDS, help="which of an imitated provider's tokens; access by default")
    parser.add_argument("--key", choices=("published", "other"), help="`other` signs with an unpublished key")
    parser.add_argument("--kid", help="another key id")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of stack.json")
    chosen = vars(parser.parse_args(arguments))
    state = chosen.pop("state")
    return {name: value for name, value in chosen.items() if value is not None}, state


def main(arguments: list[str]) -> int:
    """Print the token. Return 1, with a message on standard error, if there is none."""
    wanted, state = parse_arguments(arguments)
    try:
        print(mint(read_state(state)["issuer"], wanted))
    except StackNotRunning as error:
        print(error, file=sys.stderr)
        return 1
    except urllib.error.HTTPError as error:
        print(json.load(error)["message"], file=sys.stderr)
        return 1
    return 0


def mint(issuer: str, wanted: dict[str, Any]) -> str:
    """Return a token of the stack's issuer. Raise HTTPError if it cannot mint it."""
    request = urllib.request.Request(  # noqa: S310 - URL of the local stack
        f"{issuer}/tokens", json.dumps(wanted).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
        return str(json.load(answer)["token"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
