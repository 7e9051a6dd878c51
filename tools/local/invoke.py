"""Run one function in this process, against the running stack: `make invoke FUNCTION=bind_avatar EVENT=file`.

The function has the terminal, so `breakpoint()` works. Without EVENT it gets a fresh event. The last line that is
printed is its answer. Exit status 1 if it raises an exception.
"""

import argparse
import json
import os
import sys
import time
import traceback
import uuid
from pathlib import Path

from tools.local import worker
from tools.local.events import FunctionUnknown, events_of, find
from tools.local.runner import Function, invocation_of, runtime_variables
from tools.local.state import StackNotRunning

KEPT = ("HOME", "PYTHONBREAKPOINT", "TERM")
"""Variables of the terminal that debuggers need."""


def run(function: Function, event: str) -> int:
    """Call the handler and print its answer. Return 1 if it raises an exception."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update({**function.environment, **runtime_variables(function), **kept})
    time.tzset()
    folders = [str(folder) for folder in function.sources]
    worker.forget(folders)
    worker.import_from(folders)
    invocation = invocation_of(function, event, str(uuid.uuid4()), None)
    context = worker.Context(**invocation["context"], deadline=time.monotonic() + invocation["seconds"])
    try:
        answer = worker.load(function.handler)(json.loads(event), context)
    except Exception:
        traceback.print_exc()
        return 1
    print(json.dumps(answer))
    return 0


def main(arguments: list[str]) -> int:
    """Run the function. Return 1 if it fails, or if there is no stack, function or event."""
    parser = argparse.ArgumentParser(prog="make invoke", description="Run one function in this process.")
    parser.add_argument("function", help="its folder or logical id")
    parser.add_argument("--event", type=Path, help="a JSON file; default: a fresh event")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of stack.json")
    chosen = parser.parse_args(arguments)
    try:
        with events_of(chosen.state) as events:
            function = find(events.runner.functions, chosen.function)
            event = chosen.event.read_text() if chosen.event else json.dumps(events.fresh(function))
            json.loads(event)
    except (StackNotRunning, FunctionUnknown, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return run(function, event)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
