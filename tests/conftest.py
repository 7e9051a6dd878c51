"""Fixtures for all tests: credentials that open nothing, an AWS in memory, and no network."""

import json
import os
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import hypothesis
import pytest
from moto import mock_aws

from profile_media.aws import settings
from tests import aws_calls, cloud, log_scan
from tests.rights import Usage

pytest_plugins = ["pytester"]

os.environ.update(cloud.ENVIRONMENT)  # before any client is created
aws_calls.connect()

# Without deadlines, because a shared machine may be slow. CI runs the same examples every time.
hypothesis.settings.register_profile("project", deadline=None, max_examples=50, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("assurance", deadline=None, max_examples=1_000)
hypothesis.settings.register_profile("long", deadline=None, max_examples=20_000)
hypothesis.settings.load_profile("project")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one xdist process the tests that share a local stack, a measurement, or the machine's whole power."""
    for item in items:
        folder = item.path.parent.name
        if folder in {"cold_start", "e2e", "hostile", "local"}:
            item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture
def aws() -> Iterator[cloud.Cloud]:
    """Deploy the template's tables, buckets and queues to an AWS in memory."""
    with mock_aws():
        yield cloud.deploy()


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.forget()
    yield
    settings.forget()


@pytest.fixture
def recorded_calls() -> Iterator[Usage]:
    """Fail the test if a function makes a call that its policies in the template do not allow."""
    usage = Usage()
    with aws_calls.heard_by(usage):
        yield usage
    assert usage.denied == []


@pytest.fixture
def log_stream(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Return the stream that receives what the service's logger writes."""
    from profile_media import telemetry  # reads the environment, which is set above

    stream = StringIO()
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
    return stream


type Logs = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logs(log_stream: StringIO) -> Logs:
    """Return the log records written since the test began."""
    return lambda: [json.loads(line) for line in log_stream.getvalue().splitlines()]


@pytest.fixture
def checked_logs(log_stream: StringIO, caplog: pytest.LogCaptureFixture) -> Iterator[StringIO]:
    """Fail the test if a function or a library logs a secret, or a line that is not one JSON object."""
    with caplog.at_level("INFO"):
        yield log_stream
    lines = [line for line in log_stream.getvalue().split("\n") if line]
    assert log_scan.problems(lines, [record.getMessage() for record in caplog.records]) == []
