"""Let several invocations run at once, one call to AWS at a time, in every possible order.

Each task runs in its own thread and waits before every call to AWS until the schedule lets it continue, so exactly one
thread runs at a time. What a task does before its first call belongs to its first step. An execution is one run of
several tasks.

`Search` explores all schedules, depth first. Two schedules are treated as one from the point where they have led to
the same data in AWS, the same answers to each task, the same rows in the stream, and the same order of
beginnings, ends and changes of slots: whatever can follow is then the same too. This loses no check, because the
invariants after each call depend on the data, and the verdict on a whole execution depends on what is compared.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from threading import Semaphore, Thread
from types import SimpleNamespace
from typing import Self

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from profile_media.domain.model import utc_now
from tests import aws_calls
from tests.aws_calls import Send
from tests.faults import stored
from tests.faults.injector import Crash
from tests.faults.linearity import Change, Fate, Operation, Place, Value, Wish
from tests.faults.world import Saved, World
from tests.functions.conftest import Answer, use_one_partition

STORE = "s3.PutObject"

PATIENCE = 600
"""Seconds until a step counts as stuck. A step takes milliseconds; the limit only ends a deadlock."""


class Cut(BaseException):
    """The execution ends here. No code may catch this."""


@dataclass(frozen=True)
class Task:
    """Something that takes several steps: an invocation, or the passing of time."""

    name: str
    do: Callable[["Scheduler"], Answer | None]
    wants: Wish | None = None
    """The change of a slot that it asks for."""
    writes_when_refused: bool = False
    """Whether a refusal may have written. A direct upload leaves a row, which expires; a crop that lost its upload has
    stored derivatives, whose deletion it queues."""
    many: bool = False
    """Whether it changes slots more than once, or without an answer. Then only the invariants check these changes."""
    again: Callable[[World], object] | None = None
    """The platform's retry after a crash."""
    stores_alone: bool = False
    """Whether all its puts to S3 count as one step.

    That is correct where no other task stores other bytes for the same upload: until the last put, no row names these
    objects, so no other task reads or deletes them, and no invariant tells their orders apart.
    """
    leaves: bool = False
    """Whether a crash may leave objects that only reconcile finds."""


def made_id(task: int, number: int) -> str:
    """Return the id of the upload that a task creates first, second, and so on. The setup is task -1."""
    return f"{task + 1:04x}{number:04x}-1111-4111-8111-111111111111"


@dataclass
class Worker:
    """A task within one execution."""

    task: Task
    dies_at: int | None = None
    """The number of the call before which it dies; one past its last call is before its answer."""
    go: Semaphore = field(default_factory=lambda: Semaphore(0))
    thread: Thread | None = None
    fresh: bool = True
    over: bool = False
    cut: bool = False
    calls: int = 0
    call: str = ""
    """The name of its last call."""
    ids: int = 0
    heard: list[Hashable] = field(default_factory=list)
    """Its calls and their answers so far."""
    wrote: bool = False
    now: datetime | None = None
    """The time when it last read the clock."""
    began: int = 0
    ended: int = 0
    answer: Answer | None = None
    died: bool = False
    error: BaseException | None = None


