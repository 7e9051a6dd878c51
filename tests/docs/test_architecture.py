"""docs/architecture.md agrees with the code and the template."""

import importlib
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import pytest

from profile_media.auth import cache, fetch
from profile_media.aws import models, settings
from profile_media.aws.authorizer_settings import AuthorizerSettings
from profile_media.aws.profiles import DynamoProfiles
from profile_media.domain import keys, ports
from profile_media.domain.bind import ATTEMPTS
from profile_media.domain.model import Identity, Slot
from profile_media.domain.policy import MASTER_SIDE
from tests import cloud
from tests.builders import ADA, NOW, an_id
from tests.docs.markdown import code, read, table
from tests.functions.conftest import Rows
from tests.template.document import FOLDERS, as_list, logical_id, properties, written
from tools import template
from tools.local.invocations import RETRY_SECONDS
from tools.local.runner import MAX_WORKERS
from tools.local.stack import Addresses

NAME = "docs/architecture.md"

CLASSES: list[type] = [
    AuthorizerSettings,
    *(each for each in vars(settings).values() if isinstance(each, type) and issubclass(each, settings.Settings)),
]


def test_settings_table_equals_the_settings_classes() -> None:
    expected: dict[str, tuple[str, set[str]]] = {}
    for of in CLASSES:
        for name in of.__annotations__:
            _, readers = expected.setdefault(name.upper(), (_default(_default_of(of, name)), set()))
            readers.add(of.__name__)

    rows = {code(row["Variable"])[0]: row for row in table(NAME, header="Variable")}

    assert {name: (row["Default"], set(code(row["Read by"]))) for name, row in rows.items()} == expected


def _default_of(of: type, name: str) -> object:
    """Return the default of a setting; MISSING where it is required."""
    if is_dataclass(of):
        return next(field.default for field in fields(of) if field.name == name)
    field = of.model_fields[name]  # type: ignore[attr-defined]
    return MISSING if field.is_required() else field.default


def _default(value: object) -> str:
    if value is MISSING:
        return "required"
    if value == "":
        return "empty"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_variables_of_the_template_are_documented() -> None:
    documented = {code(row["Variable"])[0] for row in table(NAME, header="Variable")}
    given = {variable for function in template.read().functions.values() for variable in function.environment}
    given = {variable for variable in given if not variable.startswith("POWERTOOLS_")}
    local = Addresses("", "", "", "", "").added_variables

    assert documented - given == {"JWKS_ALLOW_LOOPBACK"}
    assert given <= documented
    assert "JWKS_ALLOW_LOOPBACK" in local


@pytest.mark.parametrize("folder", FOLDERS)
def test_rights_table_equals_the_template(folder: str) -> None:
    (row,) = [row for row in table(NAME, header="Function") if code(row["Function"]) == [folder]]
    said = {text for text in code(row["Rights"]) if ":" in text}
    if "the same" in row["Rights"]:
        assert {"dynamodb:GetItem", "dynamodb:UpdateItem"} <= said

    assert said == set(_granted(properties(logical_id(folder))))


def _granted(function: dict[str, Any]) -> list[str]:
    statements = [statement for policy in function.get("Policies", []) for statement in policy["Statement"]]
    return [action for statement in statements for action in as_list(statement["Action"])]


def test_rights_table_has_every_function() -> None:
    assert sorted(code(row["Function"])[0] for row in table(NAME, header="Function")) == FOLDERS


def test_ports_table_names_existing_adapters() -> None:
    rows = {code(row["Port"])[0]: code(row["In production"])[0] for row in table(NAME, header="Port")}
    protocols = {name for name, found in vars(ports).items() if getattr(found, "_is_protocol", False)} - {"Protocol"}

    assert set(rows) == protocols
    for port, adapter in rows.items():
        module, _, name = adapter.rpartition(".")
        methods = {method for method in vars(getattr(ports, port)) if not method.startswith("_")}
        assert methods <= set(dir(getattr(importlib.import_module(f"profile_media.{module}"), name)))


def test_object_keys_equal_the_code() -> None:
    for row in table(NAME, header="Key"):
        (key,) = code(row["Key"])

        assert key in (keys.__doc__ or "")


def test_attribute_tables_equal_written_rows(aws: cloud.Cloud) -> None:
    said = Identity("ada@example.com", True, "Ada", "L", "+44", "ada", "https://example.com/a", "admin", NOW)
    DynamoProfiles(cloud.USERS_TABLE).save_identity(ADA, "acme", said, NOW)
    for number, slot in enumerate(Slot):
        Rows().bound(slot=slot, upload_id=an_id(number))
    (user,) = aws.rows(cloud.USERS_TABLE)
    items = {item["upload_id"]["S"]: set(item) for item in aws.rows(cloud.UPLOADS_TABLE)}
    keys_and_expiry = {"owner_id", "upload_id", "expires_at"}

    users = {name for row in table(NAME, header="Attribute") for name in code(row["Attribute"])}
    assert users == set(user) - {"user_id"}
    (identity,) = [row["Holds"] for row in table(NAME, header="Attribute") if code(row["Attribute"]) == ["identity"]]
    assert code(identity) == [field.name for field in fields(Identity)]
    assert set(user["identity"]["M"]) == set(code(identity))
    (upload,) = [row["Item"] for row in table(NAME, header="Range key") if row["Item"].startswith("an upload:")]
    assert set(code(upload)) == set(models.UploadItem.get_attributes()) - keys_and_expiry
    (quota,) = [
        row["Item"] for row in table(NAME, header="Range key") if code(row["Range key"]) == [models.QuotaItem.RANGE_KEY]
    ]
    assert items[models.QuotaItem.RANGE_KEY] - keys_and_expiry == {"open", "recent"} <= set(code(quota))
    assert f"`{models.IdempotencyItem.PREFIX}<hash>`" in read(NAME)


def test_figures_in_the_text_equal_the_code() -> None:
    text = " ".join(read(NAME).split())

    assert f"at most {MASTER_SIDE} pixels" in text
    assert ATTEMPTS == 4
    assert "after four lost races" in text
    assert (fetch.MAX_BYTES, fetch.FETCH_SECONDS, cache.COOLDOWN_SECONDS) == (64 * 1024, 2, 30)
    assert "64 KiB, two seconds, at most one fetch in 30 seconds" in text
    assert cache.RETRY_SECONDS == 1
    assert "or one a second while there is no copy" in text
    assert (cache.FRESH_SECONDS, cache.STALE_SECONDS) == (600, 3600)
    assert "used for ten minutes, and for up to an hour" in text
    assert properties("Api")["Auth"]["Authorizers"]["BearerToken"]["Identity"]["ReauthorizeEvery"] == 60
    assert "for a minute and uses it for other routes" in text


def test_differences_of_the_local_stack_equal_the_code() -> None:
    rows = {row[""]: row for row in table(NAME, header="")}

    assert RETRY_SECONDS == (0.5, 1.0)
    assert rows["Retries of events"]["Here"] == "after half a second and one second"
    assert f"{MAX_WORKERS} at most per function" in rows["Lambda"]["Here"]
    purge_delay = rows["`PurgeDelaySeconds`"]
    assert purge_delay["On AWS"].startswith(str(written()["Parameters"]["PurgeDelaySeconds"]["Default"]))
    assert purge_delay["Here"].startswith(Addresses("", "", "", "", "").local_parameters["PurgeDelaySeconds"])
