"""Let several invocations run at once, one call to AWS at a time, in every possible order.

Each act of a play runs in its own thread and waits before every call to AWS until the schedule lets it continue, so
exactly one thread runs at a time. What an act does before its first call belongs to its first step.

`Search` explores all schedules of a play, depth first. Two schedules are treated as one from the point where they have
led to the same data in AWS, the same answers to each act, the same rows in the stream, and the same order of
beginnings, ends and changes of slots: whatever can follow is then the same too. This loses no check, because the
invariants after each call depend on the data, and the verdict on a whole play depends on what is compared.
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
    """The play ends here. No code may catch this."""


@dataclass(frozen=True)
class Act:
    """Something that takes several steps: an invocation, or the passing of time."""

    name: str
    do: Callable[["Stage"], Answer | None]
    wants: Wish | None = None
    """The change of a slot that it asks for."""
    writes_when_refused: bool = False
    """Whether a refusal may leave a row behind. A direct upload does; the row expires."""
    many: bool = False
    """Whether it changes slots more than once. Then only the invariants check these changes."""
    again: Callable[[World], object] | None = None
    """The platform's retry after a crash."""
    stores_alone: bool = False
    """Whether all its puts to S3 count as one step.

    That is correct where no other act stores other bytes for the same upload: until the last put, no row names these
    objects, so no other act reads or deletes them, and no invariant tells their orders apart.
    """


def made_id(act: int, number: int) -> str:
    """Return the id of the upload that an act creates first, second, and so on. The scene is act -1."""
    return f"{act + 1:04x}{number:04x}-1111-4111-8111-111111111111"