@dataclass
class Scheduler:
    """Runs tasks in a world, each time from the same data."""

    world: World
    _opening: Saved | None = None
    _execution: "Execution | None" = None
    _made: int = 0

    def arrange(self, setup: Callable[[World], object]) -> None:
        """Create the data that executions begin with."""
        self.end()
        self._made = 0
        self.world.reset()
        setup(self.world)
        self._opening = self.world.save()

    def execution(self, tasks: Sequence[Task], dying: Mapping[int, int] | None = None) -> "Execution":
        """Begin an execution; `dying` maps a task's number to the call before which it dies."""
        assert self._opening
        self.world.restore(self._opening)
        self._execution = Execution(
            self, [Worker(task, (dying or {}).get(number)) for number, task in enumerate(tasks)]
        )
        self.world.observer.now = self.judged_at
        self.world.injector.before_each = self._execution.before_call
        self.world.injector.after_each = self._execution.after_call
        return self._execution

    def end(self) -> None:
        """Let calls pass without a schedule."""
        self._execution = None
        self.world.observer.now = self.world.now
        self.world.injector.before_each = lambda _: None
        self.world.injector.after_each = self.world.observer.look

    def pause(self) -> None:
        """End a step of a task that makes no call to AWS."""
        assert self._execution
        self._execution.pause()

    def pause_at_next_call(self) -> None:
        """End the step of the running task before its next call to AWS, even if that is its first."""
        assert self._execution
        self._execution.running.fresh = False

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Look at the data after changes that are not made by calls to AWS."""
        yield
        if self._execution:
            self._execution.after_call()
        else:
            self.world.observer.look()

    def now(self) -> datetime:
        """Return the time, and remember that the running task knows it."""
        now = self.world.now()
        if self._execution:
            self._execution.running.now = now
        return now

    def judged_at(self) -> datetime:
        """Return the time by which to judge a call: the one its task last read; more may pass before the call."""
        return (self._execution and self._execution.running.now) or self.world.now()

    def new_id(self) -> str:
        """Return an upload id that depends on the task only, and not on the schedule."""
        if self._execution:
            return self._execution.new_id()
        self._made += 1
        return made_id(-1, self._made)

    def __call__(self, call: str, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        """Pass a request to the injector, and note for the running task what AWS answered."""
        answer = self.world.injector(call, request, send)
        if self._execution and not self.world.injector.is_aside:
            self._execution.running.heard.append((call, request.url, answer.status_code, _content(call, answer)))
        return answer


def _content(call: str, answer: AWSResponse) -> Hashable:
    """Return the content of an answer, without random ids and times."""
    if call == "s3.GetObject":
        return answer.headers.get("etag")
    if call == "s3.ListObjectsV2":
        return tuple(re.findall(rb"<Key>(.*?)</Key>", answer.content))
    return answer.content if call.startswith("dynamodb.") else None


@dataclass
class Execution:
    """Several tasks that run at once."""

    scheduler: Scheduler
    workers: list[Worker]
    taken: list[int] = field(default_factory=list)
    """The schedule so far: the number of the task that ran, step by step."""
    events: list[tuple[object, ...]] = field(default_factory=list)
    """Beginnings, ends and changes of slots, in order."""
    changes: list[Change] = field(default_factory=list)
    _running: int = 0
    _back: Semaphore = field(default_factory=lambda: Semaphore(0))

    def __post_init__(self) -> None:
        self._first = self.scheduler.world.observer.last
        self._data = stored.fingerprint()
        self._seen = len(self.scheduler.world.observer.history)

    @property
    def running(self) -> Worker:
        """Return the worker whose turn it is."""
        return self.workers[self._running]

    def ready(self) -> list[int]:
        """Return the numbers of the tasks that can continue."""
        return [number for number, worker in enumerate(self.workers) if not worker.over]

    def step(self, number: int) -> None:
        """Let a task make its next call and continue until it is about to make another, or ends."""
        worker = self.workers[number]
        self._running = number
        self.taken.append(number)
        if worker.thread is None:
            worker.began = len(self.taken)
            self.events.append(("begins", number))
            worker.thread = Thread(target=self._run, args=(worker,), daemon=True)
            worker.thread.start()
        else:
            worker.go.release()
        assert self._back.acquire(timeout=PATIENCE), f"{self} is stuck"
        before, self._data = self._data, stored.fingerprint()
        worker.wrote |= self._data != before
        if worker.over:
            worker.ended = len(self.taken)
            self.events.append(("ends", number, worker.answer.status if worker.answer else None))
        assert self.scheduler.world.observer.broken == [], f"{self}: {self.scheduler.world.observer.broken}"

    def finish(self, choose: Callable[[list[int]], int]) -> "Execution":
        """Run all tasks to their ends."""
        while ready := self.ready():
            self.step(choose(ready))
        return self

    def cut(self) -> None:
        """Stop all tasks."""
        for worker in self.workers:
            if worker.thread and not worker.over:
                worker.cut = True
                worker.go.release()
                assert self._back.acquire(timeout=PATIENCE), f"{self} does not end"

    def new_id(self) -> str:
        """Return the running task's next upload id."""
        worker = self.running
        worker.ids += 1
        return made_id(self._running, worker.ids)

    def state(self) -> Hashable:
        """Return a value that is equal for executions that can no longer differ."""
        workers = tuple((tuple(worker.heard), worker.over, worker.died) for worker in self.workers)
        return *self.outcome(), workers, tuple(self.events)

    def operations(self) -> list[Operation]:
        """Return what the tasks did to slots, to check that it is linearizable."""
        return [
            Operation(number, worker.task.name, worker.task.wants, worker.began, worker.ended, _fate(worker))
            for number, worker in enumerate(self.workers)
            if worker.task.wants
        ]

    def before(self, place: Place) -> Value:
        """Return what a slot held when the execution began."""
        return self._first.held(*place)

    def outcome(self) -> tuple[Hashable, ...]:
        """Return a value that is equal for executions after which the same follows."""
        world = self.scheduler.world
        return self._data, world.now(), tuple(str(row) for row in world.observer.removed)

    def statuses(self) -> tuple[int | None, ...]:
        """Return the status of each task's answer; None for tasks without an answer and tasks that died."""
        return tuple(worker.answer.status if worker.answer else None for worker in self.workers)

    def __str__(self) -> str:
        names = [
            worker.task.name + f" dying at {worker.dies_at}" * (worker.dies_at is not None) for worker in self.workers
        ]
        return f"{' ‖ '.join(names)}, scheduled {self.taken}"

    def before_call(self, call: str) -> None:
        """Make a task wait before each call but its first."""
        worker = self.running
        if worker.fresh:
            worker.fresh = False
        elif not (worker.task.stores_alone and call == worker.call == STORE):
            self.pause()
        worker.call = call
        if worker.calls == worker.dies_at:
            raise Crash
        worker.calls += 1

    def after_call(self) -> None:
        """Look at all data, and note which task changed which slot."""
        observer = self.scheduler.world.observer
        observer.look()
        for _, user_id, slot, value in observer.history[self._seen :]:
            self.changes.append(Change(len(self.taken), self._running, (user_id, slot), value))
            self.events.append(("changes", self._running, user_id, slot, value))
        self._seen = len(observer.history)

    def pause(self) -> None:
        """Give the turn back and wait for the next."""
        worker = self.running
        worker.fresh = False
        self._back.release()
        if not worker.go.acquire(timeout=2 * PATIENCE) or worker.cut:
            raise Cut

    def _run(self, worker: Worker) -> None:
        try:
            worker.answer = worker.task.do(self.scheduler)
            if worker.calls == worker.dies_at:
                worker.answer, worker.died = None, True
        except Crash:
            worker.died = True
        except Cut:
            pass
        except BaseException as error:
            worker.error = error
        finally:
            worker.over = True
            self._back.release()


