"""Run several invocations at once, one call to AWS at a time: every order of two, random orders of three.

After every call all invariants hold. At the end the history of the slots is linearizable and refusals have changed
nothing. After the queues are drained and a day has passed, only the bound uploads are left.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from profile_media.domain.model import AutoBind, Slot
from tests import cloud
from tests.builders import ADA, GRACE, an_id, an_upload
from tests.faults.baseline import reconcile
from tests.faults.linearity import violations
from tests.faults.scheduler import Execution, Scheduler, Search, Task, made_id, random_execution
from tests.faults.stored import rows_of
from tests.faults.tasks import (
    OTHER,
    PICTURE,
    ask,
    bind,
    cancel,
    cancel_id,
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
    update,
    write,
)
from tests.faults.world import OPEN_INTENTS, World

type Setup = Callable[[World], object]
type Outcomes = set[tuple[int | None, ...]]

COVER = Slot.COVER_IMAGE
OPEN = OPEN_INTENTS


@dataclass(frozen=True)
class Case:
    """Tasks that run at once, and all their possible answers; each of these answers must occur."""

    name: str
    setup: Setup
    tasks: Sequence[Task]
    outcomes: Outcomes


def known(world: World) -> None:
    """Create Ada's row, with the identity that her tokens carry."""
    world.call("get_profile", claims={"identity": CLAIMS})


CLAIMS = '{"email":"ada@example.com","email_verified":true,"first_name":"Ada","last_name":"Lovelace"}'


def ready(*numbers: int) -> Setup:
    """Create ready uploads."""

    def setup(world: World) -> None:
        known(world)
        for number in numbers:
            world.ready(PICTURE, number)

    return setup


def held(number: int, *others: int) -> Setup:
    """Create a bound upload and ready ones."""

    def setup(world: World) -> None:
        ready(number, *others)(world)
        world.bind(named(number))

    return setup


TOP, BOTTOM = {"x": 0.5, "y": 0.0}, {"x": 0.5, "y": 1.0}


def cropped(world: World) -> None:
    """Create a bound upload that was cropped, with the purge of what this replaced not delivered yet."""
    held(1)(world)
    world.update(an_id(1), focus=TOP)


def replaced(world: World) -> None:
    """Create a bound upload, and two purges that are not delivered yet, one of another user."""
    held(8, 9, 1)(world)
    world.bind(named(9))
    world.call("upload_user_image", claims={"sub": GRACE})
    world.call("delete_profile_image", None, claims={"sub": GRACE}, pathParameters={"user_id": GRACE})


def both_slots(world: World) -> None:
    """Create a ready upload for each slot."""
    ready(1)(world)
    world.ready(PICTURE, 2, COVER)


def pending(*numbers: int) -> Setup:
    """Create uploads that are not processed."""

    def setup(world: World) -> None:
        known(world)
        for number in numbers:
            world.pending(PICTURE, number)

    return setup


def pending_to_bind(world: World) -> None:
    """Create a bound upload, and one that is not processed and then replaces it."""
    held(9)(world)
    world.pending(PICTURE, 1, auto_bind=AutoBind(ADA, None))


def pending_beside(number: int) -> Setup:
    """Create an upload that is not processed, and a ready one."""

    def setup(world: World) -> None:
        ready(2)(world)
        world.pending(PICTURE, number)

    return setup


def unknown(world: World) -> None:
    """Create a ready upload without a user row."""
    world.ready(PICTURE, 1)


