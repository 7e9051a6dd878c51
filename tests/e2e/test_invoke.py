"""`make events` and `make invoke`: every function runs on a fresh event of the running stack."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tools.local.browser import Browser

pytestmark = [pytest.mark.assurance, pytest.mark.e2e, pytest.mark.enable_socket]

FUNCTIONS = sorted(path.parent.name for path in Path(__file__).resolve().parents[2].glob("functions/*/app.py"))
FAILED = "batchItemFailures"


def run(command: str, stack: Mapping[str, Any], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", f"tools.local.{command}", *arguments, "--state", stack["folder"]],
        capture_output=True,
        text=True,
        check=False,
    )


def test_event_of_one_process_is_valid_in_another(stack: Mapping[str, Any], tmp_path: Path) -> None:
    made = run("events", stack, "BindAvatarFunction")
    (event := tmp_path / "event.json").write_text(made.stdout)
    invoked = run("invoke", stack, "bind_avatar", "--event", str(event))
    assert (made.returncode, invoked.returncode) == (0, 0), made.stderr + invoked.stderr
    answer = json.loads(invoked.stdout.splitlines()[-1])
    assert answer["statusCode"] == 200
    token = json.loads(made.stdout)["headers"]["Authorization"].removeprefix("Bearer ")
    assert (
        Browser(stack, token).profile()["avatar"]["derivatives"]["full"]["url"]
        == json.loads(answer["body"])["avatar"]["url"]
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_succeeds_on_its_fresh_event(function: str, stack: Mapping[str, Any]) -> None:
    invoked = run("invoke", stack, function)
    assert invoked.returncode == 0, invoked.stderr
    answer = json.loads(invoked.stdout.splitlines()[-1]) or {}
    assert answer.get("statusCode", 200) // 100 == 2
    assert not answer.get(FAILED)
