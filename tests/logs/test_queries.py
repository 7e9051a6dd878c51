"""The saved queries, and those of the dashboard, name fields and texts that are in the logs.

Logs Insights cannot run here. The lines are those of the handlers, of the access log's format, and of Lambda's report
as its documentation shows it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from functions.authorize.app import handler as authorize
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import utc_now
from profile_media.wiring import authorization
from tests import cloud, pictures
from tests.builders import ADA, an_id
from tests.conftest import Logs
from tests.functions.conftest import Call, Context, Rows, an_event, run, use_one_partition
from tests.template.document import nested, text
from tests.tokens import AUDIENCE, ISSUER
from tools.dashboard import widgets
from tools.template import REQUIRED, read

FUNCTION_LOGS, API_LOGS = "FunctionLogGroup", "ApiAccessLogGroup"

REPORT = {
    "time": "2026-11-21T12:00:00.000Z",
    "type": "platform.report",
    "record": {
        "requestId": "8f5a2b54-5a17-4a3f-8d0e-0d6a2c3b9d11",
        "status": "success",
        "metrics": {
            "durationMs": 12.3,
            "billedDurationMs": 520,
            "memorySizeMB": 1024,
            "maxMemoryUsedMB": 110,
            "initDurationMs": 507.1,
        },
    },
}
"""https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report"""

KEYWORDS = {"as", "asc", "by", "desc", "fields", "filter", "in", "limit", "or", "and", "parse", "sort", "stats"}
INSIGHTS_OWN = {"@timestamp", "@message", "@logStream"}
JOIN = re.compile(r"join type=\w+ left=(\w+) right=(\w+) where (\S+) = (\S+) \(SOURCE '\$\{(\w+)\}'\)")

SAVED = {
    name: (text(query["QueryString"]), [text(group) for group in query["LogGroupNames"]])
    for name, query in nested("Queries").items()
}
SHOWN = {
    widget["properties"]["title"]: (
        widget["properties"]["query"].partition(" | ")[2].replace("'", '"'),
        [FUNCTION_LOGS],
    )
    for widget in widgets()
    if widget["type"] == "log"
}
QUERIES = SAVED | SHOWN


def fields_of(query: str, groups: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the log group and the name of each field that a query reads."""
    sources = {"": groups}
    if join := JOIN.search(query):
        sources = {
            "": groups,
            join[1]: groups,
            join[2]: [{"ApiLogs": API_LOGS, "FunctionLogs": FUNCTION_LOGS}[join[5]]],
        }
        query = JOIN.sub(f"fields {join[3]}, {join[4]}", query)
    code = re.sub(r'"[^"]*"', "", query)
    made = {
        name for names in re.findall(r"\bas ([\w, ]+?)(?= \||,? \w+\(| by |$|\n)", code) for name in names.split(", ")
    }
    made |= set(re.findall(r"\bas (\w+)", code))
    for name in re.findall(r"(?<![\w.])[@A-Za-z_][\w.]*(?![\w.]*\()", code):
        alias, _, rest = name.partition(".")
        if name not in KEYWORDS | made:
            yield (sources[alias][0], rest) if alias in sources else ("/".join(groups), name)


def texts_of(query: str) -> Iterator[tuple[str, str]]:
    """Yield the fields that a query compares with fixed texts, and the texts."""
    for name, one, many in re.findall(r'([\w.]+) (?:!?= "([^"]*)"|in \[([^\]]*)\])', query):
        for literal in [one] if one else re.findall(r'"([^"]*)"', many):
            if "{{" not in literal and "{" not in literal:
                yield name, literal


def flat(line: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a log line as Logs Insights names them."""
    for name, value in line.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)


@pytest.fixture
def lines(
    aws: cloud.Cloud, call: Call, rows: Rows, logs: Logs, capsys: pytest.CaptureFixture[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return lines by log group: of a whole life, and of everything that can go wrong."""
    with pytest.MonkeyPatch.context() as changed, suppress(Exception):  # "Unauthorized"
        changed.setenv("TOKEN_ISSUER", ISSUER)
        changed.setenv("TOKEN_AUDIENCE", AUDIENCE)
        authorization.verifier.cache_clear()
        authorize({**an_event("authorize"), "authorizationToken": "Bearer no.token"}, Context("authorize"))
    authorization.verifier.cache_clear()
    call("create_upload_intent")
    for number, content in enumerate((pictures.a_jpeg(), b"no picture")):
        upload = rows.pending(upload_id=an_id(number), content_length=500_000)
        key = incoming_key(ADA, upload.upload_id)
        aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=content)
        event = an_event("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = key
        run("process_upload", event)
    call("update_my_profile_picture", {"uploadId": an_id(0)})
    call("update_my_profile_picture", {"uploadId": an_id(7)})
    call("update_my_profile_picture", {"uploadId": None})
    run("release_media", an_event("release_media"))
    run("purge_media", an_event("purge_media"))
    aws.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key="media/unknown", Body=b"")
    lost = rows.pending(upload_id=an_id(5))
    aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=incoming_key(ADA, lost.upload_id), Body=b"")
    with pytest.MonkeyPatch.context() as changed:
        use_one_partition(changed)
        changed.setattr("profile_media.aws.clock.utc_now", lambda: utc_now() + timedelta(minutes=15))
        run("reconcile", an_event("reconcile"))
        changed.setattr("profile_media.domain.users.load_own_profile", lambda *_: 1 / 0)
        call("get_profile")
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    access = json.loads(read(given={**REQUIRED, "ApiAccessLogs": "on"}).api.properties["AccessLogSetting"]["Format"])
    return {FUNCTION_LOGS: [*logs(), *written, REPORT], API_LOGS: [access]}


def test_queries_read_fields_and_texts_that_are_logged(lines: dict[str, list[dict[str, Any]]]) -> None:
    logged = {group: {pair for line in of_group for pair in flat(line)} for group, of_group in lines.items()}
    names = {group: {name for name, _ in pairs} | INSIGHTS_OWN for group, pairs in logged.items()}
    unknown = [
        (query, name)
        for query, (code, groups) in QUERIES.items()
        for places, name in fields_of(code, groups)
        if not any(name in names[group] for group in places.split("/"))
    ]
    unsaid = [
        (query, pair)
        for query, (code, groups) in QUERIES.items()
        for pair in texts_of(code)
        if not any(pair in logged[group] for group in groups)
    ]

    assert (unknown, unsaid) == ([], [])


def test_life_of_an_upload_reads_every_hop() -> None:
    code, groups = SAVED["LifeOfUpload"]

    assert {group for group, _ in fields_of(code, groups)} == {FUNCTION_LOGS, API_LOGS}


@pytest.mark.parametrize("name", SAVED)
def test_parameters_of_a_query_are_described_and_used(name: str) -> None:
    query = nested("Queries")[name]
    described = {each["Name"] for each in query.get("Parameters", ()) if each["Description"].endswith(".")}

    assert set(re.findall(r"\{\{(\w+)\}\}", SAVED[name][0])) == described
    assert text(query["Name"]).startswith("${ServiceStack}/")
