"""Measure one function and its two peers in one process. They take turns.

python -m tools.bench.warm.worker FUNCTION ROUNDS BLOCK

Prints JSON: the CPU milliseconds of a call in each round, and the calls to AWS, for each side.
"""

import contextlib
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.bench.warm import stub

EVENTS = Path(__file__).parents[3] / "events"
WARM_UP = 30
PEERS = ("documented", "by_hand")
SIDES = ("ours", *PEERS)

CONTEXT = SimpleNamespace(
    function_name="warm",
    aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    memory_limit_in_mb="1024",
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:warm",
    get_remaining_time_in_millis=lambda: 60_000,
)

type Call = Callable[[], dict[str, Any]]


def caller(side: str, function: str) -> Call:
    """Return a function that invokes the handler with its sample event."""
    module = importlib.import_module(f"functions.{function}.app" if side == "ours" else f"tools.bench.warm.{side}")
    handler = getattr(module, "handler" if side == "ours" else function)
    event = json.loads((EVENTS / f"{function}.json").read_text())
    for headers in ("headers", "multiValueHeaders"):
        event[headers].pop("Idempotency-Key", None)  # the peers do not replay requests
    if function == "get_upload":
        event["pathParameters"] = {"uploadId": stub.UPLOAD_ID}
    return lambda: handler(event, CONTEXT)


def compare(function: str, rounds: int, block: int) -> dict[str, Any]:
    """Return CPU times and calls. Raise RuntimeError if the answers differ in more than values."""
    aws = stub.Stub()
    aws.install()
    sides = {side: caller(side, function) for side in SIDES}
    calls, shapes = {}, {}
    for side, call in sides.items():
        for _ in range(WARM_UP):
            aws.calls = []
            answer = call()
        calls[side], shapes[side] = aws.calls, (answer["statusCode"], _shape(json.loads(answer["body"])))
    if shapes["ours"][0] >= 300 or any(shapes[peer] != shapes["ours"] for peer in PEERS):
        raise RuntimeError(f"{function} and its peers answer differently: {shapes}")
    aws.calls = None
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in SIDES[number % 3 :] + SIDES[: number % 3]:
            start = time.process_time()
            for _ in range(block):
                sides[side]()
            times[side].append((time.process_time() - start) * 1000 / block)
    return {"ms": times, "calls": calls}


def _shape(value: Any) -> Any:
    """Return the names and types of a JSON value."""
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in sorted(value.items())}
    return type(value).__name__


def main(function: str, rounds: int, block: int) -> None:
    # Powertools warns when a handler has no metrics, as get_upload has none.
    warnings.filterwarnings("ignore", "No application metrics", UserWarning)
    with open(os.devnull, "w", buffering=1) as null, contextlib.redirect_stdout(null):
        measured = compare(function, rounds, block)
    print(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
