"""Many users, a virtual day, and one call in a hundred fails: no promise is broken, and nothing is left over."""

from dataclasses import dataclass, field
from random import Random

import pytest

from tests.assurance import Note
from tests.builders import an_id
from tests.faults.injector import Fault, Later
from tests.model.lives import SLOTS, Lives
from tests.model.reference import MINUTE, Content, Named

pytestmark = pytest.mark.campaign("F-11")

TICK, TICKS = 20 * MINUTE, 72
USERS = 50
FAILING = 0.01
ACTIVE, ACTIVE_AT_LENGTH = 0.02, 0.3
"""How many of the users do something within a tick."""

FAILURES = (*Fault, Later.THROTTLED, Later.IN_CONFLICT)


@dataclass
class Soak:
    """A day of them."""

    lives: Lives
    random: Random
    active: float
    users: list[str] = field(default_factory=lambda: [f"auth0|user{number}" for number in range(USERS)])
    waiting: dict[str, int] = field(default_factory=dict)
    """Since which tick pictures wait to be purged, by upload."""
    longest: int = 0

    def run(self) -> None:
        """Tick by tick."""
        self.lives.begin(self.users)
        self.lives.weather = self._weather
        for tick in range(TICKS):
            for user in self.users:
                if self.random.random() < self.active:
                    self._acts(user)
            self._platform()
            self._watch_purges(tick)
            self.lives.later(TICK)
        self.lives.weather = lambda: None

    def _weather(self) -> Fault | Later | None:
        return self.random.choice(FAILURES) if self.random.random() < FAILING else None

    def _acts(self, user: str) -> None:
        """Something a user does, and does again where it failed."""
        slot, number = self.random.choice(list(SLOTS)), self.random.random()
        for _ in range(2):
            if number < 0.55:
                self._sends(user, slot)
            elif number < 0.8:
                self.lives.send(user, user, self.random.choice(list(Content)))
            elif number < 0.9:
                self.lives.remove(user, user)
            else:
                self.lives.point_elsewhere(user, "https://pictures.example.org/0.png")
            if not self.lives.in_doubt:
                break
        self.lives.profile(user)

    def _sends(self, user: str, slot: str) -> None:
        """The whole way of a picture; now and then somebody leaves half-way."""
        upload_id = self.lives.intent(user, slot, key=an_id(self.random.randrange(10**6)))
        if upload_id is None:
            return
        self.lives.post(upload_id, self.random.choice([*Content, Content.PICTURE, Content.PICTURE]))
        self._events(0.9)
        if self.random.random() < 0.9:
            self.lives.bind_public_id(user, slot, Named(user, upload_id))

    def _platform(self) -> None:
        """Delivers most of what is waiting, and removes some of what has expired."""
        self._events(0.9)
        self.lives.remove_expired(lambda _: self.random.random() < 0.5)
        self.lives.stream()
        self.lives.take()
        for _ in range(len(self.lives.messages)):
            if self.random.random() < 0.9:
                self.lives.queue(self.random.randrange(100))
        if self.random.random() < 0.05:
            self.lives.stream_again(self.random.randrange(100))
            self.lives.queue_again(self.random.randrange(100))

    def _events(self, share: float) -> None:
        """What fails comes again."""
        waiting, self.lives.events = self.lives.events, []
        for upload_id in waiting:
            if self.random.random() < share:
                self.lives.deliver(upload_id)
            if self.lives.in_doubt or self.random.random() > share:
                self.lives.events.append(upload_id)

    def _watch_purges(self, tick: int) -> None:
        last = self.lives.world.observer.last
        rows = {upload_id for _, upload_id in last.uploads}
        left = {key.split("/")[1] for key in last.media} - rows
        for upload_id in left - self.waiting.keys():
            self.waiting[upload_id] = tick
        for upload_id in self.waiting.keys() - left:
            self.longest = max(self.longest, tick - self.waiting.pop(upload_id))


@pytest.mark.parametrize("seed", [1])
def test_a_day_of_small_faults_breaks_nothing_and_leaves_nothing(
    lives: Lives, note: Note, seed: int, *, at_length: bool
) -> None:
    soak = Soak(lives, Random(seed), ACTIVE_AT_LENGTH if at_length else ACTIVE)
    soak.run()
    changes = len(lives.world.observer.history)
    lives.settle_down()
    assert lives.figures["faults"] > 0
    assert changes > USERS // 2
    for figure, count in {**lives.figures, "changes of slots": changes}.items():
        note.add(figure, count)
    note.most("ticks until a released picture was purged", soak.longest)
