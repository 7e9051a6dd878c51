"""Log records and metrics of a handler, as CloudWatch gets them."""

import json
from typing import Any

import pytest

from profile_media import telemetry
from profile_media.triggers.trigger import Event, trigger
from tests.conftest import Logs
from tests.functions.conftest import Context


@trigger
def counting(event: Event) -> None:
    telemetry.count("Things", event["things"])


@trigger
def failing(event: Event) -> None:
    raise RuntimeError("told to the log")


def metrics_in(output: str) -> dict[str, dict[str, Any]]:
    """Return each record in the embedded metric format, by the name of its first metric."""
    records = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return {record["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]: record for record in records}


def test_metric_has_dimensions_of_stack_and_service(capsys: pytest.CaptureFixture[str]) -> None:
    counting({"things": 3}, Context("it"))
    counting({"things": 4}, Context("it"))

    record = metrics_in(capsys.readouterr().out)["Things"]
    assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stack", "service"]]
    assert (record["stack"], record["Things"]) == ("stack_undefined", [4.0])


def test_failed_invocation_is_logged_counted_and_raised(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError):
        failing({}, Context("it"))

    [record] = logs()
    assert (record["level"], record["exception_name"], record["function_name"]) == ("ERROR", "RuntimeError", "it")
    assert record["correlation_id"] == record["function_request_id"] == Context("it").aws_request_id
    assert metrics_in(capsys.readouterr().out)["UnexpectedErrors"]["UnexpectedErrors"] == [1.0]


def test_invocation_leaves_no_keys_to_the_next(logs: Logs) -> None:
    @trigger
    def logging(event: Event) -> None:
        telemetry.logger.info("seen")
        telemetry.logger.append_keys(actor="ada")

    logging({}, Context("it"))
    logging({}, Context("it"))

    assert ["actor" in record for record in logs()] == [False, False]
