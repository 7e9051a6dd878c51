"""The arithmetic of the bill. Prices and assumptions are those of the files beside it."""

from dataclasses import replace

import pytest

from tests.template.document import of_type
from tools.bench.cost.area import USUAL, way
from tools.bench.cost.bill import (
    ASSUMED,
    PRICES,
    Deployment,
    dollars,
    gb_seconds,
    preflight,
    sampled_share,
    total,
    usage,
    waiting_ms,
)
from tools.bench.cost.lives import Lived, Step, Stored
from tools.bench.cost.recorder import Call

ONE_CPU = ASSUMED["lambda"]["one_cpu_mib"]
GET = Call("dynamodb", "GetItem", read_units=1)
POLL = Step("poll", "get_upload", (GET,), 100)
LOOK = Step("profile", "get_profile", (GET,), 100)
DEPLOYMENT = Deployment(
    memory_mib={"get_upload": 256, "get_profile": 1024, "preflight": 128, "authorize": 1024, "process_upload": 1769},
    api=frozenset({"get_upload", "get_profile"}),
    traced=True,
    connection_ms=0,
    rendering_ms=100,
    renders=frozenset({"process_upload"}),
    picture_bytes=6_000_000,
)


def test_cpu_time_stretches_below_one_cpu_and_waiting_does_not() -> None:
    assert gb_seconds(100, 0, ONE_CPU) == pytest.approx(0.1 * ONE_CPU / 1024)
    assert gb_seconds(100, 0, 2 * ONE_CPU) == pytest.approx(0.1 * 2 * ONE_CPU / 1024)
    assert gb_seconds(0, 100, 256) == pytest.approx(0.1 * 256 / 1024)
    assert gb_seconds(100, 50, ONE_CPU // 2) == pytest.approx(0.25 * (ONE_CPU // 2) / 1024, rel=0.01)


def test_poll_is_billed_for_the_time_it_is_held() -> None:
    held = ASSUMED["poll"]["held_ms"] / 1000

    polled, looked = (usage(step, DEPLOYMENT, 1) for step in (POLL, LOOK))

    assert polled["Lambda GB-s"] == pytest.approx(held * 256 / 1024, rel=0.02)
    assert polled["DynamoDB reads"] == ASSUMED["poll"]["reads"]
    assert looked["DynamoDB reads"] == 1
    assert looked["Lambda GB-s"] < 0.01


def test_new_connections_are_billed_as_cpu_time() -> None:
    slow = usage(LOOK, replace(DEPLOYMENT, connection_ms=34), 1)

    assert slow["Lambda GB-s"] == pytest.approx(
        usage(LOOK, DEPLOYMENT, 1)["Lambda GB-s"] + 0.034 * 1769 / 1024, abs=0.002
    )


def test_stores_overlap_only_in_several_threads() -> None:
    puts = [Call("s3", "PutObject", thread=thread) for thread in (1, 2, 1, 2, 1)]
    apart = [replace(put, thread=1) for put in puts]
    fetch = Call("s3", "GetObject", thread=1)

    assert waiting_ms(Step("process", "process_upload", (GET, fetch, *puts), 0), 6_000_000) == 5 + 20 + 2 * 20 + 100
    assert waiting_ms(Step("process", "process_upload", (GET, *apart), 0), 6_000_000) == 5 + 5 * 20


def test_deleting_objects_is_free_and_listing_is_not() -> None:
    calls = [Call("s3", name) for name in ("ListObjectsV2", "DeleteObjects", "DeleteObject")]

    assert usage(Step("purge", "process_upload", tuple(calls), 0), DEPLOYMENT, 1)["S3 PUT, LIST"] == 1


def test_xray_records_the_share_of_the_sampling_rule() -> None:
    rule = next(iter(of_type("AWS::XRay::SamplingRule").values()))["SamplingRule"]
    assert rule["ReservoirSize"] == 0

    for rate in (0.1, 1, 21, 1e9):
        assert sampled_share(rate) == pytest.approx(rule["FixedRate"])


def test_untraced_functions_pay_for_no_traces() -> None:
    untraced = replace(DEPLOYMENT, traced=False)

    assert usage(LOOK, DEPLOYMENT, 0.5)["X-Ray traces"] == 0.5
    assert usage(LOOK, untraced, 0.5)["X-Ray traces"] == 0
    assert preflight(128, untraced, 0.5)["X-Ray traces"] == 0


def test_every_api_call_has_a_preflight() -> None:
    lived = Lived((POLL, LOOK), stored=Stored(0))

    ours, usual = (way(name, lived, DEPLOYMENT, 1) for name in ("ours", USUAL))

    assert ours.lines["2 preflights"]["API requests"] == usual.lines["2 preflights"]["API requests"] == 2
    assert ours.lines["2 preflights"]["Lambda requests"] == 2
    assert "Lambda requests" not in usual.lines["2 preflights"]
    assert "authorize" in ours.lines
    assert "authorize" not in usual.lines


def test_total_and_dollars_add_up() -> None:
    both = total([{"API requests": 1}, {"API requests": 2, "S3 GET": 1}])

    assert dollars(both) == pytest.approx(3 * PRICES["API requests"] + PRICES["S3 GET"])
