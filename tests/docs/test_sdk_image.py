"""The code answers as the page of dialect 4 documents."""

import json
import re
from typing import Any

import pytest

from profile_media.dialects import sdk_image
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.dialects.sdk_image.writing import UserBody
from profile_media.domain.errors import ErrorCode
from profile_media.domain.model import Identity, Profile
from profile_media.http.links import Links
from profile_media.http.status import STATUSES
from tests.builders import ADA, NOW
from tests.docs.markdown import code, read, table
from tests.docs.test_readme import routes
from tools.openapi.operations import SAMPLES

PAGE = "docs/dialects/sdk_image.md"
NATIVE = "docs/dialects/native.md"


def examples() -> list[Any]:
    return [json.loads(block) for block in re.findall(r"^```json$(.*?)^```$", read(PAGE), re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("row", table(PAGE, header="Error"), ids=lambda row: row["Error"])
def test_errors_have_these_statuses_and_codes(row: dict[str, str]) -> None:
    [name] = code(row["Error"])
    known = ErrorCode(name) if name != "internal" else None
    body: Any = sdk_image.render_error(SAMPLES[known] if known else None, "r")
    status = sdk_image.STATUSES.get(known, STATUSES[known]).value if known else 500
    assert (row["Status"], code(row["`code`"])) == (str(status), [body["errors"][0]["code"]])
    assert code(row["`meta`"]) == list(body["errors"][0].get("meta", ()))


def test_example_has_all_keys_of_the_user() -> None:
    identity = Identity(email="ada@example.com", email_verified=True, first_name="Ada", last_login=NOW)
    user: Any = render_user(Profile(ADA, created_at=NOW, identity=identity), Links("app", "https://m.example.com")).body
    [shown] = [example for example in examples() if example.get("object") == "user"]
    assert list(shown) == sorted(user, key=list(shown).index)
    [email], [shown_email] = user["email_addresses"], shown["email_addresses"]
    assert email.keys() == shown_email.keys()
    assert email["verification"] == shown_email["verification"]
    told = {name for row in table(PAGE, header="Key") for name in code(row["Key"])}
    named = {name for name in user if name == "id" or name.endswith(("name", "_address_id", "_number_id"))}
    assert {name for name in user if user[name] != shown[name]} <= told | named


def test_page_lists_the_fields_of_the_put_body() -> None:
    written = list(UserBody.model_json_schema()["properties"])
    assert [code(row["Field"])[0] for row in table(PAGE, header="Field")] == written
    [body] = [example for example in examples() if "role" in example]
    assert set(body) == set(written)
    assert UserBody.model_validate(body)


def test_example_of_error_has_the_keys_and_a_message_of_the_page() -> None:
    [example] = [example for example in examples() if "errors" in example]
    assert example.keys() == sdk_image.render_error(None, "r").keys()
    [reason] = example["errors"]
    sentences = {
        code(row["`reason.code`"])[0]: row["`reason.message`"] for row in table(NATIVE, header="`reason.code`")
    }
    assert reason["message"] == sentences[reason["meta"]["reason"]]


def test_endpoints_of_page_exist() -> None:
    named = re.findall(r"^## (GET|POST|PUT|DELETE) (/[a-z0-9_{}/]+)$", read(PAGE), re.MULTILINE)
    assert len(named) == 4
    assert set(named) <= routes()
