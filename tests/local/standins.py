"""What stands in for Lambda where a test is about what surrounds it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.local.runner import Function, Outcome


@dataclass
class Scripted:
    """A runner whose functions answer what the test says, one call after the other, the last answer for ever."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)

    def invoke(self, name: str, event: str, request_id: str | None = None, within: float | None = None) -> Outcome:
        """The next answer; an exception among the answers is raised as the function's own failure."""
        self.calls.append((name, json.loads(event)))
        answers = self.answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(json.loads(event))
        if isinstance(answer, Exception):
            error = {"errorType": type(answer).__name__, "errorMessage": str(answer)}
            return Outcome("r", json.dumps(error), failed=True)
        return Outcome("r", json.dumps(answer))

    def events_of(self, name: str) -> list[Any]:
        """What the function was called with."""
        return [event for called, event in self.calls if called == name]


def eventually(is_so: Callable[[], object], seconds: float = 10) -> None:
    """Waits for a condition; fails the test when it has not come about in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
