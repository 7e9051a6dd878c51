"""What every test gets: credentials that open nothing, names for the deployment's parts, and no network."""

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws

from profile_media.aws import settings
from tests import cloud

os.environ.update(cloud.ENVIRONMENT)  # before any client is made


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
