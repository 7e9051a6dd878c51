"""The workers of one function: at most as many as its concurrency, and none that runs old code."""

import threading
from dataclasses import dataclass, field
from typing import Protocol

DRAIN_SECONDS = 2.0
"""A call with new code waits at most so long for calls with old code, so that no old answer follows a new one."""


class Throttled(Exception):
    """All of a function's workers are busy, and it may not have more."""


class Worker(Protocol):
    """A process that runs one function."""

    def end(self) -> None:
        """End it."""


@dataclass
class Pool[Kept: Worker]:
    """Idle workers, and the calls that run. Each change of what the function runs begins a generation."""

    _release: object = None
    """The code and the configuration of the present generation."""
    _generation: int = 0
    _idle: list[Kept] = field(default_factory=list)
    _running: list[int] = field(default_factory=list)
    """The generation of each running call."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, release: object, limit: int) -> tuple[int, Kept | None]:
        """Begin a call. Return its generation, and an idle worker of it if there is one. Raise Throttled."""
        with self._changed:
            if len(self._running) >= limit:
                raise Throttled
            if release != self._release:
                self._release, self._generation = release, self._generation + 1
                self._end_idle()
            self._running.append(self._generation)
            return self._generation, self._idle.pop() if self._idle else None

    def drain(self, generation: int) -> None:
        """Wait until the calls of older generations have ended, or for DRAIN_SECONDS."""
        with self._changed:
            self._changed.wait_for(lambda: min(self._running) >= generation, DRAIN_SECONDS)

    def leave(self, generation: int, worker: Kept | None) -> None:
        """End a call. Keep its worker, if it lives, for the next call of the same generation."""
        with self._changed:
            self._running.remove(generation)
            if worker and generation == self._generation:
                self._idle.append(worker)
            elif worker:
                worker.end()
            self._changed.notify_all()

    def close(self) -> None:
        """End the idle workers."""
        with self._changed:
            self._end_idle()

    def _end_idle(self) -> None:
        for worker in self._idle:
            worker.end()
        self._idle.clear()