def looks(**claims: str) -> Task:
    """Read the profile with a token that carries another name than the row."""
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
    Case("give up and processing", pending(1), [cancel(1), process(1)], {(204, None)}),
    Case(
        "give up and processing that binds",
        pending_to_bind,
        [cancel(1), process(1, binds=True)],
        {(204, None), (409, None)},
    ),
    Case("give up and another picture", pending(1), [cancel(1), post(1)], {(204, None)}),
    Case("give up what is ready and another picture", ready(1), [cancel(1), post(1)], {(204, None)}),
    Case("give up twice", pending(1), [cancel(1), cancel(1)], {(204, 204)}),
    Case("give up and expiry", pending(1), [cancel(1), expire(2)], {(204, None)}),
    Case("give up and bind", held(9, 1), [cancel(1), bind(1)], {(204, 400), (409, 200)}),
    Case("give up and replacement", held(1, 2), [cancel(1), bind(2)], {(204, 200), (409, 200)}),
    Case("give up and removal", held(1), [cancel(1), remove()], {(204, 200), (409, 200)}),
    Case("crop and bind", ready(1), [update(1, focus=TOP), bind(1)], {(200, 200)}),
    Case("crop and text", held(1), [update(1, focus=TOP), update(1, alt="Ada")], {(200, 200)}),
    Case("two crops", held(1), [update(1, focus=TOP), update(1, focus=BOTTOM)], {(200, 200)}),
    Case("one crop twice", held(1), [update(1, focus=TOP), update(1, focus=TOP)], {(200, 200)}),
    Case("crop and removal", held(1), [update(1, focus=TOP), remove()], {(200, 200), (404, 200)}),
    Case("crop and replacement", held(1, 2), [update(1, focus=TOP), bind(2)], {(200, 200), (404, 200)}),
    Case("crop and giving up", ready(1), [update(1, focus=TOP), cancel(1)], {(200, 204), (404, 204)}),
    Case("crop and expiry", ready(1), [update(1, focus=TOP), expire(25)], {(200, None), (404, None)}),
    Case("crop back and purge of the first crop", cropped, [update(1, crop=None), deliver()], {(200, None)}),
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

TRIPLES = [
    Case("processing, expiry, purge", pending(1), [process(1), expire(2), deliver()], {(None, None, None)}),
    Case("give up, processing, purge", pending(1), [cancel(1), process(1), deliver()], {(204, None, None)}),
    Case("bind, expiry, purge", held(9, 1), [bind(1), expire(25), deliver()], {(200, None, None), (400, None, None)}),
]


def faults_of(execution: Execution) -> Iterator[str]:
    """Yield contradictions between the tasks' answers and the history of the slots."""
    observer = execution.scheduler.world.observer
    yield from observer.broken
    for worker in execution.workers:
        if worker.error is not None:
            yield f"{worker.task.name} raised {worker.error!r}"
        if worker.answer and worker.answer.status >= 500:
            yield f"{worker.task.name} was answered {worker.answer.status}"
        if worker.answer and worker.answer.status >= 400 and worker.wrote and not worker.task.writes_when_refused:
            yield f"{worker.task.name} was answered {worker.answer.status} but changed data"
    operations = execution.operations()
    if any(worker.task.many for worker in execution.workers):
        return
    places = {each.wants.place for each in operations} | {change.place for change in execution.changes}
    for place in places:
        yield from violations(
            execution.before(place),
            [each for each in operations if each.wants.place == place],
            [change for change in execution.changes if change.place == place],
        )


def left_behind(execution: Execution) -> Iterator[str]:
    """Yield what is wrong after the queues are drained, and what is left a day later."""
    scheduler, world, dead = (
        execution.scheduler,
        execution.scheduler.world,
        [worker for worker in execution.workers if worker.died],
    )
    for worker in dead:
        if worker.task.again:
            worker.task.again(world)
    drain(scheduler)
    yield from world.broken(quiet=False)
    if not dead:
        yield from (
            f"{key} was stored but not deleted" for key in set(world.observer.last.media) - world.observer.last.named()
        )
    with scheduler.observed():
        world.pass_time(hours=25)
    drain(scheduler)
    orphans = world.orphans()
    if orphans and any(worker.call in BETWEEN_STORING_AND_SAVING for worker in dead) and two_pictures(execution):
        assert orphans <= world.derivatives(PICTURE) or orphans <= world.derivatives(OTHER)
        reconcile(world)
    if orphans and any(worker.task.leaves for worker in dead):
        reconcile(world)
    yield from world.broken(quiet=True)
    kept = {value for value in world.slots().values() if not value.startswith("https:")}
    yield from (f"{key} is left" for key in world.observer.last.media if key.split("/")[1] not in kept)


