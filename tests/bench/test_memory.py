"""The memory model says what it should of jobs made for it, and the template follows it where jobs were measured."""

import re
from functools import cache
from pathlib import Path

import pytest

from tools.bench.memory.model import ONE_CPU, PRICES, Choice, Job, Point, choose, parameter, point, waiting

PAGE = Path(__file__).parents[2] / "docs/performance.md"
SIZES = (256, 512, 768, 1024, 1280, 1536, ONE_CPU, 2048, 3008)


def choice(*jobs: Job, least: int = 256) -> Choice:
    return choose(point(jobs, mib, PRICES[0]) for mib in SIZES if mib >= least)


def test_computing_alone_costs_the_same_up_to_one_cpu_and_more_beyond() -> None:
    job = Job("computes", 0, 0, 1000, 0)
    small, one, two = (point([job], mib, PRICES[0]) for mib in (512, ONE_CPU, 2 * ONE_CPU))
    assert small.dollars == pytest.approx(one.dollars, rel=0.001)
    assert small.warm_ms == pytest.approx(one.warm_ms * ONE_CPU / 512)
    assert two.warm_ms == one.warm_ms
    assert two.duration == 2 * one.duration


def test_what_only_waits_is_cheapest_fastest_and_balanced_at_the_smallest_size() -> None:
    assert choice(Job("waits", 0, 0, 0, 100)) == Choice(256, 256, (256,))


def test_what_computes_as_long_as_it_waits_is_balanced_at_one_cpu() -> None:
    found = choice(Job("both", 0, 0, 100, 100))
    assert (found.cheapest, found.fastest) == (256, ONE_CPU)
    assert ONE_CPU in found.balanced
    assert found.recommended >= {256, ONE_CPU}


def test_where_the_fee_is_most_of_the_price_more_memory_is_worth_it() -> None:
    """By duration alone 512 MiB would be the best of them."""
    assert min(choice(Job("short", 0, 0, 2, 5)).balanced) > 768


def test_one_call_in_a_hundred_also_initialises_at_full_speed_and_warms_up_at_the_sizes() -> None:
    found = point([Job("job", 100, 50, 10, 5)], ONE_CPU // 2, PRICES[0])
    assert found.warm_ms == pytest.approx(25, rel=0.01)
    assert found.cold_ms == pytest.approx(225, rel=0.01)
    assert found.mean_ms == pytest.approx(27, rel=0.01)


def test_a_million_calls_at_list_prices() -> None:
    found = point([Job("job", 0, 0, 100, 0)], 1024, PRICES[0])
    assert found.requests == pytest.approx(0.20)
    assert found.duration == pytest.approx(1e6 * 0.173 * 0.0000133334)


def test_calls_wait_one_after_the_other_and_stores_four_at_a_time() -> None:
    calls = ["DynamoDB GetItem", "GET", *["PUT"] * 5, "DynamoDB UpdateItem", "DELETE"]
    assert waiting(calls, 6_000_000, 4) == 5 + 20 + 100 + 2 * 20 + 5 + 20
    assert waiting(["DynamoDB GetItem"], 6_000_000, 4) == 5


NUMBER = r"([\d,.]+)"
MEASURED = re.compile(rf"\| (.+?) \| {NUMBER} ms \| {NUMBER} ms \| {NUMBER} ms \(.+?\) \| {NUMBER} ms \|")
SIZE = re.compile(rf"\| {NUMBER} MiB \| {NUMBER} ms \| {NUMBER} ms \| \${NUMBER} \| \${NUMBER} \| (.*)\|")


def jobs(*names: str) -> list[Job]:
    """What the page says was measured."""
    rows = {name: tuple(map(float, figures)) for name, *figures in MEASURED.findall(PAGE.read_text())}
    return [Job(name, *rows[name]) for name in names]


@cache
def points(*names: str) -> dict[int, Point]:
    return {mib: point(jobs(*names), mib, PRICES[0]) for mib in SIZES}


PARAMETERS = {
    "ProcessMemorySize": ("12 MP JPEG",),
    "ApiMemorySize": ("create_upload_intent", "get_upload", "bind_avatar"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_default_is_one_of_the_sizes_that_the_measured_times_recommend(name: str) -> None:
    set_ = parameter(name)
    found = choice(*jobs(*PARAMETERS[name]), least=set_.least)
    assert set_.default in found.recommended


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_page_shows_what_the_model_makes_of_the_measured_times(name: str) -> None:
    table = PAGE.read_text().partition(f": `{name}`\n")[2].partition("###")[0]
    shown = SIZE.findall(table)
    assert shown
    for mib, warm, cold, arm64, x86_64, said in shown:
        size = int(mib.replace(",", ""))
        both = [point(jobs(*PARAMETERS[name]), size, price) for price in PRICES]
        assert f"{both[0].warm_ms:.1f} {both[0].cold_ms:.0f}" == f"{warm} {cold}".replace(",", "")
        assert [f"{each.dollars:.2f}" for each in both] == [arm64, x86_64]
        assert ("default" in said) == (size == parameter(name).default)


def test_what_the_template_says_of_its_defaults_is_so() -> None:
    """A quarter of the price for a quarter of the time; and a cold call of the API is 0.6 of one with half the size."""
    one, cheapest = points("12 MP JPEG")[ONE_CPU], points("12 MP JPEG")[1024]
    assert one.dollars / cheapest.dollars == pytest.approx(1.25, abs=0.07)
    assert one.warm_ms / cheapest.warm_ms == pytest.approx(0.75, abs=0.07)
    api = points(*PARAMETERS["ApiMemorySize"])
    assert api[1024].cold_ms / api[512].cold_ms == pytest.approx(0.6, abs=0.1)
