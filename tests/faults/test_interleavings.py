"""Several invocations at once, one call to AWS at a time: every order of two, seeded ones of three.

After every call all invariants hold. At the end slots changed as if one change had come after the other, refusals
changed nothing, and once everything is delivered and a day has passed, nothing is left but what slots hold.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from profile_media.domain.model import Slot
from profile_media.domain.policy import Limits
from tests import cloud
from tests.assurance import Note
from tests.builders import GRACE, an_upload
from tests.faults.acts import (
    PICTURE,
    bind,
    deliver,
    direct,
    expire,
    external,
    intent,
    live,
    look,
    named,
    post,
    process,
    remove,
    write,
)
from tests.faults.linearity import wrongs
from tests.faults.observer import rows_of
from tests.faults.schedule import Act, Play, Search, Stage, any_play, made_id
from tests.faults.world import World

pytestmark = pytest.mark.campaign("F-5")

type Scene = Callable[[World], object]
type Outcomes = set[tuple[int | None, ...]]

COVER = Slot.COVER_IMAGE
OPEN = Limits().open_intents


@dataclass(frozen=True)
class Case:
    """Acts that meet, and what they may be answered: all of it occurs."""

    name: str
    scene: Scene
    acts: Sequence[Act]
    outcomes: Outcomes


def known(world: World) -> None:
    """Ada has signed in before, and her row tells what every token says."""
    world.call("get_profile", claims={"identity": CLAIMS})


CLAIMS = '{"email":"ada@example.com","email_verified":true,"first_name":"Ada","last_name":"Lovelace"}'


def ready(*numbers: int) -> Scene:
    """Uploads that may be bound."""

    def scene(world: World) -> None:
        known(world)
        for number in numbers:
            world.ready(PICTURE, number)

    return scene


def held(number: int, *others: int) -> Scene:
    """One that is bound, and others that may be."""

    def scene(world: World) -> None:
        ready(number, *others)(world)
        world.bind(named(number))

    return scene


def replaced(world: World) -> None:
    """One that is bound, after another whose purge is still to come, as is that of somebody else's."""
    held(8, 9, 1)(world)
    world.bind(named(9))
    world.call("upload_user_image", claims={"sub": GRACE})
    world.call("delete_profile_image", None, claims={"sub": GRACE}, pathParameters={"user_id": GRACE})


def both_slots(world: World) -> None:
    """One for each slot."""
    ready(1)(world)
    world.ready(PICTURE, 2, COVER)


def pending(*numbers: int) -> Scene:
    """Uploads whose pictures have come in."""

    def scene(world: World) -> None:
        known(world)
        for number in numbers:
            world.pending(PICTURE, number)

    return scene


def pending_beside(number: int) -> Scene:
    """One whose picture has come in, and one that may be bound."""

    def scene(world: World) -> None:
        ready(2)(world)
        world.pending(PICTURE, number)

    return scene


def unknown(world: World) -> None:
    """An upload of Ada's, of whom nothing else is known."""
    world.ready(PICTURE, 1)


def looks(**claims: str) -> Act:
    """Ada signs in with another name than the row has."""
    return look(identity=CLAIMS.replace("Lovelace", "King"), **claims)


PAIRS = [
    Case("two binds, empty slot", ready(1, 2), [bind(1), bind(2)], {(200, 200)}),
    Case("two binds, slot in use", held(9, 1, 2), [bind(1), bind(2)], {(200, 200)}),
    Case("one bind twice, empty slot", ready(1), [bind(1), bind(1)], {(200, 200)}),
    Case("one bind twice, slot in use", held(9, 1), [bind(1), bind(1)], {(200, 200)}),
    Case("binds of both slots", both_slots, [bind(1), bind(2, COVER)], {(200, 200)}),
    Case("bind and rebind of what is held", held(9, 1), [bind(1), bind(9)], {(200, 200), (200, 400)}),
    Case("bind and remove, empty slot", ready(1), [bind(1), remove()], {(200, 200)}),
    Case("bind and remove, slot in use", held(9, 1), [bind(1), remove()], {(200, 200)}),
    Case("bind and purge of others", replaced, [bind(1), deliver()], {(200, None)}),
    Case("bind and expiry", held(9, 1), [bind(1), expire(25)], {(200, None), (400, None)}),
    Case("bind and external, slot in use", held(9, 1), [bind(1), external()], {(200, 200)}),
    Case("remove twice", held(9), [remove(), remove()], {(200, 200)}),
    Case("external and remove", held(9), [external(), remove()], {(200, 200)}),
    Case("bind and processing", pending(1), [bind(1), process(1)], {(200, None), (400, None)}),
    Case("bind and processing again", ready(1), [bind(1), process(1)], {(200, None)}),
    Case("bind and another picture", ready(1), [bind(1), post(1)], {(200, None)}),
    Case("bind and direct upload", held(9, 1), [bind(1), direct(1)], {(200, 200)}),
    Case("remove and direct upload", held(9), [remove(), direct(1)], {(200, 200)}),
    Case("two direct uploads", held(9), [direct(0), direct(1)], {(200, 200)}),
    Case("bind and an administrator's write", unknown, [bind(1), write()], {(200, 200)}),
    Case("bind and first sign-in", unknown, [bind(1), look(identity=CLAIMS)], {(200, 200)}),
    Case("bind and news at sign-in", ready(1), [bind(1), looks()], {(200, 200)}),
    Case("processing twice", pending(1), [process(1), process(1)], {(None, None)}),
    Case("processing and another picture", pending(1), [process(1), post(1)], {(None, None)}),
    Case("processing and expiry", pending(1), [process(1), expire(2)], {(None, None)}),
    Case(
        "processing of two uploads",
        pending(1, 2),
        [process(1, stores_alone=True), process(2, stores_alone=True)],
        {(None, None)},
    ),
]
"""Every order of these is played."""