@dataclass
class Part:
    """An act within one play."""

    act: Act
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
class Stage:
    """A world in which every play begins with the same scene."""

    world: World
    _opening: Saved | None = None
    _play: "Play | None" = None
    _made: int = 0

    def arrange(self, scene: Callable[[World], object]) -> None:
        """Set the scene that plays begin with."""
        self.end()
        self._made = 0
        self.world.reset()
        scene(self.world)
        self._opening = self.world.save()

    def play(self, acts: Sequence[Act], dying: Mapping[int, int] | None = None) -> "Play":
        """Begin a play; `dying` maps an act's number to the call before which it dies."""
        assert self._opening
        self.world.restore(self._opening)
        self._play = Play(self, [Part(act, (dying or {}).get(number)) for number, act in enumerate(acts)])
        self.world.observer.now = self.judged_at
        self.world.injector.before_each = self._play.before_call
        self.world.injector.after_each = self._play.after_call
        return self._play

    def end(self) -> None:
        """Let calls pass without a schedule."""
        self._play = None
        self.world.observer.now = self.world.now
        self.world.injector.before_each = lambda _: None
        self.world.injector.after_each = self.world.observer.look

    def pause(self) -> None:
        """End a step of an act that makes no call to AWS."""
        assert self._play
        self._play.pause()

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Look at the data after changes that are not made by calls to AWS."""
        yield
        if self._play:
            self._play.after_call()
        else:
            self.world.observer.look()

    def now(self) -> datetime:
        """Return the time, and remember that the running act knows it."""
        now = self.world.now()
        if self._play:
            self._play.running.now = now
        return now

    def judged_at(self) -> datetime:
        """Return the time by which to judge a call: the one its act last read; more may pass before the call."""
        return (self._play and self._play.running.now) or self.world.now()

    def new_id(self) -> str:
        """Return an upload id that depends on the act only, and not on the schedule."""
        if self._play:
            return self._play.new_id()
        self._made += 1
        return made_id(-1, self._made)

    def __call__(self, call: str, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        """Pass a request to the injector, and note for the running act what AWS answered."""
        answer = self.world.injector(call, request, send)
        if self._play and not self.world.injector.is_aside:
            self._play.running.heard.append((call, request.url, answer.status_code, _content(call, answer)))
        return answer


def _content(call: str, answer: AWSResponse) -> Hashable:
    """Return the content of an answer, without random ids and times."""
    if call == "s3.GetObject":
        return answer.headers.get("etag")
    if call == "s3.ListObjectsV2":
        return tuple(re.findall(rb"<Key>(.*?)</Key>", answer.content))
    return answer.content if call.startswith("dynamodb.") else None


@dataclass
class Play:
    """Several acts at once."""

    stage: Stage
    parts: list[Part]
    taken: list[int] = field(default_factory=list)
    """The schedule so far: the number of the act that ran, step by step."""
    events: list[tuple[object, ...]] = field(default_factory=list)
    """Beginnings, ends and changes of slots, in order."""
    changes: list[Change] = field(default_factory=list)
    _running: int = 0
    _back: Semaphore = field(default_factory=lambda: Semaphore(0))

    def __post_init__(self) -> None:
        self._first = self.stage.world.observer.last
        self._data = stored.fingerprint()
        self._seen = len(self.stage.world.observer.history)

    @property
    def running(self) -> Part:
        """Return the part whose turn it is."""
        return self.parts[self._running]

    def ready(self) -> list[int]:
        """Return the numbers of the acts that can continue."""
        return [number for number, part in enumerate(self.parts) if not part.over]

    def step(self, number: int) -> None:
        """Let an act make its next call and continue until it is about to make another, or ends."""
        part = self.parts[number]
        self._running = number
        self.taken.append(number)
        if part.thread is None:
            part.began = len(self.taken)
            self.events.append(("begins", number))
            part.thread = Thread(target=self._run, args=(part,), daemon=True)
            part.thread.start()
        else:
            part.go.release()
        assert self._back.acquire(timeout=PATIENCE), f"{self} is stuck"
        before, self._data = self._data, stored.fingerprint()
        part.wrote |= self._data != before
        if part.over:
            part.ended = len(self.taken)
            self.events.append(("ends", number, part.answer.status if part.answer else None))
        assert self.stage.world.observer.broken == [], f"{self}: {self.stage.world.observer.broken}"

    def finish(self, choose: Callable[[list[int]], int]) -> "Play":
        """Play to the end."""
        while ready := self.ready():
            self.step(choose(ready))
        return self

    def cut(self) -> None:
        """Stop all acts."""
        for part in self.parts:
            if part.thread and not part.over:
                part.cut = True
                part.go.release()
                assert self._back.acquire(timeout=PATIENCE), f"{self} does not end"

    def new_id(self) -> str:
        """Return the running act's next upload id."""
        part = self.running
        part.ids += 1
        return made_id(self._running, part.ids)

    def state(self) -> Hashable:
        """Return a value that is equal for plays that can no longer differ."""
        parts = tuple((tuple(part.heard), part.over, part.died) for part in self.parts)
        return *self.outcome(), parts, tuple(self.events)

    def operations(self) -> list[Operation]:
        """Return what the acts did to slots, to check that it is linearizable."""
        return [
            Operation(number, part.act.name, part.act.wants, part.began, part.ended, _fate(part))
            for number, part in enumerate(self.parts)
            if part.act.wants
        ]

    def before(self, place: Place) -> Value:
        """Return what a slot held when the play began."""
        return self._first.held(*place)

    def outcome(self) -> tuple[Hashable, ...]:
        """Return a value that is equal for plays after which the same follows."""
        world = self.stage.world
        return self._data, world.now(), tuple(str(row) for row in world.observer.removed)

    def statuses(self) -> tuple[int | None, ...]:
        """Return the status of each act's answer; None for acts without an answer and acts that died."""
        return tuple(part.answer.status if part.answer else None for part in self.parts)

    def __str__(self) -> str:
        names = [part.act.name + f" dying at {part.dies_at}" * (part.dies_at is not None) for part in self.parts]
        return f"{' ‖ '.join(names)}, scheduled {self.taken}"

    def before_call(self, call: str) -> None:
        """Make an act wait before each call but its first."""
        part = self.running
        if part.fresh:
            part.fresh = False
        elif not (part.act.stores_alone and call == part.call == STORE):
            self.pause()
        part.call = call
        if part.calls == part.dies_at:
            raise Crash
        part.calls += 1

    def after_call(self) -> None:
        """Look at all data, and note which act changed which slot."""
        observer = self.stage.world.observer
        observer.look()
        for _, user_id, slot, value in observer.history[self._seen :]:
            self.changes.append(Change(len(self.taken), self._running, (user_id, slot), value))
            self.events.append(("changes", self._running, user_id, slot, value))
        self._seen = len(observer.history)

    def pause(self) -> None:
        """Give the turn back and wait for the next."""
        part = self.running
        part.fresh = False
        self._back.release()
        if not part.go.acquire(timeout=2 * PATIENCE) or part.cut:
            raise Cut

    def _run(self, part: Part) -> None:
        try:
            part.answer = part.act.do(self.stage)
            if part.calls == part.dies_at:
                part.answer, part.died = None, True
        except Crash:
            part.died = True
        except Cut:
            pass
        except BaseException as error:
            part.error = error
        finally:
            part.over = True
            self._back.release()


def _fate(part: Part) -> Fate:
    if part.died:
        return Fate.UNKNOWN
    return Fate.DONE if part.answer and part.answer.status == 200 else Fate.REFUSED


@dataclass
class Search:
    """All plays of some acts."""

    stage: Stage
    acts: Sequence[Act]
    _seen: set[Hashable] = field(default_factory=set)

    def __iter__(self) -> Iterator[Play]:
        """Yield each play that ends in a way not seen before."""
        todo: list[tuple[int, ...]] = [()]
        while todo:
            play = self.stage.play(self.acts)
            if self._explore(play, todo.pop(), todo):
                yield play

    def _explore(self, play: Play, prefix: tuple[int, ...], todo: list[tuple[int, ...]]) -> bool:
        """Play to the end, and leave the other ways for later. Return False where the rest was seen before."""
        for number in prefix:
            play.step(number)
        while (state := play.state()) not in self._seen:
            self._seen.add(state)
            ready = play.ready()
            if not ready:
                return True
            todo.extend((*play.taken, other) for other in ready[1:])
            play.step(ready[0])
        play.cut()
        return False


def random_play(stage: Stage, acts: Sequence[Act], seed: str, dying: Mapping[int, int] | None = None) -> Play:
    """Play a random schedule, the same one for the same seed."""
    return stage.play(acts, dying).finish(Random(seed).choice)


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
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Return a stage on which nothing but the schedule is left to chance: a fixed clock and fixed ids."""
    built = Stage(world)
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