BETWEEN_STORING_AND_SAVING = {"s3.PutObject", "dynamodb.UpdateItem", "dynamodb.GetItem", "s3.DeleteObjects"}
"""The calls of processing at which a crash may leave the derivatives of a picture that loses against another."""


def two_pictures(execution: Execution) -> bool:
    """Tell whether two different pictures are processed for upload 1 at once."""
    return {worker.task.name for worker in execution.workers} == {"process 1", "post 1 again"}


def drain(scheduler: Scheduler) -> None:
    """Deliver everything in the stream and the delete queue."""
    deliver(pausing=False).do(scheduler)
    assert scheduler.world.observer.removed == []


class Checker:
    """Checks executions. What follows the same end is checked once."""

    def __init__(self) -> None:
        self._checked: dict[object, list[str]] = {}

    def __call__(self, execution: Execution) -> None:
        assert list(faults_of(execution)) == [], str(execution)
        end = (*execution.outcome(), *((worker.task.name, worker.call) for worker in execution.workers if worker.died))
        if end not in self._checked:
            execution.scheduler.end()
            self._checked[end] = list(left_behind(execution))
        assert self._checked[end] == [], str(execution)


QUICK = {
    "two binds, slot in use",
    "bind and remove, slot in use",
    "bind and processing",
    "bind and purge of others",
    "give up and processing",
    "give up and bind",
    "crop and bind",
}


def cases(every: Sequence[Case], quick: Iterable[str] = ()) -> pytest.MarkDecorator:
    """Parametrize a test with cases; only the quick ones run in `make test`, the others in `make assurance`."""
    marked = [
        pytest.param(each, id=each.name, marks=() if each.name in quick else pytest.mark.assurance) for each in every
    ]
    return pytest.mark.parametrize("case", marked)


@cases([*PAIRS, *TRIPLES], QUICK)
def test_tasks_are_linearizable_in_every_order_of_their_calls(scheduler: Scheduler, case: Case) -> None:
    check_every_order(scheduler, case)


def check_every_order(scheduler: Scheduler, case: Case) -> None:
    """Run the tasks in every order of their calls."""
    scheduler.arrange(case.setup)
    check_execution, outcomes = Checker(), set()
    for execution in Search(scheduler, case.tasks):
        check_execution(execution)
        outcomes.add(execution.statuses())
    assert outcomes == case.outcomes


@cases(PAIRS, ["bind and remove, slot in use"])
def test_task_survives_crash_of_concurrent_task_at_each_call(scheduler: Scheduler, case: Case) -> None:
    scheduler.arrange(case.setup)
    check_execution = Checker()
    for dying in range(len(case.tasks)):
        at, died = 0, True
        while died:
            execution = random_execution(scheduler, case.tasks, f"{case.name} {dying} {at}", {dying: at})
            check_execution(execution)
            died = execution.workers[dying].died
            at += 1


RANDOM_PLAYS = pytest.mark.parametrize(
    "seeds", [range(5), pytest.param(range(5, 300), marks=pytest.mark.assurance)], ids=["few", "many"]
)


@pytest.mark.assurance
def test_processing_survives_whole_life_of_its_upload(scheduler: Scheduler) -> None:
    scheduler.arrange(pending_beside(1))
    check_execution = Checker()
    for seed in range(25):
        check_execution(random_execution(scheduler, [process(1), live(1, 2)], f"life {seed}"))


def third(draw: Random) -> Task:
    """Return any task on Ada's avatar."""
    return draw.choice(
        [
            *(
                bind(1),
                bind(2),
                remove(),
                process(1),
                process(3),
                post(3),
                deliver(),
                expire(2),
                expire(25),
                external(),
            ),
            *(cancel(1), cancel(3), cancel(9)),
        ]
    )


def busy(world: World) -> None:
    """Create a bound upload, two ready ones, one that is not processed, and a replaced one."""
    held(8, 9, 1, 2)(world)
    world.bind(named(9))
    world.pending(PICTURE, 3)