CROWDS = [
    Case("processing, expiry, purge", pending(1), [process(1), expire(2), deliver()], {(None, None, None)}),
    Case("bind, expiry, purge", held(9, 1), [bind(1), expire(25), deliver()], {(200, None, None), (400, None, None)}),
]
"""Of these too, though they are more."""


def faults_of(play: Play) -> Iterator[str]:
    """What the acts' answers and the history of the slots have against each other."""
    observer = play.stage.world.observer
    yield from observer.broken
    for part in play.parts:
        if part.error is not None:
            yield f"{part.act.name} raised {part.error!r}"
        if part.answer and part.answer.status >= 500:
            yield f"{part.act.name} was answered {part.answer.status}"
        if part.answer and part.answer.status >= 400 and part.wrote and not part.act.writes_when_refused:
            yield f"{part.act.name} was answered {part.answer.status} and changed something"
    operations = play.operations()
    if any(part.act.many for part in play.parts):
        return
    places = {each.wants.place for each in operations} | {change.place for change in play.changes}
    for place in places:
        yield from wrongs(
            play.before(place),
            [each for each in operations if each.wants.place == place],
            [change for change in play.changes if change.place == place],
        )


def left_behind(play: Play) -> Iterator[str]:
    """What is still there when everything is delivered, and what is a day later that should have gone."""
    stage, world, dead = play.stage, play.stage.world, [part for part in play.parts if part.died]
    for part in dead:
        if part.act.again:
            part.act.again(world)
    drain(stage)
    yield from world.wrongs(quiet=False)
    if not dead:
        yield from (f"{key} was stored in vain" for key in set(world.observer.last.media) - world.observer.last.named())
    with stage.behind():
        world.pass_time(hours=25)
    drain(stage)
    yield from world.wrongs(quiet=True)
    kept = {value for value in world.slots().values() if not value.startswith("https:")}
    yield from (f"{key} is left" for key in world.observer.last.media if key.split("/")[1] not in kept)


def drain(stage: Stage) -> None:
    """Everything that the stream and the queue hold, and the purges that come of it."""
    deliver(pausing=False).do(stage)
    assert stage.world.observer.removed == []


class Judge:
    """Finds whatever is wrong with a play; what follows the same end is looked at once."""

    def __init__(self) -> None:
        self._judged: dict[object, list[str]] = {}

    def __call__(self, play: Play) -> None:
        assert list(faults_of(play)) == [], str(play)
        end = (*play.outcome(), *(part.act.name for part in play.parts if part.died))
        if end not in self._judged:
            play.stage.end()
            self._judged[end] = list(left_behind(play))
        assert self._judged[end] == [], str(play)


@pytest.mark.parametrize("case", [*PAIRS, *CROWDS], ids=lambda case: case.name)
def test_in_whatever_order_they_make_their_calls_nothing_breaks(stage: Stage, note: Note, case: Case) -> None:
    stage.arrange(case.scene)
    search, judge, outcomes = Search(stage, case.acts), Judge(), set()
    for play in search:
        judge(play)
        outcomes.add(play.statuses())
    assert outcomes == case.outcomes
    note.add("interleavings covered", search.interleavings())
    note.add("schedules played", search.schedules)
    note.most("longest schedule, steps", search.longest)


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_whichever_dies_at_whichever_call_the_other_goes_on(
    stage: Stage, note: Note, case: Case, *, at_length: bool
) -> None:
    stage.arrange(case.scene)
    judge = Judge()
    for dying in range(len(case.acts)):
        at, died = 0, True
        while died:
            for seed in range(20 if at_length else 1):
                play = any_play(stage, case.acts, f"{case.name} {dying} {at} {seed}", {dying: at})
                judge(play)
                died = play.parts[dying].died
                note.add("schedules with a death", int(died))
            at += 1


