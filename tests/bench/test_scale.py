"""The simulation keeps to the rules it simulates, and the page on scale says what its tables say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from profile_media.domain.watch import watch
from tests.builders import an_upload
from tools.bench.scale.document import LIMITS, PAGE, filled
from tools.bench.scale.limits import DAYS, PAGES, deployment, limits, parameters
from tools.bench.scale.simulation import (
    INTENT,
    POLL,
    PROCESS,
    Burst,
    Deployment,
    Times,
    Tokens,
    looks_within,
    percentile,
    simulate,
)
from tools.bench.scale.tables import PARAMETER, turned
from tools.bench.scale.times import MIX, PROCESS_MEAN, TIMES, jobs

STEADY = Times(0.01, 0.05, 1, 0.3, (0.5,), 0.01, 0.06, 0.03, 0, spread=0)
UNREADY = replace(STEADY, process=(5.0,))


def test_the_page_has_the_figures_of_the_tables() -> None:
    assert filled(PAGE.read_text(), LIMITS) == PAGE.read_text(), "python -m tools.bench.scale.document --limits"


def test_limits_name_parameters_that_there_are_and_pages_of_aws() -> None:
    declared = parameters()
    for limit in limits():
        if limit.page:
            assert PAGES[limit.page].startswith("https://docs.aws.amazon.com/")
        else:
            assert set(PARAMETER.findall(limit.turn)) <= declared.keys()


def test_what_is_to_be_turned_is_enough_and_allowed() -> None:
    wanted = turned(DAYS[-1])
    kept = [limit for limit in limits() if not limit.page and limit.share(DAYS[-1]) > 1]

    assert len(wanted) == len(kept) > 0
    for limit, value in zip(kept, wanted.values(), strict=True):
        assert limit.share(DAYS[-1]) * limit.allows < value
    assert all(value <= 1000 for value in wanted.values())


def test_a_limit_is_met_where_its_share_is_whole() -> None:
    for limit in limits():
        assert limit.share(limit.met_at) == pytest.approx(1)
    assert [limit.met_at for limit in limits()] == sorted(limit.met_at for limit in limits())


def test_the_same_seeds_give_the_same_outcome_and_others_another() -> None:
    burst = Burst(users=50, seconds=2)

    assert simulate(burst, deployment(), TIMES) == simulate(burst, deployment(), TIMES)
    assert simulate(burst, deployment(), TIMES).shown != simulate(replace(burst, luck=2), deployment(), TIMES).shown


def test_pictures_take_what_was_measured_of_each_kind_and_some_longer_than_others() -> None:
    measured = jobs()
    alone = sum(share * (measured[name].cpu_ms + measured[name].wait_ms) for name, share in MIX.items()) / 10_000

    assert sum(MIX.values()) == 10
    assert alone < PROCESS_MEAN < alone * 1.1
    assert max(TIMES.process) > 3 * min(TIMES.process)


def test_each_picture_takes_one_of_the_times_of_processing() -> None:
    outcome = simulate(Burst(users=400, seconds=60), Deployment(), replace(STEADY, process=(1.0, 3.0)))
    since_posted = sorted({round(seconds - 1.36, 6) for seconds in outcome.ready})

    assert since_posted == pytest.approx([1.0, 3.0])
    assert outcome.busy_seconds[PROCESS] == pytest.approx(400 * 2, rel=0.1)


def test_nobody_waits_where_nothing_stands_in_the_way() -> None:
    outcome = simulate(Burst(users=200, seconds=1), Deployment(), STEADY)
    settled = next(at for at in looks_within(20) if at >= STEADY.notice + 0.5)
    alone = STEADY.authorize + STEADY.intent + STEADY.post + settled + STEADY.read + STEADY.bind

    assert len(outcome.shown) == len(outcome.ready) == 200
    assert [min(outcome.shown), max(outcome.shown)] == pytest.approx([alone, alone])
    assert not outcome.throttled
    assert not outcome.refused


def test_one_place_processes_one_picture_after_the_other() -> None:
    one = Deployment(process_concurrency=1, retry_first=0.01, retry_factor=1, retry_longest=0.01)
    outcome = simulate(Burst(users=100, seconds=1), one, STEADY)

    assert outcome.peaks[PROCESS] == 1
    assert outcome.busy_seconds[PROCESS] == pytest.approx(100 * 0.5)
    assert 100 * 0.5 < outcome.seconds < 100 * (0.5 + 0.01) + 5


def test_events_that_find_no_place_come_back_later_each_time() -> None:
    outcome = simulate(Burst(users=2, seconds=0), Deployment(process_concurrency=1), replace(STEADY, process=(10.0,)))

    # After 1, 2, 4 and 8 seconds: the place is free at 10, so the fourth time is the one.
    assert outcome.attempts == 1 + 5
    assert outcome.ready == [pytest.approx(11.36), pytest.approx(1.36 + 15 + 10)]


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Tokens(10, 5)

    assert sum(bucket.take(0) for _ in range(20)) == 5
    assert sum(bucket.take(1) for _ in range(20)) == 5
    assert sum(bucket.take(1 + step / 100) for step in range(100)) in (9, 10)


def test_what_is_throttled_comes_again_and_gets_through() -> None:
    outcome = simulate(Burst(users=100, seconds=0), Deployment(throttle_rate=10, throttle_burst=10), STEADY)

    assert len(outcome.shown) == 100
    assert outcome.calls[INTENT] == 100 + outcome.throttled[INTENT] > 180
    assert percentile(outcome.granted, 1) > 9


def test_functions_grow_no_faster_than_lambda_lets_them() -> None:
    slowly = Deployment(scaling=10, scaling_seconds=10)
    outcome = simulate(Burst(users=100, seconds=0), slowly, replace(STEADY, intent=1000.0))

    assert outcome.refused
    assert percentile(outcome.granted, 0.1) < 1015
    assert percentile(outcome.granted, 0.5) > 1030


def test_what_has_concurrency_of_its_own_takes_none_of_the_others() -> None:
    burst, shared = Burst(users=200, seconds=5, bystanders=5), Deployment(concurrency=100, pending_ttl=60)
    kept = replace(shared, process_concurrency=10, poll_concurrency=30)
    starved, served = simulate(burst, shared, UNREADY), simulate(burst, kept, UNREADY)

    assert (served.peaks[PROCESS], served.peaks[POLL]) == (10, 30)
    assert set(served.refused) == {POLL}
    assert percentile(served.profile, 0.99) < 1 < percentile(starved.profile, 0.99)


def test_only_processing_kept_apart_still_lets_those_who_wait_take_everything() -> None:
    burst = Burst(users=200, seconds=5, bystanders=5)
    outcome = simulate(burst, Deployment(concurrency=100, process_concurrency=10, pending_ttl=60), UNREADY)

    assert outcome.peaks[PROCESS] == 10
    assert outcome.peaks[POLL] > 80
    assert percentile(outcome.profile, 0.99) > 1


def test_who_waits_for_longer_than_an_upload_lives_is_told() -> None:
    slow = Deployment(process_concurrency=1, pending_ttl=30)
    outcome = simulate(Burst(users=20, seconds=0), slow, replace(STEADY, process=(5.0,)))

    assert outcome.expired > 0
    assert len(outcome.shown) + outcome.expired == 20


@pytest.mark.parametrize("wait", [0, 1, 5, 20])
def test_a_poll_looks_when_the_service_does(wait: int) -> None:
    clock, at, never = StandStill(), [], StandStill.BEGAN + timedelta(hours=1)

    class Rows:
        def get(self, owner_id: str, upload_id: str) -> object:
            at.append((clock.now() - StandStill.BEGAN).total_seconds())
            return an_upload(expires_at=never)

    watch(Rows(), clock, "ada", "an id", wait)  # type: ignore[arg-type]
    assert at == pytest.approx(looks_within(wait))


class StandStill:
    """A clock that only waiting moves."""

    BEGAN = datetime(2026, 11, 21, tzinfo=UTC)

    def __init__(self) -> None:
        self._now = self.BEGAN

    def now(self) -> datetime:
        return self._now

    def wait(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
