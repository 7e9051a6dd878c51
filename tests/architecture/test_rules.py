"""Rules of the architecture that import-linter cannot express."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from profile_media.domain import errors

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "profile_media" / "profile_media"
MODULES = sorted(PACKAGE.rglob("*.py"))
APPS = sorted((ROOT / "functions").glob("*/app.py"))
NAMES_TO_AVOID = re.compile(r"utils?|helpers?|common|base|manager|service")
PRIVATE_OF_LIBRARY = re.compile(
    r"(?:from|import) (?:boto3|botocore|moto|pynamodb|samcli|PIL|aws_lambda_powertools)\S*\._|import _\w"
)


def within(path: Path, *folders: str) -> bool:
    return any(path.is_relative_to(PACKAGE / folder) for folder in folders)


def test_only_settings_read_the_environment() -> None:
    readers = {path for path in [*MODULES, *APPS] if re.search(r"\benviron\b|\bgetenv\b", path.read_text())}
    confining = {path for path in readers if within(path, "imaging")}
    telemetry = PACKAGE / "telemetry.py"
    settings = {PACKAGE / "aws" / "settings.py", PACKAGE / "aws" / "authorizer_settings.py"}
    assert readers - confining == {*settings, telemetry}
    # The dimension of every metric, beside the variables that Powertools reads itself.
    assert re.findall(r"environ\W+(\w+)", telemetry.read_text()) == ["get"]
    for path in confining:  # the decoding child empties its environment
        assert set(re.findall(r"environ[.\[(]\w*", path.read_text())) <= {"environ.clear"}


def test_only_http_and_dialects_use_http_statuses() -> None:
    users = [path for path in [*MODULES, *APPS] if "HTTPStatus" in path.read_text()]
    assert users
    assert all(within(path, "http", "dialects") for path in users)


def test_only_endpoint_catches_media_errors() -> None:
    modules = [path for path in [*MODULES, *APPS] if re.search(r"except \(?MediaError", path.read_text())]
    assert modules == [PACKAGE / "http" / "endpoint.py"]


def test_function_is_one_short_file_with_a_handler() -> None:
    for path in APPS:
        assert [each.name for each in path.parent.iterdir() if each.name != "__pycache__"] == ["app.py"]
        assert len(path.read_text().splitlines()) <= 40, path
        tree = ast.parse(path.read_text())
        assert (ast.get_docstring(tree) or "").endswith("."), path
        assert "handler" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, path


def test_functions_and_events_have_the_same_names() -> None:
    functions = {path.parent.name for path in APPS}
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == functions


def test_modules_and_public_names_have_docstrings() -> None:
    missing = [f"{path.relative_to(ROOT)}: {name}" for path in [*MODULES, *APPS] for name in undocumented(path)]
    assert missing == []


def undocumented(path: Path) -> Iterator[str]:
    """Yield the public names without a docstring; `module` for the module itself."""
    tree = ast.parse(path.read_text())
    if not ast.get_docstring(tree):
        yield "module"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and path.name != "app.py":
            docstring = ast.get_docstring(node)
            if not docstring or "Args:" in docstring:
                yield node.name


def test_module_names_say_what_is_inside() -> None:
    assert [path for path in MODULES if NAMES_TO_AVOID.fullmatch(path.stem)] == []


def test_product_imports_no_private_module_of_a_library() -> None:
    users = [path for path in [*MODULES, *APPS] if PRIVATE_OF_LIBRARY.search(path.read_text())]
    assert users == []


def test_images_are_opened_with_a_list_of_formats() -> None:
    openings = [
        node
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    ]
    assert openings
    assert all("formats" in {keyword.arg for keyword in node.keywords} for node in openings)


def test_error_tree_in_docstring_equals_the_code() -> None:
    drawn = re.findall(r"[├└]─ (\w+)\s+(\w+)", errors.__doc__ or "")
    assert drawn == [(error.__name__, error.code.value) for error in errors.MediaError.__subclasses__()]
    assert {code for _, code in drawn} == {code.value for code in errors.ErrorCode}
