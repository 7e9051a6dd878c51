"""Documents refer only to files, headings, modules, make targets and functions that exist."""

import re

import pytest

from tests.docs.markdown import DOCUMENTS, ROOT, anchors, code, links, name_of, prose, read
from tests.template.document import FOLDERS, logical_id, of_type

NAMES = [name_of(document) for document in DOCUMENTS]
PLACES = ("", "layers/profile_media/profile_media/")
"""The folders that paths in documents are relative to: the repository, or the package."""

_MAKE = re.compile(r"\bmake ([a-z]+)")
_TARGETS = re.compile(r"^([a-z ]+):", re.MULTILINE)
_PATH = re.compile(r"[a-z_]+(/[a-z0-9_.]+)+|[a-z0-9_-]+\.(md|toml|yaml)")


@pytest.mark.parametrize("name", NAMES)
def test_link_targets_exist(name: str) -> None:
    for link in links(name):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name

        assert target.exists(), link
        if anchor:
            assert anchor in anchors(name_of(target)), link


@pytest.mark.parametrize("name", NAMES)
def test_links_use_https(name: str) -> None:
    assert not [link for link in links(name) if link.startswith("http://")]


@pytest.mark.parametrize("name", NAMES)
def test_paths_in_code_font_exist(name: str) -> None:
    created = re.findall(r"^Create `([^`]+)`", prose(name), re.MULTILINE)  # by a recipe
    paths = [text for text in code(prose(name)) if _PATH.fullmatch(text) and "/" in text and text not in created]

    missing = [path for path in paths if not any((ROOT / place / path).exists() for place in PLACES)]

    assert not set(missing) - NOT_PATHS


NOT_PATHS = {
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/avif",
    "image/heic",
    "image/heif",
    "application/json",
}
"""Content types look like paths."""


@pytest.mark.parametrize("name", NAMES)
def test_named_make_targets_exist(name: str) -> None:
    commands = [line for line in prose(name).splitlines() if line.startswith("    ")] + code(prose(name))
    named = {target for command in commands for target in _MAKE.findall(command)}

    targets = " ".join(_TARGETS.findall((ROOT / "Makefile").read_text())).split()
    assert named <= set(targets)


def test_readme_links_to_every_document() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        for link in links(name):
            target = ((ROOT / name).parent / link.partition("#")[0]).resolve()
            found = sorted(target.glob("*.md")) if target.is_dir() else [target]
            waiting += [name_of(path) for path in found if path.suffix == ".md" and path.exists()]

    assert reached == set(NAMES)


def test_readme_invokes_existing_functions_and_events() -> None:
    invoked = re.findall(r"sam local invoke (\w+) --event (\S+)", read("README.md"))

    assert invoked
    for function, event in invoked:
        assert function in of_type("AWS::Serverless::Function")
        assert (ROOT / event).is_file()
        assert function in {logical_id(folder) for folder in FOLDERS}
