"""The functions: one name for folder, logical id and sample event, and exactly the environment that each one reads."""

import ast
import dataclasses
import inspect
import json

import pytest

from profile_media.aws import settings
from tests.template.document import FOLDERS, logical_id, of_type, properties
from tools.template import FUNCTION, ROOT, read, written

FUNCTIONS = of_type(FUNCTION)

SHARED = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "STACK_NAME",
    "AWS_CA_BUNDLE",
    "APP_NAME",
    "ALLOWED_ORIGINS",
    "MEDIA_BASE_URL",
}
"""The variables of every function."""

NO_SETTING = SHARED - {"APP_NAME", "ALLOWED_ORIGINS", "MEDIA_BASE_URL"}
"""The variables that libraries and telemetry read."""

BINDING = {"USERS_TABLE", "UPLOADS_TABLE", "WRITES_PER_MINUTE"}

LIMITS = {"AVATAR_MAX_BYTES", "COVER_IMAGE_MAX_BYTES", "OPEN_INTENTS", "INTENTS_PER_HOUR", "PENDING_TTL_SECONDS"}

STORING = {"MEDIA_BUCKET", "PURGE_QUEUE_URL", "SETTLED_TTL_SECONDS", "KEEP_MASTER"}

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
    "preflight": set[str](),
    "create_upload_intent": LIMITS | {"USERS_TABLE", "UPLOADS_TABLE", "UPLOADS_BUCKET", "UPLOADS_URL", "GRANT_SECONDS"},
    "get_upload": {"UPLOADS_TABLE"},
    "get_profile": {"USERS_TABLE"},
    "bind_avatar": BINDING,
    "bind_cover_image": BINDING,
    "upload_user_image": BINDING | LIMITS | STORING,
    "set_avatar_url": BINDING | {"EXTERNAL_AVATAR_HOSTS"},
    "update_profile_picture": BINDING | {"MEDIA_BUCKET"},
    "update_my_profile_picture": BINDING | {"MEDIA_BUCKET"},
    "update_profile_image": BINDING | LIMITS | STORING,
    "delete_profile_image": BINDING,
    "get_user": {"USERS_TABLE"},
    "put_user": {"USERS_TABLE"},
    "process_upload": BINDING | STORING | {"UPLOADS_BUCKET"},
    "release_media": {"PURGE_QUEUE_URL"},
    "purge_media": {"UPLOADS_BUCKET", "MEDIA_BUCKET"},
    "reconcile": {
        "USERS_TABLE",
        "UPLOADS_TABLE",
        "UPLOADS_BUCKET",
        "MEDIA_BUCKET",
        "PURGE_QUEUE_URL",
        "PURGE_DELAY_SECONDS",
        "REDRIVE_QUEUE_URL",
        "RECONCILE_MENDS",
    },
}
"""The variables of each function besides the shared ones."""

FORMS = ("upload_user_image", "update_profile_image")


def first_line(folder: str) -> str:
    """Return the first line of a handler's docstring without its full stop."""
    docstring = ast.get_docstring(ast.parse((ROOT / "functions" / folder / "app.py").read_text()))
    assert docstring is not None
    return docstring.splitlines()[0].removesuffix(".")


def test_every_folder_is_a_function_and_every_function_has_a_folder() -> None:
    assert {logical_id(folder): f"functions/{folder}" for folder in FOLDERS} == {
        name: body["CodeUri"] for name, body in FUNCTIONS.items()
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_contains_only_the_handler(folder: str) -> None:
    found = [path.name for path in (ROOT / "functions" / folder).iterdir() if path.name != "__pycache__"]

    assert found == ["app.py"]  # SAM deploys every file of the folder


def test_every_function_has_a_sample_event() -> None:
    events = {path.stem: path for path in (ROOT / "events").glob("*.json")}

    assert sorted(events) == FOLDERS
    assert all(isinstance(json.loads(path.read_text()), dict) for path in events.values())


@pytest.mark.parametrize("folder", FOLDERS)
def test_description_equals_the_first_line_of_the_docstring(folder: str) -> None:
    assert properties(logical_id(folder))["Description"] == first_line(folder)


@pytest.mark.parametrize("folder", FOLDERS)
def test_docstring_names_the_route(folder: str) -> None:
    routes = {f"{route.method} {route.path}" for route in read().functions[logical_id(folder)].routes}

    if folder == "preflight":
        assert all(route.startswith("OPTIONS ") for route in routes)
    elif routes:
        assert routes == {first_line(folder).partition(":")[0]}
    else:
        assert first_line(folder).split()[0] not in {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_function_states_its_properties_in_the_same_order(folder: str) -> None:
    order = ["CodeUri", "Description", "Events", "Environment", "Policies"]
    keys = [key for key in properties(logical_id(folder)) if key in order]

    assert keys == [key for key in order if key in keys]


@pytest.mark.parametrize("folder", FOLDERS)
def test_function_gets_exactly_the_variables_that_it_reads(folder: str) -> None:
    assert set(read().functions[logical_id(folder)].environment) == SHARED | ENVIRONMENT[folder]


def test_shared_variables_stand_in_globals_only() -> None:
    assert set(written()["Globals"]["Function"]["Environment"]["Variables"]) == SHARED
    assert not SHARED & set().union(*ENVIRONMENT.values())


def test_settings_read_every_variable() -> None:
    """A misspelt variable would leave the setting at its default."""
    variables = set().union(SHARED - NO_SETTING, *ENVIRONMENT.values())

    assert variables <= {
        name.upper() for _, each in inspect.getmembers(settings, inspect.isclass) for name in fields(each)
    }


def fields(settings_class: type) -> list[str]:
    """Return the names of the fields of a dataclass or a pydantic model."""
    if dataclasses.is_dataclass(settings_class):
        return [field.name for field in dataclasses.fields(settings_class)]
    return list(getattr(settings_class, "model_fields", ()))


def test_functions_that_decode_pictures_have_the_memory_for_it() -> None:
    decoding = {name for name, body in FUNCTIONS.items() if body.get("MemorySize") == {"Ref": "ProcessMemorySize"}}

    assert decoding == {logical_id(folder) for folder in (*FORMS, "process_upload")}


@pytest.mark.parametrize(("folder", "mib"), [("get_upload", 256), ("preflight", 128)])
def test_functions_that_wait_or_do_little_have_little_memory(folder: str, mib: int) -> None:
    assert read().functions[logical_id(folder)].memory == mib


@pytest.mark.parametrize("folder", FORMS)
def test_form_functions_end_before_api_gateway_gives_up(folder: str) -> None:
    functions = read().functions
    timeout = functions[logical_id(folder)].timeout

    assert timeout is not None
    assert (functions["GetUploadFunction"].timeout or 0) < timeout <= 29


def test_all_functions_log_json_to_one_group_that_expires() -> None:
    logging = written()["Globals"]["Function"]["LoggingConfig"]

    assert (logging["LogFormat"], logging["LogGroup"]) == ("JSON", {"Ref": "FunctionLogGroup"})
    assert [name for name, body in FUNCTIONS.items() if "LoggingConfig" in body] == []
    for group in of_type("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
