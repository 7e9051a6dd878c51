"""Let hypothesis choose which operation comes next, which call fails, and how time passes."""

from collections import Counter
from collections.abc import Callable
from math import ceil
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.faults.injector import Fault, Later
from tests.model.reference import DAY, HOUR, MINUTE, Content, Named
from tests.model.simulation import JOAN, SLOTS, USERS, Hit, Simulation

users = st.sampled_from(USERS)
slots = st.sampled_from(sorted(SLOTS))
contents = st.sampled_from(Content)
numbers = st.integers(0, 7)
crashes = st.builds(Hit, numbers, st.sampled_from(Fault), times=st.just(1), again=st.booleans())
bursts = st.builds(Hit, numbers, st.just(Later.THROTTLED), times=st.integers(1, 4), again=st.booleans())
hits = st.none() | crashes | bursts
jumps = st.sampled_from([1, 20, MINUTE, 6 * MINUTE, HOUR - 1, HOUR, HOUR + 1, DAY - 1, DAY, DAY + 1, 31 * DAY])


class Machine(RuleBasedStateMachine):
    """One random run."""

    simulation: ClassVar[Simulation]
    ran: ClassVar[Counter[str]]

    @initialize()
    def begin(self) -> None:
        self.simulation.begin()
        self.ran["examples"] += 1

    @invariant()
    def agrees(self) -> None:
        """Compare the data with the model after every rule."""
        self.simulation.agree()
        self.ran["steps"] += 1

    def of(self, user: str | None, number: int, slot: str | None = None) -> str:
        """Return an upload of the user where there is one, or an id that does not exist."""
        uploads = self.simulation.model.uploads
        found = [each for each, row in uploads.items() if row.owner == (user or row.owner) and slot in (None, row.slot)]
        return found[-1 - number % len(found)] if found else self.simulation.ids.at(number + 900)

    # --- users

    @rule(user=users, slot=slots, exact=st.booleans(), key=st.sampled_from([None, None, "a", "b"]), hit=hits)
    def intent(self, user: str, slot: str, exact: bool, key: str | None, hit: Hit | None) -> None:
        self.simulation.intent(user, slot, exact=exact, key=key, hit=hit)

    @rule(user=users, actor=st.just(JOAN) | users, slot=slots, key=st.sampled_from([None, "a"]), hit=hits)
    def intent_for(self, user: str, actor: str, slot: str, key: str | None, hit: Hit | None) -> None:
        self.simulation.intent(user, slot, actor=actor, key=key, hit=hit)

    @rule(user=users, slot=slots, hit=hits)
    def replayed_intent(self, user: str, slot: str, hit: Hit | None) -> None:
        for _ in range(2):
            self.simulation.intent(user, slot, key="a", hit=hit)

    @rule(user=users, slot=slots, claimed=st.sampled_from([None, None, None, *SLOTS]), number=numbers, hit=hits)
    def bind_public_id(self, user: str, slot: str, claimed: str | None, number: int, hit: Hit | None) -> None:
        self.simulation.bind_public_id(user, slot, Named(user, self.of(user, number, slot), claimed), hit)

    @rule(user=users, owner=users, slot=slots, number=numbers)
    def bind_another(self, user: str, owner: str, slot: str, number: int) -> None:
        upload_id = self.of(owner, number)
        self.simulation.bind_public_id(user, slot, Named(owner, upload_id))
        self.simulation.bind_public_id(user, slot, Named(user, upload_id))
        self.simulation.bind_id(user, user, upload_id)
        self.simulation.upload(owner, upload_id)
        self.simulation.bind_url(user, upload_id)

    @rule(user=users, number=numbers, framing=st.sampled_from([None, "focus:0.5,0.0", "focus:0.5,1.0"]), hit=hits)
    def update(self, user: str, number: int, framing: str | None, hit: Hit | None) -> None:
        self.simulation.update(user, self.of(user, number), framing, hit)

    @rule(user=users, number=numbers, hit=hits)
    def bind_url(self, user: str, number: int, hit: Hit | None) -> None:
        self.simulation.bind_url(user, self.of(user, number), hit)

    @rule(user=users, number=st.integers(0, 1), hit=hits)
    def point_elsewhere(self, user: str, number: int, hit: Hit | None) -> None:
        self.simulation.point_elsewhere(user, f"https://pictures.example.org/{number}.png", hit)

    @rule(user=users, by_admin=st.booleans(), number=numbers, hit=hits)
    def bind_id(self, user: str, by_admin: bool, number: int, hit: Hit | None) -> None:
        self.simulation.bind_id(JOAN if by_admin else user, user, self.of(user, number), hit)

    @rule(actor=users, user=users, hit=hits)
    def take_away(self, actor: str, user: str, hit: Hit | None) -> None:
        self.simulation.bind_id(actor, user, None, hit)

    @rule(actor=users, user=users, hit=hits)
    def remove(self, actor: str, user: str, hit: Hit | None) -> None:
        self.simulation.remove(actor, user, hit)

    @rule(user=users, slot=slots, hit=hits)
    def take_off(self, user: str, slot: str, hit: Hit | None) -> None:
        self.simulation.take_off(user, slot, hit)

    @rule(user=users, other=st.none() | users, number=numbers, hit=hits)
    def cancel(self, user: str, other: str | None, number: int, hit: Hit | None) -> None:
        self.simulation.cancel(user, self.of(other or user, number), hit)

    @rule(user=users, by_admin=st.booleans(), content=contents, hit=hits)
    def send(self, user: str, by_admin: bool, content: Content, hit: Hit | None) -> None:
        self.simulation.send(JOAN if by_admin else user, user, content, hit)

    @rule(user=users, other=users, number=numbers)
    def look(self, user: str, other: str, number: int) -> None:
        self.simulation.profile(user)
        self.simulation.user(user, other)
        self.simulation.upload(user, self.of(other, number))
        self.simulation.upload(user, self.of(user, number))

    # --- browsers and the platform

    @rule(user=users, slot=slots, content=contents, exact=st.booleans(), told=st.booleans())
    def upload(self, user: str, slot: str, content: Content, exact: bool, told: bool) -> None:
        upload_id = self.simulation.intent(user, slot, exact=exact)
        if upload_id:
            self.simulation.post(upload_id, content)
            if told and upload_id in self.simulation.events:
                self.simulation.events.remove(upload_id)
                self.simulation.deliver(upload_id)
                self.simulation.upload(user, upload_id)

    @rule(number=numbers, content=contents)
    def post(self, number: int, content: Content) -> None:
        forms = list(self.simulation.model.forms)
        if forms:
            self.simulation.post(forms[-1 - number % len(forms)], content)

    @rule(number=numbers, hit=hits, fate=st.sampled_from(["told", "told", "told", "told again later", "dropped"]))
    def event(self, number: int, hit: Hit | None, fate: str) -> None:
        events = self.simulation.events
        if events:
            upload_id = events.pop(number % len(events))
            if fate != "dropped":
                self.simulation.deliver(upload_id, hit=hit)
            if fate == "told again later":
                events.append(upload_id)

    @rule(hit=hits, again=st.booleans())
    def events_at_once(self, hit: Hit | None, again: bool) -> None:
        told = self.simulation.events[:2]
        if told:
            self.simulation.deliver(*told, hit=hit)
            self.simulation.events[:2] = told if again else []

    @rule(hit=hits)
    def stream(self, hit: Hit | None) -> None:
        self.simulation.stream(hit)

    @rule(number=numbers, size=st.integers(1, 3), taking=st.booleans(), hit=hits)
    def queue(self, number: int, size: int, taking: bool, hit: Hit | None) -> None:
        if taking:
            self.simulation.take()
        self.simulation.queue(number, hit, size)

    @rule(number=numbers)
    def once_more(self, number: int) -> None:
        self.simulation.stream_again(number)
        self.simulation.queue_again(number)

    @rule(hit=hits)
    def reconcile(self, hit: Hit | None) -> None:
        self.simulation.reconcile(hit)

    @rule(user=users, slot=slots, content=contents)
    def lost_event(self, user: str, slot: str, content: Content) -> None:
        upload_id = self.simulation.intent(user, slot)
        if upload_id:
            self.simulation.post(upload_id, content)
            self.simulation.events.remove(upload_id)
            self.simulation.later(11 * MINUTE)
            self.simulation.reconcile()
            while upload_id in self.simulation.events:
                self.simulation.events.remove(upload_id)
                self.simulation.deliver(upload_id)
            assert self.simulation.model.uploads[upload_id].state != "pending"

    # --- time

    @rule(seconds=jumps)
    def later(self, seconds: int) -> None:
        self.simulation.later(seconds)

    @rule(goes=st.sampled_from([lambda _: True, lambda number: number % 2 == 0, lambda number: number == 1]))
    def expiry(self, goes: Callable[[int], bool]) -> None:
        self.simulation.remove_expired(goes)

    @rule()
    def lifecycle(self) -> None:
        self.simulation.sweep()

    @rule(user=users, slot=slots, past=st.integers(-1, 1), ready=st.booleans())
    def use_around_expiry(self, user: str, slot: str, past: int, *, ready: bool) -> None:
        """Use an upload around its expiry, because DynamoDB may remove the row days later."""
        upload_id = self.ready(user, slot) if ready else self.of(user, 0, slot)
        upload = self.simulation.model.uploads.get(upload_id)
        if upload and upload.expires:
            self.simulation.later(max(0, ceil(upload.expires - self.simulation.model.now) + past))
            if upload_id in self.simulation.fields:
                self.simulation.deliver(upload_id)
            self.simulation.bind_public_id(user, slot, Named(user, upload_id))
            self.simulation.bind_id(user, user, upload_id)
            self.simulation.upload(user, upload_id)

    # --- two at once

    @rule(user=users, slot=slots, at=st.integers(0, 1))
    def bind_during_a_bind(self, user: str, slot: str, at: int) -> None:
        one, other = self.ready(user, slot), self.ready(user, slot)
        named = Named(user, other)
        self.simulation.during(
            lambda: self.simulation.binding(user, slot, one),
            at,
            lambda: self.simulation.bind_public_id(user, slot, named),
        )

    @rule(user=users, at=st.integers(0, 1))
    def removal_during_a_bind(self, user: str, at: int) -> None:
        upload_id = self.ready(user, "avatar")
        self.simulation.during(
            lambda: self.simulation.binding(user, "avatar", upload_id), at, lambda: self.simulation.remove(user, user)
        )

    @rule(user=users, slot=slots, at=st.integers(0, 1))
    def cancellation_during_a_bind(self, user: str, slot: str, at: int) -> None:
        upload_id = self.ready(user, slot)
        self.simulation.during(
            lambda: self.simulation.binding(user, slot, upload_id), at, lambda: self.simulation.cancel(user, upload_id)
        )

    @rule(user=users, slot=slots, at=st.integers(0, 1))
    def bind_during_a_cancellation(self, user: str, slot: str, at: int) -> None:
        upload_id = self.ready(user, slot)
        named = Named(user, upload_id)
        self.simulation.during(
            lambda: self.simulation.cancelling(user, upload_id),
            at,
            lambda: self.simulation.bind_public_id(user, slot, named),
        )

    def ready(self, user: str, slot: str) -> str:
        """Create a ready upload, or return any where the user's limits are reached."""
        upload_id = self.simulation.intent(user, slot)
        if upload_id is None:
            return self.of(user, 0, slot)
        self.simulation.post(upload_id, Content.PICTURE)
        self.simulation.deliver(self.simulation.events.pop())
        return upload_id

    @rule(user=users, slot=slots, at=numbers, then=st.sampled_from(["told", "bound", "expired", "given up"]))
    def something_during_processing(self, user: str, slot: str, at: int, then: str) -> None:
        events = self.simulation.events
        upload_id = None if events else self.simulation.intent(user, slot)
        if upload_id:
            self.simulation.post(upload_id, Content.PICTURE)
        if events:
            arrived = events.pop()
            self.simulation.during(
                lambda: self.simulation.processing(arrived), at, lambda: self.meanwhile(arrived, then)
            )

    def meanwhile(self, upload_id: str, then: str) -> None:
        """Deliver the same event again, and bind the upload; or let it expire, or give it up."""
        if then == "expired":
            self.simulation.later(HOUR + 1)
            self.simulation.remove_expired()
            self.simulation.stream()
            return self.simulation.queue(0)
        row = self.simulation.model.uploads.get(upload_id)
        if then == "given up":
            return self.simulation.cancel(row.owner, upload_id) if row else None
        self.simulation.later(1)
        self.simulation.deliver(upload_id)
        row = self.simulation.model.uploads.get(upload_id)
        if row and then == "bound":
            self.simulation.bind_public_id(row.owner, row.slot, Named(row.owner, upload_id))
        return None

    def teardown(self) -> None:
        """Check that only bound uploads are left."""
        if hasattr(self.simulation, "model"):
            self.simulation.settle_down()
