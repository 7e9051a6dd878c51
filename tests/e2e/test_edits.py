"""A copy of the service is edited under load: a call that begins after a save runs the saved code."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.local.browser import Browser
from tools.local.launch import launched

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
EDITS = 3
CALLERS = 4
CORS = "layers/profile_media/profile_media/http/cors.py"
EXPOSED = 'EXPOSED = "Retry-After,x-correlation-id"'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a stack runs."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("functions", "layers/profile_media"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in ROOT.glob("*.yaml"):
        shutil.copy(file, copy)
    return copy


@pytest.fixture(scope="module")
def browser(project: Path) -> Iterator[Browser]:
    with launched({}, "--template", str(project / "template.yaml")) as state:
        yield Browser.of(state, "ada")


def test_no_answer_is_old_to_a_call_that_began_after_a_save(project: Path, browser: Browser) -> None:
    source = (project / CORS).read_text()
    done = threading.Event()
    answers: list[tuple[float, str]] = []

    def call_until_done(method: str) -> None:
        while not done.is_set():
            began = time.monotonic()
            answer = browser.call(method, "/media/profile", Origin=browser.state["page"])
            exposed = answer.headers["Access-Control-Expose-Headers"]
            answers.append((began, exposed.rpartition(",")[2] if exposed else f"{answer.status} {answer.body!r}"))

    saved: list[tuple[float, str]] = [(0.0, "x-correlation-id")]

    def wait_for(exposed: str, seen: int) -> None:
        while exposed not in {found for _, found in answers[seen:]}:
            assert not any(caller.done() for caller in callers)
            time.sleep(0.02)

    with ThreadPoolExecutor(CALLERS) as threads:
        callers = [threads.submit(call_until_done, method) for method in ("GET", "OPTIONS") * (CALLERS // 2)]
        try:
            wait_for("x-correlation-id", 0)
            for edit in range(EDITS):
                seen = len(answers)
                assert source.count(EXPOSED) == 1
                (project / CORS).write_text(source.replace(EXPOSED, f'{EXPOSED[:-1]},x-edit-{edit}"'))
                saved.append((time.monotonic(), f"x-edit-{edit}"))
                wait_for(f"x-edit-{edit}", seen)
        finally:
            done.set()
    assert {exposed for _, exposed in answers} == {exposed for _, exposed in saved}
    for when, exposed in saved:
        following = min((other for other, _ in saved if other > when), default=float("inf"))
        late = {found for began, found in answers if when < began < following} - {exposed}
        assert late <= {other for at, other in saved if at > when}, "a call that began after a save runs older code"


def test_breakpoint_of_an_invoked_function_has_the_terminal(project: Path, browser: Browser) -> None:
    file = project / "functions" / "get_profile" / "app.py"
    source = file.read_text()
    file.write_text(source.replace("    return ", "    breakpoint()\n    return "))
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "tools.local.invoke", "get_profile", "--state", browser.state["folder"]],
            input="p request.caller.user_id[:6]\ncontinue\n",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(source)
    assert ended.returncode == 0, ended.stderr
    assert "(Pdb) 'local|'\n" in ended.stdout
    assert json.loads(ended.stdout.splitlines()[-1])["statusCode"] == 200


def test_syntax_error_is_in_the_answer_and_on_the_console_until_it_is_mended(project: Path, browser: Browser) -> None:
    file = project / "functions" / "get_profile" / "app.py"
    source = file.read_text()

    file.write_text(f"{source}\n    )\n")
    answer = browser.call("GET", "/media/profile", Origin=browser.state["page"])
    console = Path(browser.state["console"]).read_text()
    shown = "\n".join(answer.json()["traceback"])
    assert (answer.status, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert answer.headers["Access-Control-Allow-Origin"] == browser.state["page"]
    for text in (shown, console):
        assert f'File "{file}", line {len(source.splitlines()) + 2}' in text

    file.write_text(source)
    assert browser.call("GET", "/media/profile").status == 200
