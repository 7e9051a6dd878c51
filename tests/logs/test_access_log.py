"""API Gateway's own log: one JSON object a line as well, with no token, no query and nothing that a client writes."""

import json
import re

import pytest

from tests.template.document import properties

pytestmark = pytest.mark.campaign("Logs")

HARMLESS = {
    *("requestId", "requestTimeEpoch", "httpMethod", "resourcePath", "status", "error.responseType"),
    *("authorizer.principalId", "authorizer.status", "identity.sourceIp"),
    *("responseLatency", "integrationLatency", "responseLength"),
}
"""What the gateway itself says, and who the caller is; not the path as it was sent, nor any header."""


def test_the_access_log_says_only_what_is_harmless() -> None:
    line: str = properties("Api")["AccessLogSetting"]["Format"]
    names = re.findall(r"\$context\.([A-Za-z.]+)", line)

    assert set(names) <= HARMLESS
    assert line.count("$") == len(names)
    assert sorted(json.loads(line).values()) == sorted(f"$context.{name}" for name in names)
    assert "\n" not in line.strip()
