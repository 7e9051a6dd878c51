"""The pages of the dialects agree with the answers of the code."""

import json
import pkgutil
import re
from http import HTTPStatus
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from profile_media import dialects
from profile_media.dialects import native, public_id
from profile_media.dialects.native.intents import IntentBody
from profile_media.dialects.native.showing import LONGEST_WAIT
from profile_media.dialects.native.slots import NAMES
from profile_media.domain.errors import ErrorCode
from profile_media.domain.formats import FORMATS
from profile_media.domain.intend import RENEWAL
from profile_media.domain.model import ContentType, Slot, State
from profile_media.domain.policy import MAX_JPEG_SCANS, MAX_SIDE, MIN_SIDE, SIZES, Limits
from profile_media.http.status import STATUSES
from profile_media.http.wording import REASONS
from tests.docs.markdown import code, prose, read, table
from tests.docs.test_readme import ROUTE, routes
from tools import template
from tools.openapi.operations import SAMPLES

NATIVE = "docs/dialects/native.md"
PUBLIC_ID = "docs/dialects/public_id.md"

PAGES = {
    f"docs/dialects/{found.name}.md": import_module(f"{dialects.__name__}.{found.name}")
    for found in pkgutil.iter_modules(dialects.__path__)
}
"""A page for each dialect there is, and the dialect."""


def status_of(dialect: ModuleType, code_: ErrorCode) -> HTTPStatus:
    status: HTTPStatus = dialect.STATUSES.get(code_, STATUSES[code_])
    return status


def test_every_error_has_a_sample() -> None:
    assert set(SAMPLES) == set(ErrorCode)


def test_native_error_table_equals_the_answers() -> None:
    for row in table(NATIVE, header="`error.code`"):
        (name,) = code(row["`error.code`"])
        known = ErrorCode(name.lower()) if name != "INTERNAL" else None
        body: Any = native.render_error(SAMPLES[known] if known else None, "r")

        assert row["Status"] == str(status_of(native, known).value if known else 500)
        assert body["error"]["code"] == name
        assert code(row["`i18nKey`"]) == [body["error"]["i18nKey"]]


def test_public_id_error_table_equals_the_answers() -> None:
    for row in table(PUBLIC_ID, header="Error"):
        (name,) = code(row["Error"])
        known = ErrorCode(name) if name != "internal" else None
        body: Any = public_id.render_error(SAMPLES[known] if known else None, "r")

        assert row["Status"] == str(status_of(public_id, known).value if known else 500)
        assert row["`message`"] in (body["message"], re.sub(r"\d+", "…", body["message"]))


@pytest.mark.parametrize("name", PAGES)
def test_error_table_has_the_right_statuses(name: str) -> None:
    for row in table(name, header=_errors(name)):
        (error,) = code(row[_errors(name)])
        known = ErrorCode(error.lower()) if error.lower() != "internal" else None

        assert row["Status"] == str(status_of(PAGES[name], known).value if known else 500), error


def test_changed_statuses_are_in_the_table() -> None:
    listed = {code(row["Error"])[0] for row in table(PUBLIC_ID, header="Error")}

    assert set(public_id.STATUSES) <= listed


def _errors(name: str) -> str:
    """What the first column of the page's table of errors is called."""
    return "`error.code`" if name == NATIVE else "Error"


@pytest.mark.parametrize("name", PAGES)
def test_every_error_is_in_the_table_or_excluded(name: str) -> None:
    listed = {code(row[_errors(name)])[0].lower() for row in table(name, header=_errors(name))} - {"internal"}
    starts = ("Codes that other endpoints", "Errors of the service that ")
    paragraph = next((text for text in prose(name).split("\n\n") if text.startswith(starts)), "")
    absent = {text.lower() for text in code(paragraph)}

    assert listed | absent == set(ErrorCode)
    assert not listed & absent


def test_rejection_reasons_equal_the_code() -> None:
    rows = table(NATIVE, header="`reason.code`")

    assert {code(row["`reason.code`"])[0]: row["`reason.message`"] for row in rows} == {**REASONS}


def test_limits_in_the_text_equal_the_code() -> None:
    because = {code(row["`reason.code`"])[0]: row["Because"] for row in table(NATIVE, header="`reason.code`")}
    required = {code(row["Field"])[0]: row["What it is"] for row in table(NATIVE, header="Field")[:5]}

    assert f"over {MAX_SIDE:,}" in because["too_many_pixels"]
    assert f"{FORMATS[ContentType.JPEG].max_pixels // 10**6} million pixels in a JPEG" in because["too_many_pixels"]
    assert {FORMATS[kind].max_pixels for kind in ContentType if kind is not ContentType.JPEG} == {25_000_000}
    assert "25 million in any other" in because["too_many_pixels"]
    assert f"under {MIN_SIDE}" in because["too_small"]
    assert f"over {MAX_JPEG_SCANS} scans" in because["too_complex"]
    assert all(f"{most:,}" in required["contentLength"] for most in Limits().max_bytes.values())
    assert RENEWAL.total_seconds() == 60
    assert "Within a minute" in read(NATIVE)
    assert f"?wait=<0 to {LONGEST_WAIT}>" in read(NATIVE)


def test_intent_fields_equal_the_code() -> None:
    rows = table(NATIVE, header="Field")
    fields = {info.alias or name: info.is_required() for name, info in IntentBody.model_fields.items()}

    assert {code(row["Field"])[0]: row["Required"] == "yes" for row in rows} == fields
    described = {code(row["Field"])[0]: code(row["What it is"]) for row in rows}
    assert described["slot"] == list(NAMES.values())
    assert described["contentType"] == list(ContentType)


def test_all_states_are_named() -> None:
    (row,) = [row for row in table(NATIVE, header="Answer") if code(row["Answer"]) == ["state"]]

    assert code(row["When it is there"]) == list(State)


def test_derivatives_equal_the_code() -> None:
    for name, names in (("docs/architecture.md", {slot: slot.value for slot in Slot}), (NATIVE, NAMES)):
        rows = {code(row["Slot"])[0]: row["Derivatives"] for row in table(name, header="Slot")}

        assert rows == {
            names[slot]: ", ".join(
                f"`{size.name}` {size.width} \N{MULTIPLICATION SIGN} {size.height}" for size in sizes
            )
            for slot, sizes in SIZES.items()
        }


def test_gateway_answers_equal_the_template() -> None:
    declared = template.read().api.properties["GatewayResponses"].values()
    templates = [
        (answer.get("StatusCode", "any 4xx"), answer["ResponseTemplates"]["application/json"]) for answer in declared
    ]
    answers = {(status, json.loads(body)["error"]["code"], json.loads(body)["message"]) for status, body in templates}

    rows = table(NATIVE, header="Status")

    assert {(row["Status"], code(row["`error.code`"])[0], row["`message`"]) for row in rows} == answers


@pytest.mark.parametrize("name", PAGES)
def test_endpoints_of_a_page_exist(name: str) -> None:
    named = ROUTE.findall(" ".join(re.findall(r"^## .*$", read(name), re.MULTILINE)))

    assert named
    assert set(named) <= routes()


def test_every_endpoint_has_a_page() -> None:
    headings = " ".join(re.findall(r"^## .*$", "".join(read(name) for name in PAGES), re.MULTILINE))

    for method, path in routes():
        assert method == "OPTIONS" or f"{method} {path}" in headings


@pytest.mark.parametrize("name", PAGES)
def test_examples_are_json(name: str) -> None:
    blocks = re.findall(r"^```json$(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)

    assert blocks
    for block in blocks:
        json.loads(block)
