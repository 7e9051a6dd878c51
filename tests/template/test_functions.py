"""One name, four places: folder, logical id, sample event, log group. And each function's environment, exactly."""

import ast
import dataclasses
import inspect
import json

import pytest

from profile_media.aws import settings
from tests.template.document import FOLDERS, logical_id, of_type, properties, text
from tools.template import ROOT, written

FUNCTIONS = of_type("AWS::Serverless::Function")

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}

SHOWING = {"ALLOWED_ORIGINS", "APP_NAME", "USERS_TABLE", "MEDIA_BASE_URL"}

BINDING = SHOWING | {"UPLOADS_TABLE", "WRITES_PER_MINUTE"}

INGESTING = BINDING | {
    "MEDIA_BUCKET",
    "PURGE_QUEUE_URL",
    "AVATAR_MAX_BYTES",
    "COVER_IMAGE_MAX_BYTES",
    "OPEN_INTENTS",
    "INTENTS_PER_HOUR",
    "PENDING_TTL_SECONDS",
    "SETTLED_TTL_SECONDS",
    "KEEP_MASTER",
}

ENVIRONMENT = {
    "authorize": {
        "TOKEN_ISSUER",
        "TOKEN_AUDIENCE",
        "TOKEN_JWKS_URL",
        "TOKEN_REQUIRED_CLAIM",
        "ADMIN_CLAIM",
        "TENANT_CLAIM",
        "CERTIFICATE_AUTHORITIES",
    },
    "preflight": {"ALLOWED_ORIGINS"},
    "create_upload_intent": {
        "ALLOWED_ORIGINS",
        "APP_NAME",
        "USERS_TABLE",
        "UPLOADS_TABLE",
        "UPLOADS_BUCKET",
        "UPLOADS_URL",
        "AVATAR_MAX_BYTES",
        "COVER_IMAGE_MAX_BYTES",
        "OPEN_INTENTS",
        "INTENTS_PER_HOUR",
        "PENDING_TTL_SECONDS",
        "GRANT_SECONDS",
    },
    "get_upload": {"ALLOWED_ORIGINS", "APP_NAME", "UPLOADS_TABLE", "MEDIA_BASE_URL"},
    "get_profile": SHOWING,
    "bind_avatar": BINDING,
    "bind_cover_image": BINDING,
    "upload_user_image": INGESTING,
    "set_avatar_url": BINDING | {"EXTERNAL_AVATAR_HOSTS"},
    "update_profile_picture": BINDING | {"MEDIA_BUCKET"},
    "update_my_profile_picture": BINDING | {"MEDIA_BUCKET"},
    "update_profile_image": INGESTING,
    "delete_profile_image": BINDING,
    "get_user": SHOWING,
    "put_user": SHOWING,
    "process_upload": {
        "UPLOADS_TABLE",
        "UPLOADS_BUCKET",
        "MEDIA_BUCKET",
        "PURGE_QUEUE_URL",
        "SETTLED_TTL_SECONDS",
        "KEEP_MASTER",
    },
    "release_media": {"PURGE_QUEUE_URL"},
    "purge_media": {"UPLOADS_BUCKET", "MEDIA_BUCKET"},
    "reconcile": {
        "USERS_TABLE",
        "UPLOADS_TABLE",
        "UPLOADS_BUCKET",
        "MEDIA_BUCKET",
        "PURGE_QUEUE_URL",
        "REDRIVE_QUEUE_URL",
        "RECONCILE_MENDS",
    },
}
"""What each function's settings read, and nothing else."""


def first_line(folder: str) -> str:
    docstring = ast.get_docstring(ast.parse((ROOT / "functions" / folder / "app.py").read_text()))
    assert docstring is not None
    return docstring.splitlines()[0].removesuffix(".")


def test_every_folder_is_a_function_and_every_function_a_folder() -> None:
    assert {logical_id(folder): f"functions/{folder}" for folder in FOLDERS} == {
        name: body["CodeUri"] for name, body in FUNCTIONS.items()
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_holds_nothing_but_its_handler(folder: str) -> None:
    kept = [path.name for path in (ROOT / "functions" / folder).iterdir() if path.name != "__pycache__"]

    assert kept == ["app.py"]  # SAM would deploy whatever else lay there


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_description_is_what_the_code_says_of_itself(folder: str) -> None:
    assert properties(logical_id(folder))["Description"] == first_line(folder)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_route_is_the_one_the_docstring_names(folder: str) -> None:
    events = properties(logical_id(folder)).get("Events", {}).values()
    routes = {f"{event['Properties']['Method']} {event['Properties']['Path']}" for event in events if is_api(event)}

    if folder == "preflight":
        assert all(route.startswith("OPTIONS ") for route in routes)
    elif routes:
        assert routes == {first_line(folder).partition(":")[0]}
    else:
        assert first_line(folder).split()[0] not in {"GET", "POST", "PUT", "PATCH", "DELETE"}


def is_api(event: dict[str, object]) -> bool:
    return event["Type"] == "Api"


def test_every_function_has_a_sample_event_and_no_event_is_left_over() -> None:
    events = {path.stem: path for path in (ROOT / "events").glob("*.json")}

    assert sorted(events) == FOLDERS
    assert all(isinstance(json.loads(path.read_text()), dict) for path in events.values())


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_function_logs_to_a_group_of_its_own_right_below_it(folder: str) -> None:
    group = text(properties(logical_id(folder))["LoggingConfig"]["LogGroup"])
    resources = list(written()["Resources"])
    below = resources[resources.index(logical_id(folder)) + 1 :]

    assert group == logical_id(folder).removesuffix("Function") + "LogGroup"
    assert group == next(name for name in below if name.endswith("LogGroup"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_told_exactly_what_it_reads(folder: str) -> None:
    assert set(properties(logical_id(folder))["Environment"]["Variables"]) == ENVIRONMENT[folder]


def test_all_functions_are_told_how_to_log_and_count() -> None:
    assert set(written()["Globals"]["Function"]["Environment"]["Variables"]) == POWERTOOLS


def test_no_variable_is_set_that_no_settings_read() -> None:
    classes = [value for _, value in inspect.getmembers(settings, dataclasses.is_dataclass)]
    read = {field.name.upper() for each in classes for field in dataclasses.fields(each)}

    assert set().union(*ENVIRONMENT.values()) <= read


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_paragraph_has_its_keys_in_the_one_order(folder: str) -> None:
    order = ["CodeUri", "Description", "Events", "Environment", "Policies", "LoggingConfig"]
    keys = [key for key in properties(logical_id(folder)) if key in order]

    assert keys == [key for key in order if key in keys]


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if ENVIRONMENT[folder] >= INGESTING])
def test_what_decodes_pictures_behind_the_api_has_the_memory_for_it_and_ends_before_the_gateway_does(
    folder: str,
) -> None:
    function = properties(logical_id(folder))

    assert function["MemorySize"] == properties("ProcessUploadFunction")["MemorySize"]
    assert properties("GetUploadFunction")["Timeout"] < function["Timeout"] <= 29
