"""What every test gets: credentials that open nothing, names for the deployment's parts, and no network."""

import json
import os
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import hypothesis
import pytest
from moto import mock_aws

from profile_media.aws import settings
from tests import cloud

pytest_plugins = ["tests.spread", "tests.assurance", "tests.rights", "tests.logbook"]

os.environ.update(cloud.ENVIRONMENT)  # before any client is made

# No deadlines: a shared machine may be slow. And in CI the same examples every time, so that red means the change.
hypothesis.settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("long", deadline=None, max_examples=20_000)  # make fuzz
hypothesis.settings.load_profile("project")


@pytest.fixture
def aws() -> Iterator[cloud.Cloud]:
    """AWS in memory, with the deployment's tables, buckets and queues."""
    with mock_aws():
        yield cloud.deploy()


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.forget()
    yield
    settings.forget()


type Logs = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    """What was logged since the test began, record by record: a line that is no JSON object fails the test."""
    from profile_media import telemetry  # reads the environment, which is set above

    stream = StringIO()
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
