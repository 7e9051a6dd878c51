"""The functions: one name for folder, logical id and sample event, and exactly the environment that each one reads."""

import ast
import dataclasses
import json
from typing import Any

import pytest

from profile_media.aws import settings
from profile_media.aws.authorizer_settings import AuthorizerSettings
from tests.template.document import FOLDERS, logical_id, of_type, properties
from tools.template import FUNCTION, ROOT, read, written

FUNCTIONS = of_type(FUNCTION)


SHARED = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "STACK_NAME",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "APP_NAME",
    "ALLOWED_ORIGINS",
    "MEDIA_BASE_URL",
}
"""The variables of every function."""

SETTINGS: dict[str, type | None] = {
    "authorize": AuthorizerSettings,
    "preflight": None,
    "create_upload_intent": settings.IntentSettings,
    "get_upload": settings.UploadWaitingSettings,
    "cancel_upload": settings.CancellingSettings,
    "update_upload": settings.UpdatingSettings,
    "get_profile": settings.ProfileReadingSettings,
    "remove_picture": settings.BindingSettings,
    "bind_avatar": settings.BindingSettings,
    "bind_cover_image": settings.BindingSettings,
    "upload_user_image": settings.DirectUploadSettings,
    "set_avatar_url": settings.UrlBindingSettings,
    "update_profile_picture": settings.ThumbnailSettings,
    "update_my_profile_picture": settings.ThumbnailSettings,
    "update_profile_image": settings.DirectUploadSettings,
    "delete_profile_image": settings.BindingSettings,
    "get_user": settings.ProfileReadingSettings,
    "put_user": settings.ProfileReadingSettings,
    "process_upload": settings.ProcessingSettings,
    "release_media": settings.ReleasingSettings,
    "purge_media": settings.PurgingSettings,
    "reconcile": settings.ReconcilingSettings,
}
"""The settings that each function reads besides the shared variables."""

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
def test_function_gets_exactly_the_variables_of_its_settings(folder: str) -> None:
    variables = set(read().functions[logical_id(folder)].environment)

    assert variables == SHARED | variables_of(SETTINGS[folder])


def test_variables_for_local_containers_change_nothing_on_aws() -> None:
    functions = read().functions

    assert {function.environment["AWS_ENDPOINT_URL"] for function in functions.values()} == {""}
    assert functions["AuthorizeFunction"].environment["JWKS_ALLOW_LOOPBACK"] == "false"


def variables_of(settings_class: Any) -> set[str]:
    """Return the environment variables that a dataclass or a pydantic model is read from."""
    if settings_class is None:
        return set()
    names = getattr(settings_class, "model_fields", None) or [each.name for each in dataclasses.fields(settings_class)]
    return {name.upper() for name in names}


def test_shared_variables_stand_in_globals() -> None:
    shared = set(written()["Globals"]["Function"]["Environment"]["Variables"])

    assert shared == SHARED
    assert variables_of(settings.ApiSettings) <= shared


def test_functions_that_decode_pictures_have_the_memory_for_it() -> None:
    decoding = {name for name, body in FUNCTIONS.items() if body.get("MemorySize") == {"Ref": "ProcessMemorySize"}}

    assert decoding == {logical_id(folder) for folder in (*FORMS, "process_upload", "update_upload")}


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
