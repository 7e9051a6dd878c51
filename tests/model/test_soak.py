"""Simulate many users for a day while one call in a hundred fails: invariants hold, and nothing is left."""

from dataclasses import dataclass, field
from random import Random

import pytest

from tests.builders import an_id
from tests.faults.injector import Fault, Later
from tests.model.reference import MINUTE, Content, Named
from tests.model.simulation import SLOTS, Simulation

TICK, TICKS = 20 * MINUTE, 72
USERS = 50
FAILING = 0.01
ACTIVE = 0.1
"""Share of the users who do something within a tick."""

FAILURES = (*Fault, Later.THROTTLED, Later.IN_CONFLICT)


@dataclass
class Soak:
    """A day of many users."""

    simulation: Simulation
    random: Random
    active: float
    users: list[str] = field(default_factory=lambda: [f"auth0|user{number}" for number in range(USERS)])
    waiting: dict[str, int] = field(default_factory=dict)
    """The tick since which the objects of a removed upload wait for their purge."""
    longest: int = 0

    def run(self) -> None:
        """Run the day."""
        self.simulation.begin(self.users)
        self.simulation.random_fault = self._random_fault
        for tick in range(TICKS):
            for user in self.users:
                if self.random.random() < self.active:
                    self._acts(user)
            self._platform()
            self._watch_purges(tick)
            self.simulation.later(TICK)
        self.simulation.random_fault = lambda: None

    def _random_fault(self) -> Fault | Later | None:
        return self.random.choice(FAILURES) if self.random.random() < FAILING else None

    def _acts(self, user: str) -> None:
        """Perform an operation of a user; retry where its outcome is unknown."""
        slot, number = self.random.choice(list(SLOTS)), self.random.random()
        for _ in range(2):
            if number < 0.55:
                self._sends(user, slot)
            elif number < 0.8:
                self.simulation.send(user, user, self.random.choice(list(Content)))
            elif number < 0.9:
                self.simulation.remove(user, user)
            else:
                self.simulation.point_elsewhere(user, "https://pictures.example.org/0.png")
            if not self.simulation.unknown:
                break
        self.simulation.profile(user)

    def _sends(self, user: str, slot: str) -> None:
        """Create an intent, post, process and bind; sometimes stop half-way."""
        upload_id = self.simulation.intent(user, slot, key=an_id(self.random.randrange(10**6)))
        if upload_id is None:
            return
        self.simulation.post(upload_id, self.random.choice([*Content, Content.PICTURE, Content.PICTURE]))
        self._events(0.9)
        if self.random.random() < 0.9:
            self.simulation.bind_public_id(user, slot, Named(user, upload_id))

    def _platform(self) -> None:
        """Deliver most events and messages, and remove some expired rows."""
        self._events(0.9)
        self.simulation.remove_expired(lambda _: self.random.random() < 0.5)
        self.simulation.stream()
        self.simulation.take()
        for _ in range(len(self.simulation.messages)):
            if self.random.random() < 0.9:
                self.simulation.queue(self.random.randrange(100))
        if self.random.random() < 0.05:
            self.simulation.stream_again(self.random.randrange(100))
            self.simulation.queue_again(self.random.randrange(100))

    def _events(self, share: float) -> None:
        """Deliver some events; failed ones stay."""
        waiting, self.simulation.events = self.simulation.events, []
        for upload_id in waiting:
            if self.random.random() < share:
                self.simulation.deliver(upload_id)
            if self.simulation.unknown or self.random.random() > share:
                self.simulation.events.append(upload_id)

    def _watch_purges(self, tick: int) -> None:
        last = self.simulation.world.observer.last
        rows = {upload_id for _, upload_id in last.uploads}
        left = {key.split("/")[1] for key in last.media} - rows
        for upload_id in left - self.waiting.keys():
            self.waiting[upload_id] = tick
        for upload_id in self.waiting.keys() - left:
            self.longest = max(self.longest, tick - self.waiting.pop(upload_id))


@pytest.mark.assurance
def test_day_of_small_faults_leaves_nothing(simulation: Simulation) -> None:
    soak = Soak(simulation, Random(1), ACTIVE)
    soak.run()
    assert len(simulation.world.observer.history) > USERS // 2
    assert simulation.figures["faults"] > 0
    assert soak.longest <= 3
    simulation.settle_down()