@RANDOM_PLAYS
def test_three_tasks_are_linearizable_in_random_orders(scheduler: Scheduler, seeds: range) -> None:
    scheduler.arrange(busy)
    check_execution = Checker()
    for seed in seeds:
        draw = Random(seed)
        check_execution(random_execution(scheduler, [third(draw) for _ in range(3)], f"three {seed}"))


def pending_uploads() -> int:
    """Count Ada's pending uploads."""
    return sum(row.get("state") == "pending" for row in rows_of(cloud.UPLOADS_TABLE))


def open_entries() -> int:
    """Count Ada's quota entries of open uploads."""
    return sum(len(row.get("open", ())) for row in rows_of(cloud.UPLOADS_TABLE))


def asked(number: int) -> Setup:
    """Create intents."""

    def setup(world: World) -> None:
        for each in range(number):
            ask(world, f"earlier-{each}")

    return setup


def asked_and_used(world: World) -> None:
    """Create as many intents as may be open, and process two of them; both are still counted."""
    asked(OPEN)(world)
    for row in rows_of(cloud.UPLOADS_TABLE):
        if row["upload_id"] in {made_id(-1, 1), made_id(-1, 2)}:
            upload = an_upload(upload_id=row["upload_id"])
            world.receive(upload, PICTURE)
            world.process(upload)


@dataclass(frozen=True)
class Asking(Case):
    """Intents that are created at once, and the possible numbers of pending uploads afterwards."""

    then_pending: set[int]


ASKED = [
    Asking("one key twice", asked(0), [intent("a"), intent("a")], {(201, 201)}, {1}),
    Asking("one key for two", asked(0), [intent("a"), intent("a", contentLength=501)], {(201, 409), (409, 201)}, {1}),
    Asking("two at the limit", asked(OPEN - 1), [intent("a"), intent("b")], {(201, 429), (429, 201)}, {OPEN}),
    Asking("one key twice at the limit", asked(OPEN - 1), [intent("a"), intent("a")], {(201, 201)}, {OPEN}),
    Asking("two with stale entries", asked_and_used, [intent("a"), intent("b")], {(201, 201)}, {OPEN}),
    Asking(
        "one at the limit while another is given up",
        asked(OPEN),
        [intent("a"), cancel_id(made_id(-1, 1))],
        {(201, 204), (429, 204)},
        {OPEN, OPEN - 1},
    ),
    Asking(
        "a key whose upload is given up",
        asked(1),
        [intent("earlier-0"), cancel_id(made_id(-1, 1))],
        {(201, 204)},
        {1, 0},
    ),
]


@cases(ASKED, ["one key twice", "two at the limit"])
def test_each_key_creates_one_intent_within_the_limit_in_every_order(scheduler: Scheduler, case: Asking) -> None:
    check_intents_in_every_order(scheduler, case)


def check_intents_in_every_order(scheduler: Scheduler, case: Asking) -> None:
    """Create the intents in every order of their calls."""
    scheduler.arrange(case.setup)
    outcomes = set()
    for execution in Search(scheduler, case.tasks):
        assert list(faults_of(execution)) == [], str(execution)
        assert pending_uploads() in case.then_pending, str(execution)
        assert open_entries() >= pending_uploads(), str(execution)
        made = {
            worker.answer.body["uploadId"]
            for worker in execution.workers
            if worker.answer and worker.answer.status == 201
        }
        assert len(made) == len(
            {worker.task.name for worker in execution.workers if worker.answer and worker.answer.status == 201}
        )
        outcomes.add(execution.statuses())
    assert outcomes == case.outcomes


@pytest.mark.parametrize(("seed", "count"), [(0, 8), pytest.param(1, 50, marks=pytest.mark.assurance)])
def test_many_concurrent_intents_never_exceed_the_limit(scheduler: Scheduler, seed: int, count: int) -> None:
    tasks = [intent(str(number)) for number in range(count)]
    scheduler.arrange(asked(0))
    execution, draw = scheduler.execution(tasks), Random(seed)
    while can := execution.ready():
        execution.step(draw.choice(can))
        assert pending_uploads() <= OPEN, str(execution)
    assert sorted(execution.statuses(), key=str) == [201] * OPEN + [429] * (count - OPEN)