def test_whatever_becomes_of_an_upload_while_it_is_processed_nothing_dangles(
    stage: Stage, note: Note, *, at_length: bool
) -> None:
    stage.arrange(pending_beside(1))
    judge, seeds = Judge(), range(1000 if at_length else 25)
    for seed in seeds:
        judge(any_play(stage, [process(1), live(1, 2)], f"life {seed}"))
    note.add("schedules of a whole life", len(seeds))


def third(draw: Random) -> Act:
    """Any of what may happen to Ada's avatar."""
    return draw.choice(
        [bind(1), bind(2), remove(), process(1), process(3), post(3), deliver(), expire(2), expire(25), external()]
    )


def busy(world: World) -> None:
    """A slot in use, two uploads that may be bound, one to be processed, and one that was let go of."""
    held(8, 9, 1, 2)(world)
    world.bind(named(9))
    world.pending(PICTURE, 3)


def test_three_at_once_are_as_if_one_after_the_other(stage: Stage, note: Note, *, at_length: bool) -> None:
    stage.arrange(busy)
    judge, seeds = Judge(), range(5000 if at_length else 300)
    for seed in seeds:
        draw = Random(seed)
        play = any_play(stage, [third(draw) for _ in range(3)], f"three {seed}")
        judge(play)
        note.most("longest schedule, steps", len(play.taken))
    note.add("schedules of three", len(seeds))


def waiting() -> int:
    """Uploads of Ada's that wait for their picture."""
    return sum(row.get("state") == "pending" for row in rows_of(cloud.UPLOADS_TABLE))


def asked(number: int) -> Scene:
    """Intents that were made before."""

    def scene(world: World) -> None:
        for each in range(number):
            world.call("create_upload_intent", headers={"Idempotency-Key": f"earlier-{each}"})

    return scene


def asked_and_used(world: World) -> None:
    """As many intents as may be open; two of the uploads wait no longer, but are still counted."""
    asked(OPEN)(world)
    for row in rows_of(cloud.UPLOADS_TABLE)[:OPEN]:
        if row["upload_id"] in {made_id(-1, 1), made_id(-1, 2)}:
            upload = an_upload(upload_id=row["upload_id"])
            world.receive(upload, PICTURE)
            world.process(upload)


@dataclass(frozen=True)
class Asking(Case):
    """Intents that meet, and how many uploads wait once they are answered."""

    then_waiting: int


ASKED = [
    Asking("one key twice", asked(0), [intent("a"), intent("a")], {(201, 201)}, 1),
    Asking("one key for two", asked(0), [intent("a"), intent("a", contentLength=501)], {(201, 409), (409, 201)}, 1),
    Asking("two at the limit", asked(OPEN - 1), [intent("a"), intent("b")], {(201, 429), (429, 201)}, OPEN),
    Asking("one key twice at the limit", asked(OPEN - 1), [intent("a"), intent("a")], {(201, 201)}, OPEN),
    Asking("two where room is made", asked_and_used, [intent("a"), intent("b")], {(201, 201)}, OPEN),
]


@pytest.mark.parametrize("case", ASKED, ids=lambda case: case.name)
def test_in_whatever_order_intents_are_made_each_key_makes_one_and_limits_hold(
    stage: Stage, note: Note, case: Asking
) -> None:
    stage.arrange(case.scene)
    search, outcomes = Search(stage, case.acts), set()
    for play in search:
        assert list(faults_of(play)) == [], str(play)
        assert waiting() == case.then_waiting, str(play)
        made = {part.answer.body["uploadId"] for part in play.parts if part.answer and part.answer.status == 201}
        assert len(made) == len({part.act.name for part in play.parts if part.answer and part.answer.status == 201})
        outcomes.add(play.statuses())
    assert outcomes == case.outcomes
    note.add("interleavings covered", search.interleavings())
    note.add("schedules played", search.schedules)


@pytest.mark.parametrize("seed", range(2))
def test_of_fifty_intents_at_once_no_more_are_open_than_may_be(
    stage: Stage, note: Note, seed: int, *, at_length: bool
) -> None:
    acts = [intent(str(number)) for number in range(50 if at_length else 20)]
    stage.arrange(asked(0))
    play, draw = stage.play(acts), Random(seed)
    while can := play.ready():
        play.go_on(draw.choice(can))
        assert waiting() <= OPEN, str(play)
    assert sorted(play.statuses(), key=str) == [201] * OPEN + [429] * (len(acts) - OPEN)
    note.most("intents at once", len(acts))