def _fate(worker: Worker) -> Fate:
    if worker.died:
        return Fate.UNKNOWN
    return Fate.DONE if worker.answer and worker.answer.status == 200 else Fate.REFUSED


@dataclass
class Search:
    """All executions of some tasks."""

    scheduler: Scheduler
    tasks: Sequence[Task]
    _seen: set[Hashable] = field(default_factory=set)

    def __iter__(self) -> Iterator[Execution]:
        """Yield each execution that ends in a way not seen before."""
        todo: list[tuple[int, ...]] = [()]
        while todo:
            execution = self.scheduler.execution(self.tasks)
            if self._explore(execution, todo.pop(), todo):
                yield execution

    def _explore(self, execution: Execution, prefix: tuple[int, ...], todo: list[tuple[int, ...]]) -> bool:
        """Run to the end, and leave the other ways for later. Return False where the rest was seen before."""
        for number in prefix:
            execution.step(number)
        while (state := execution.state()) not in self._seen:
            self._seen.add(state)
            ready = execution.ready()
            if not ready:
                return True
            todo.extend((*execution.taken, other) for other in ready[1:])
            execution.step(ready[0])
        execution.cut()
        return False


def random_execution(
    scheduler: Scheduler, tasks: Sequence[Task], seed: str, dying: Mapping[int, int] | None = None
) -> Execution:
    """Run the tasks in a random order, the same one for the same seed."""
    return scheduler.execution(tasks, dying).finish(Random(seed).choice)


class Inline:
    """An executor without threads: an invocation makes its calls in its own turn."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    map = staticmethod(map)


@pytest.fixture
def scheduler(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """Return a scheduler in which nothing but the order of calls is random: a fixed clock and fixed ids."""
    built = Scheduler(world)
    monkeypatch.setenv("RECONCILE_MENDS", "true")
    use_one_partition(monkeypatch)
    monkeypatch.setattr("profile_media.aws.objects.ThreadPoolExecutor", Inline)
    monkeypatch.setattr("profile_media.domain.intend.uuid", SimpleNamespace(uuid4=built.new_id))
    began = utc_now().replace(second=0, microsecond=0)  # near the real time, by which moto dates objects
    monkeypatch.setattr("tests.faults.world.utc_now", lambda: began)
    monkeypatch.setattr("profile_media.aws.clock.utc_now", built.now)
    with aws_calls.through(built):
        yield built
    built.end()
