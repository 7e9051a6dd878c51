"""Every recipe of CONTRIBUTING.md works: applied to a copy of the project, its check passes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, read

RECIPES = {
    title: text
    for title, text in re.findall(
        r"^## (.+?)\n(.*?)(?=^## (?:Add|Publish)|\Z)", read("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL
    )
    if "Check: " in text
}

_BLOCK = r"(?P<fence{0}>`{{3,}})\w+\n(?P<text{0}>.*?)\n(?P=fence{0})$"
_AFTER = re.compile(
    rf"^In `(?P<path>[^`]+)`, after\n\n{_BLOCK.format(1)}\n\nadd\n\n{_BLOCK.format(2)}", re.MULTILINE | re.DOTALL
)
_REPLACE = re.compile(
    rf"^In `(?P<path>[^`]+)`, replace\n\n{_BLOCK.format(1)}\n\nwith\n\n{_BLOCK.format(2)}", re.MULTILINE | re.DOTALL
)
_CREATE = re.compile(rf"^Create `(?P<path>[^`]+)`:\n\n{_BLOCK.format(1)}", re.MULTILINE | re.DOTALL)
_GENERATE = re.compile(r"run `make (openapi|configuration)`")
_CHECK = re.compile(r'^Check: `make test ARGS="([^"]+)"`$', re.M)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project's files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.mark.assurance
@pytest.mark.parametrize("title", RECIPES)
def test_recipe_works_on_copy_of_project(title: str, project: Path) -> None:
    recipe = RECIPES[title]
    for found in _AFTER.finditer(recipe):
        edit(project / found["path"], found["text1"] + "\n", f"{found['text1']}\n{found['text2']}\n")
    for found in _REPLACE.finditer(recipe):
        edit(project / found["path"], found["text1"], found["text2"])
    for found in _CREATE.finditer(recipe):
        (project / found["path"]).parent.mkdir(parents=True, exist_ok=True)
        (project / found["path"]).write_text(found["text1"] + "\n")
    steps = sum(len(pattern.findall(recipe)) for pattern in (_AFTER, _REPLACE, _CREATE))
    assert steps == len(re.findall(r"^(?:In|Create) `[^`]+`(?:, after|, replace|:)$", recipe, re.MULTILINE)) > 0
    for target in _GENERATE.findall(recipe):
        python(project, "-m", f"tools.{target}")

    (selection,) = _CHECK.findall(recipe)
    python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *selection.split())


def edit(path: Path, old: str, new: str) -> None:
    """Replace the one place of a file that has this text."""
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} has {text.count(old)} places with {old!r}"
    path.write_text(text.replace(old, new))


def python(project: Path, *arguments: str) -> None:
    """Run Python in the copy, with the copy's package before the installed one."""
    environment = os.environ | {"PYTHONPATH": str(project / "layers" / "profile_media")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
