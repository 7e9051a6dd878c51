"""Rules of the house that the import contracts cannot say."""

import ast
import re
from pathlib import Path

import pytest

from profile_media.domain import errors

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "profile_media" / "profile_media"
MODULES = sorted(PACKAGE.rglob("*.py"))
APPS = sorted((ROOT / "functions").glob("*/app.py"))
NAMES_TO_AVOID = re.compile(r"utils?|helpers?|common|base|manager|service")


def within(path: Path, *folders: str) -> bool:
    return any(path.is_relative_to(PACKAGE / folder) for folder in folders)


def test_only_the_settings_read_the_environment() -> None:
    readers = {path for path in [*MODULES, *APPS] if re.search(r"\benviron\b|\bgetenv\b", path.read_text())}
    confining = {path for path in readers if within(path, "imaging")}
    telemetry = PACKAGE / "telemetry.py"
    settings = {PACKAGE / "aws" / "settings.py", PACKAGE / "aws" / "authorizer_settings.py"}
    assert readers - confining == {*settings, telemetry}
    # The dimension of every metric, beside the variables that Powertools reads itself.
    assert re.findall(r"environ\W+(\w+)", telemetry.read_text()) == ["get"]
    for path in confining:  # the decoding child empties its environment; it reads nothing
        assert set(re.findall(r"environ[.\[(]\w*", path.read_text())) <= {"environ.clear"}


def test_statuses_are_spoken_at_the_edge_only() -> None:
    speakers = [path for path in [*MODULES, *APPS] if "HTTPStatus" in path.read_text()]
    assert speakers
    assert all(within(path, "http", "dialects") for path in speakers)


def test_media_errors_are_caught_in_one_place() -> None:
    catchers = [path for path in [*MODULES, *APPS] if re.search(r"except \(?MediaError", path.read_text())]
    assert catchers == [PACKAGE / "http" / "endpoint.py"]


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.parent.name)
def test_a_function_is_one_short_file(path: Path) -> None:
    assert [each.name for each in path.parent.iterdir() if each.name != "__pycache__"] == ["app.py"]
    assert len(path.read_text().splitlines()) <= 40
    tree = ast.parse(path.read_text())
    assert (ast.get_docstring(tree) or "").endswith(".")
    assert "handler" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_functions_functions_events_and_tests_have_one_name() -> None:
    functions = {path.parent.name for path in APPS}
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == functions


@pytest.mark.parametrize("path", [*MODULES, *APPS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for_and_has_a_name_that_does(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert not NAMES_TO_AVOID.fullmatch(path.stem)
    for node in tree.body:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if public and path.name != "app.py":
            docstring = ast.get_docstring(node)  # type: ignore[arg-type]
            assert docstring, f"{node.name} has no docstring"  # type: ignore[attr-defined]
            assert "Args:" not in docstring


def test_images_are_only_ever_opened_with_the_formats_that_are_taken() -> None:
    openings = [
        node
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    ]
    assert openings
    assert all("formats" in {keyword.arg for keyword in node.keywords} for node in openings)


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"[├└]─ (\w+)\s+(\w+)", errors.__doc__ or "")
    assert drawn == [(error.__name__, error.code.value) for error in errors.MediaError.__subclasses__()]
    assert {code for _, code in drawn} == {code.value for code in errors.ErrorCode}
