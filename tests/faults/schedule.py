"""Lets several invocations run at once, one call to AWS at a time, in every order that there is.

Each act of a play runs in a thread of its own, and waits before every call to AWS until the schedule lets it go on:
exactly one goes on at a time. What an act does before its first call is its own affair, and belongs to that step.

`every_play` searches all schedules of a play, depth first. Where two of them lead to the same state of AWS, with the
same answers heard by each act, the same rows on their way through the stream, and the same order of beginnings, ends
and changes of slots, all that can follow is the same, so it is played once. Nothing that is checked is lost: the
invariants after every call depend on the state, the verdict on a whole play on what is compared.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from random import Random
from threading import Semaphore, Thread
from types import SimpleNamespace
from typing import Any, Self

import pytest
from moto.core.botocore_stubber import BotocoreStubber

from tests.builders import NOW
from tests.faults.injector import Crash
from tests.faults.linearity import Change, Fate, Operation, Place, Value, Wish
from tests.faults.memory import Memory, Recalling, State
from tests.faults.world import World
from tests.functions.conftest import Answer

STORE = "s3.PutObject"

PATIENCE = 60
"""Seconds that a step may take before the play counts as stuck; a step takes milliseconds."""


class Cut(BaseException):
    """The play ends here; nothing may catch it."""


@dataclass(frozen=True)
class Act:
    """Something that happens in several steps: an invocation, or time."""

    name: str
    do: Callable[["Stage"], Answer | None]
    wants: Wish | None = None
    """What it means to do to a slot."""
    writes_when_refused: bool = False
    """Whether a refusal may leave something behind: a direct upload leaves its row, which expires."""
    many: bool = False
    """Whether it changes slots more than once; then the invariants alone watch what it does to them."""
    again: Callable[[World], object] | None = None
    """What the platform does when it died on the way."""
    stores_alone: bool = False
    """Whether it may as well store all derivatives in one step: nobody else stores others for the same upload.

    Puts under a prefix that nobody else reads or deletes meanwhile, or that others put the same bytes to, commute with
    whatever others do, and no invariant tells their orders apart: no row names what they store before the last of them.
    """


def made_id(act: int, number: int) -> str:
    """The id of the upload that an act makes first, second, and so on; act -1 sets the scene."""
    return f"{act + 1:04x}{number:04x}-1111-4111-8111-111111111111"


@dataclass
class Part:
    """An act in one play."""

    act: Act
    dies_at: int | None = None
    """Before which of its calls; one beyond its last is between its last effect and its answer."""
    go: Semaphore = field(default_factory=lambda: Semaphore(0))
    thread: Thread | None = None
    fresh: bool = True
    over: bool = False
    cut: bool = False
    calls: int = 0
    call: str = ""
    """The last one."""
    ids: int = 0
    heard: int = 0
    """Stands for everything that it has been answered so far."""
    wrote: bool = False
    now: datetime | None = None
    """The time, when it last asked."""
    began: int = 0
    ended: int = 0
    answer: Answer | None = None
    died: bool = False
    error: BaseException | None = None


@dataclass
class Stage:
    """Where plays are played: a world that begins each of them as it was arranged."""

    world: World
    memory: Memory
    _opening: Any = None
    _opened_at: State = (0, 0, 0)
    _play: "Play | None" = None
    _made: int = 0
    _numbers: dict[Hashable, int] = field(default_factory=dict)

    def arrange(self, scene: Callable[[World], object]) -> None:
        """Sets the scene that plays begin with."""
        self.close()
        self._made = 0
        self.world.begin_anew()
        scene(self.world)
        self._opening = self.world.keep()
        self._opened_at = self.memory.take_in()

    def play(self, acts: Sequence[Act], dying: Mapping[int, int] | None = None) -> "Play":
        """Begins a play; `dying` says which act dies, and at which of its calls."""
        self.world.return_to(self._opening)
        self.memory.on = True
        self.memory.at = self._opened_at
        self.memory.heard.clear()
        self._play = Play(self, [Part(act, (dying or {}).get(number)) for number, act in enumerate(acts)])
        self.world.observer.now = self.judged_at
        self.world.injector.before_each = self._play.before_call
        self.world.injector.after_each = self._play.after_call
        return self._play

    def close(self) -> None:
        """Lets calls through again as they come."""
        self.end()
        self.memory.on = False

    def end(self) -> None:
        """Lets calls through as they come, remembered ones still without moto."""
        self._play = None
        self.world.observer.now = self.world.now
        self.world.injector.before_each = lambda _: None
        self.world.injector.after_each = self.world.observer.look

    def pause(self) -> None:
        """Lets others go on, in an act whose steps are no calls to AWS."""
        assert self._play
        self._play.pause()

    @contextmanager
    def behind(self) -> Iterator[None]:
        """For changes that are not made by calls to AWS."""
        self.memory.on = False
        yield
        self.memory.take_in()
        self.memory.on = True
        if self._play:
            self._play.after_call()
        else:
            self.world.observer.look()

    def now(self) -> datetime:
        """The time, for whoever runs."""
        now = self.world.now()
        if self._play:
            self._play.running.now = now
        return now

    def judged_at(self) -> datetime:
        """The time that a call is judged by: as its caller knew it, for time passes between looking and calling."""
        return (self._play and self._play.running.now) or self.world.now()

    def new_id(self) -> str:
        """An upload id that tells which act it was made for; the same in every play."""
        if self._play:
            return self._play.new_id()
        self._made += 1
        return made_id(-1, self._made)

    def number(self, thing: Hashable) -> int:
        """The same for equal things."""
        return self._numbers.setdefault(thing, len(self._numbers))


@dataclass
class Play:
    """Several acts at once."""

    stage: Stage
    parts: list[Part]
    taken: list[int] = field(default_factory=list)
    """Which act went on, step by step: the schedule."""
    events: list[tuple[object, ...]] = field(default_factory=list)
    """Beginnings, ends and changes of slots, in their order."""
    changes: list[Change] = field(default_factory=list)
    _running: int = 0
    _back: Semaphore = field(default_factory=lambda: Semaphore(0))

    def __post_init__(self) -> None:
        self._first = self.stage.world.observer.last
        self._seen = len(self.stage.world.observer.history)

    @property
    def running(self) -> Part:
        """Whose turn it is."""
        return self.parts[self._running]

    def ready(self) -> list[int]:
        """The acts that can go on."""
        return [number for number, part in enumerate(self.parts) if not part.over]

    def go_on(self, number: int) -> None:
        """Lets an act make its next call, and go on until it is about to make another, or ends."""
        part, memory = self.parts[number], self.stage.memory
        self._running = number
        self.taken.append(number)
        before = memory.at
        if part.thread is None:
            part.began = len(self.taken)
            self.events.append(("begins", number))
            part.thread = Thread(target=self._live, args=(part,), daemon=True)
            part.thread.start()
        else:
            part.go.release()
        assert self._back.acquire(timeout=PATIENCE), f"{self} is stuck"
        part.wrote |= memory.at != before
        part.heard = self.stage.number((part.heard, *map(self.stage.number, memory.heard)))
        memory.heard.clear()
        if part.over:
            part.ended = len(self.taken)
            self.events.append(("ends", number, part.answer.status if part.answer else None))
        assert self.stage.world.observer.broken == [], f"{self}: {self.stage.world.observer.broken}"

    def finish(self, choose: Callable[[list[int]], int]) -> "Play":
        """Plays it to its end."""
        while ready := self.ready():
            self.go_on(choose(ready))
        return self

    def cut(self) -> None:
        """Ends it here."""
        for part in self.parts:
            if part.thread and not part.over:
                part.cut = True
                part.go.release()
                assert self._back.acquire(timeout=PATIENCE), f"{self} does not end"

    def new_id(self) -> str:
        """The running act's next."""
        part = self.running
        part.ids += 1
        return made_id(self._running, part.ids)

    def so_far(self) -> Hashable:
        """Equal for plays that nothing can tell apart any more."""
        heard = tuple((part.heard, part.over, part.died) for part in self.parts)
        return *self.outcome(), heard, tuple(self.events)

    def operations(self) -> list[Operation]:
        """What the acts did to slots, for the question whether that was as if one after the other."""
        return [
            Operation(number, part.act.name, part.act.wants, part.began, part.ended, _fate(part))
            for number, part in enumerate(self.parts)
            if part.act.wants
        ]

    def before(self, place: Place) -> Value:
        """What a slot held when the play began."""
        return self._first.held(*place)

    def outcome(self) -> tuple[Hashable, ...]:
        """Equal for plays after which the same follows."""
        world = self.stage.world
        return self.stage.memory.at, world.now(), tuple(world.observer.removed)

    def statuses(self) -> tuple[int | None, ...]:
        """What the acts were answered; None for those that have no answer, or died."""
        return tuple(part.answer.status if part.answer else None for part in self.parts)

    def __str__(self) -> str:
        names = [part.act.name + f" dying at {part.dies_at}" * (part.dies_at is not None) for part in self.parts]
        return f"{' ‖ '.join(names)}, scheduled {self.taken}"

    def before_call(self, call: str) -> None:
        """Holds an act up before a call, but for its first."""
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
        """Looks around, and notes whose doing it is what became of the slots."""
        observer = self.stage.world.observer
        observer.look()
        for _, user_id, slot, value in observer.history[self._seen :]:
            self.changes.append(Change(len(self.taken), self._running, (user_id, slot), value))
            self.events.append(("changes", self._running, user_id, slot, value))
        self._seen = len(observer.history)

    def pause(self) -> None:
        """Gives the turn back, and waits for the next."""
        part = self.running
        part.fresh = False
        self._back.release()
        if not part.go.acquire(timeout=2 * PATIENCE) or part.cut:
            raise Cut

    def _live(self, part: Part) -> None:
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
    dying: Mapping[int, int] | None = None
    schedules: int = 0
    """Played, to their end or to where they met another."""
    longest: int = 0
    """Steps."""
    _next: dict[Hashable, list[Hashable]] = field(default_factory=dict)
    _first: Hashable = None

    def __iter__(self) -> Iterator[Play]:
        todo: list[tuple[int, ...]] = [()]
        while todo:
            play = self.stage.play(self.acts, self.dying)
            self.schedules += 1
            if self._play_on(play, todo.pop(), todo):
                yield play
            self.longest = max(self.longest, len(play.taken))

    def _play_on(self, play: Play, prefix: tuple[int, ...], todo: list[tuple[int, ...]]) -> bool:
        """Plays on to the end, leaving the ways not gone for later; False where it has all been seen."""
        before = None
        for number in prefix:
            before = play.so_far() if len(play.taken) == len(prefix) - 1 else None
            play.go_on(number)
        while True:
            here = play.so_far()
            self._note(before, here)
            if here in self._next:
                play.cut()
                return False
            self._next[here] = []
            ready = play.ready()
            if not ready:
                return True
            todo.extend((*play.taken, other) for other in ready[1:])
            before = here
            play.go_on(ready[0])

    def _note(self, before: Hashable, here: Hashable) -> None:
        if before is None:
            self._first = here
        else:
            self._next[before].append(here)

    def interleavings(self) -> int:
        """How many schedules there are, those included whose rest was seen in another."""

        @cache
        def ways(here: Hashable) -> int:
            return sum(ways(each) for each in self._next[here]) or 1

        return ways(self._first)


def any_play(stage: Stage, acts: Sequence[Act], seed: str, dying: Mapping[int, int] | None = None) -> Play:
    """A schedule drawn by lot, the same for the same seed."""
    draw = Random(seed)
    return stage.play(acts, dying).finish(draw.choice)


class Inline:
    """An executor without threads, so that an invocation's calls are made in its own turn."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    map = staticmethod(map)


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A world whose clock only moves when it is told to, and in which nothing is left to chance but the schedule."""
    built = Stage(world, Memory())
    original: Any = BotocoreStubber.process_request
    monkeypatch.setattr(
        BotocoreStubber,
        "process_request",
        lambda stubber, request: built.memory.answer(partial(original, stubber), request),
    )
    monkeypatch.setattr("profile_media.aws.objects.ThreadPoolExecutor", Inline)
    monkeypatch.setattr("profile_media.domain.intend.uuid", SimpleNamespace(uuid4=built.new_id))
    monkeypatch.setattr("tests.faults.world.Observer", partial(Recalling, memory=built.memory))
    monkeypatch.setattr("tests.faults.world.utc_now", lambda: NOW)
    monkeypatch.setattr("profile_media.aws.clock.utc_now", built.now)
    yield built
    built.close()
