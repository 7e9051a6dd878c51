"""Check that API Gateway's access log is one JSON object a line, without tokens, queries and client input."""

import json
import re

from tools.template import REQUIRED, read

HARMLESS = {
    *("requestId", "requestTimeEpoch", "httpMethod", "resourcePath", "status", "error.responseType"),
    *("authorizer.principalId", "authorizer.status", "identity.sourceIp"),
    *("responseLatency", "integrationLatency", "responseLength"),
}
"""Facts of the gateway and the caller's id; not the path as sent, nor any header."""


def test_access_log_contains_only_harmless_fields() -> None:
    line: str = read(given={**REQUIRED, "ApiAccessLogs": "on"}).api.properties["AccessLogSetting"]["Format"]
    names = re.findall(r"\$context\.([A-Za-z.]+)", line)

    assert set(names) <= HARMLESS
    assert line.count("$") == len(names)
    assert sorted(json.loads(line).values()) == sorted(f"$context.{name}" for name in names)
    assert "\n" not in line.strip()
