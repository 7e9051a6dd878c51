"""One function and its peer in one process, taking turns: CPU in ms a call, of each round.

python -m tools.bench.warm.worker FUNCTION ROUNDS BLOCK
"""

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench.context import context
from tools.bench.warm import stub

EVENTS = Path(__file__).parents[3] / "events"
WARMING = 30
MODULES = {"ours": "functions.{}.app", "peer": "tools.bench.warm.peers"}


def handler_of(side: str, function: str) -> Callable[..., dict[str, Any]]:
    """The handler, imported as Lambda would."""
    module = importlib.import_module(MODULES[side].format(function))
    handler: Callable[..., dict[str, Any]] = getattr(module, "handler" if side == "ours" else function)
    return handler


def caller(side: str, function: str) -> Callable[[], dict[str, Any]]:
    """Invokes the function with its sample event."""
    handler, text = handler_of(side, function), (EVENTS / f"{function}.json").read_text()
    event = json.loads(text)
    if function == "get_upload":
        event["pathParameters"] = {"uploadId": stub.UPLOAD_ID}
    given = context(function)
    return lambda: handler(event, given)


def compare(function: str, rounds: int, block: int) -> dict[str, Any]:
    """What each call takes, both sides in turn; the calls each makes to AWS."""
    calls: list[str] = []
    stub.install(calls)
    sides, made, answers = {side: caller(side, function) for side in MODULES}, {}, {}
    for side, call in sides.items():
        for _ in range(WARMING):
            calls.clear()
            answers[side] = call()
        made[side] = calls.copy()
    _check(*answers.values())
    stub.install()
    measured: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sorted(sides, reverse=number % 2 == 1):
            began = time.process_time()
            for _ in range(block):
                sides[side]()
            measured[side].append((time.process_time() - began) * 1000 / block)
    return {"ms": measured, "calls": made}


def _check(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Both succeeded, and answered alike to the member; values differ by ids, times and signatures."""
    if one["statusCode"] >= 300 or _shape(one) != _shape(other):
        raise SystemExit(f"the answers were {one} and {other}")


def _shape(answer: Any) -> Any:
    if isinstance(answer, dict):
        inner = {**answer, "body": json.loads(answer["body"])} if "body" in answer else answer
        return {name: _shape(member) for name, member in inner.items()}
    return type(answer).__name__


def main(function: str, rounds: int, block: int) -> None:
    """As the command says."""
    with open(os.devnull, "w", buffering=1) as nowhere, contextlib.redirect_stdout(nowhere):
        measured = compare(function, rounds, block)
    print(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
