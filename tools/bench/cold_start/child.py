"""One cold start, in the process that is measured: what Lambda does to a function before its first answer.

    python3.13 -I -S -B tools/bench/cold_start/child.py UNTIL FUNCTION FOLDER... <event.json

UNTIL says where it ends: `init`, when the function is imported; `call`, at its first connection to anywhere;
`answer`, when the handler has returned. Then it writes {"answer": …} or {"error": …} as tools/scripts/invoke_built does.
Imports nothing by itself that the function has not imported already.
"""

import sys
from typing import Any

until, function, *folders = sys.argv[1:]
# Lambda's order: the function, then the layers, which are merged under /opt.
sys.path[:0] = [function, *folders]


class Context:
    """What is used of Lambda's own context."""

    function_name = function.rpartition("/")[2]
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:it"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """A minute, as `reconcile` has."""
        return 60_000


def main() -> None:
    """Starts the function, and invokes it unless told to stop before."""
    from app import handler  # type: ignore[import-not-found]  # noqa: PLC0415

    if until == "init":
        return
    import json  # noqa: PLC0415

    event = json.load(sys.stdin)
    if until == "call":
        stop_at_the_first_connection()
    if "resource" in sys.modules:  # valgrind refuses the limits that the child which decodes pictures sets itself
        sys.modules["resource"].setrlimit = lambda *_: None  # type: ignore[attr-defined]
    outcome: dict[str, Any]
    try:
        outcome = {"answer": handler(event, Context)}
    except Exception as error:  # whatever it raises, Lambda would report
        outcome = {"error": str(error)}
    if until == "call":
        sys.exit(f"it called nobody: {outcome}")
    print(json.dumps(outcome))


def stop_at_the_first_connection() -> None:
    """Ends the process, successfully, where it would have gone to the network."""
    import os  # noqa: PLC0415
    import socket  # noqa: PLC0415

    def connect(*_: object) -> None:
        os._exit(0)

    socket.socket.connect = connect  # type: ignore[method-assign]


main()
