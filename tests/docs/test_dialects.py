"""The code answers as the pages of the dialects document."""

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
from profile_media.dialects.native.slots import NAMES
from profile_media.domain.errors import ErrorCode
from profile_media.domain.model import State
from profile_media.domain.policy import SIZES
from profile_media.http.status import STATUSES
from profile_media.http.wording import REASONS
from tests.docs.markdown import code, prose, read, table
from tests.docs.test_readme import ROUTE, routes
from tests.pictures import TYPES
from tools import template
from tools.openapi.operations import SAMPLES

NATIVE = "docs/dialects/native.md"
PUBLIC_ID = "docs/dialects/public_id.md"

PAGES = {
    f"docs/dialects/{found.name}.md": import_module(f"{dialects.__name__}.{found.name}")
    for found in pkgutil.iter_modules(dialects.__path__)
}
"""The dialect of each page."""


def status_of(dialect: ModuleType, code_: ErrorCode) -> HTTPStatus:
    status: HTTPStatus = dialect.STATUSES.get(code_, STATUSES[code_])
    return status


def test_every_error_has_a_sample() -> None:
    assert set(SAMPLES) == set(ErrorCode)


def test_native_errors_have_these_statuses_and_names() -> None:
    for row in table(NATIVE, header="`error.code`"):
        (name,) = code(row["`error.code`"])
        known = ErrorCode(name.lower()) if name != "INTERNAL" else None
        body: Any = native.render_error(SAMPLES[known] if known else None, "r")

        assert row["Status"] == str(status_of(native, known).value if known else 500)
        assert body["error"]["code"] == name
        assert code(row["`i18nKey`"]) == [body["error"]["i18nKey"]]


def test_public_id_errors_have_these_statuses_and_messages() -> None:
    for row in table(PUBLIC_ID, header="Error"):
        (name,) = code(row["Error"])
        known = ErrorCode(name) if name != "internal" else None
        body: Any = public_id.render_error(SAMPLES[known] if known else None, "r")

        assert row["Status"] == str(status_of(public_id, known).value if known else 500)
        assert row["`message`"] in (body["message"], re.sub(r"\d+", "…", body["message"]))


@pytest.mark.parametrize("name", PAGES)
def test_errors_have_these_statuses(name: str) -> None:
    for row in table(name, header=_errors(name)):
        (error,) = code(row[_errors(name)])
        known = ErrorCode(error.lower()) if error.lower() != "internal" else None

        assert row["Status"] == str(status_of(PAGES[name], known).value if known else 500), error


def test_statuses_that_the_dialect_changes_are_all_in_its_table() -> None:
    listed = {code(row["Error"])[0] for row in table(PUBLIC_ID, header="Error")}

    assert set(public_id.STATUSES) <= listed


def _errors(name: str) -> str:
    """Return the header of the first column in the page's table of errors."""
    return "`error.code`" if name == NATIVE else "Error"


@pytest.mark.parametrize("name", PAGES)
def test_every_error_is_listed_or_excluded(name: str) -> None:
    listed = {code(row[_errors(name)])[0].lower() for row in table(name, header=_errors(name))} - {"internal"}
    (paragraph,) = (
        text for text in prose(name).split("\n\n") if re.match(r"Th(is|ese) endpoints? never returns? ", text)
    )
    absent = {text.lower() for text in code(paragraph)}

    assert listed | absent == set(ErrorCode)
    assert not listed & absent


def test_page_lists_every_reason_with_its_message() -> None:
    rows = table(NATIVE, header="`reason.code`")

    assert {code(row["`reason.code`"])[0]: row["`reason.message`"] for row in rows} == {**REASONS}


def test_intent_fields_are_those_of_the_body_model() -> None:
    rows = table(NATIVE, header="Field")
    fields = {info.alias or name: info.is_required() for name, info in IntentBody.model_fields.items()}

    assert {code(row["Field"])[0]: row["Required"] == "yes" for row in rows} == fields
    described = {code(row["Field"])[0]: code(row["Meaning"]) for row in rows}
    assert described["slot"] == list(NAMES.values())
    assert described["contentType"] == list(TYPES)


def test_all_states_are_documented() -> None:
    (row,) = [row for row in table(NATIVE, header="Key") if code(row["Key"]) == ["state"]]

    assert code(row["Present"]) == list(State)


def test_derivatives_are_those_of_the_size_table() -> None:
    rows = {code(row["Slot"])[0]: row["Derivatives"] for row in table(NATIVE, header="Slot")}

    assert rows == {
        NAMES[slot]: ", ".join(f"`{size.name}` {size.width} \N{MULTIPLICATION SIGN} {size.height}" for size in sizes)
        for slot, sizes in SIZES.items()
    }


def test_page_lists_the_gateway_responses() -> None:
    declared = template.read().api.properties["GatewayResponses"].values()
    templates = [
        (answer.get("StatusCode", "any 4xx"), answer["ResponseTemplates"]["application/json"]) for answer in declared
    ]
    answers = {(status, json.loads(body)["error"]["code"], json.loads(body)["message"]) for status, body in templates}

    rows = table(NATIVE, header="Status")

    assert {(row["Status"], code(row["`error.code`"])[0], row["`message`"]) for row in rows} == answers


@pytest.mark.parametrize("name", PAGES)
def test_endpoints_of_page_exist(name: str) -> None:
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
