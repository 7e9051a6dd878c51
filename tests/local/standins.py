"""A stand-in for the Lambda runner, and a wait for a condition."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.local.runner import Function, Outcome

DEADLINE_SECONDS = 300
"""Far more than anything takes on a busy machine: a test that waits so long has failed."""


@dataclass
class Scripted:
    """A runner whose functions return scripted answers. The last answer is repeated."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    released: int = 0
    """The version of all functions' code."""

    def invoke(self, name: str, event: str, request_id: str | None = None, within: float | None = None) -> Outcome:
        """Return the next answer. An exception becomes a failed outcome, a function is called with the event."""
        self.calls.append((name, json.loads(event)))
        answers = self.answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(json.loads(event))
        if isinstance(answer, Exception):
            error = {"errorType": type(answer).__name__, "errorMessage": str(answer)}
            return Outcome("r", json.dumps(error), failed=True)
        return Outcome("r", json.dumps(answer))

    def release(self, name: str) -> int:
        """Return the version of the code."""
        return self.released

    def events_of(self, name: str) -> list[Any]:
        """Return the events of a function's invocations."""
        return [event for called, event in self.calls if called == name]


def eventually(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.02)
