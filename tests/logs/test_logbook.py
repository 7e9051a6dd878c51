"""That the look through the run's logs finds what it looks for, and hears what it must."""

import base64
import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from profile_media import telemetry
from tests import cloud, pictures
from tests.logbook import Listener, Logbook, LookingThrough
from tests.tokens import a_token

FUNCTIONS = Path(__file__).parents[2] / "functions"
POLICY = base64.b64encode(b'{"expiration": "2026-11-20T12:05:00Z", "conditions": []}').decode()
SIGNATURE = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"


def a_line(value: str) -> str:
    return json.dumps({"level": "INFO", "message": "upload intended", "detail": value})


@pytest.mark.parametrize(
    "secret",
    [
        a_token(),
        "Bearer abcdefghijkl",
        POLICY,
        "https://media.example.com/a.webp?X-Amz-Algorithm=AWS4&X-Amz-Signature=0",
        '{"x-amz-credential": "x"}',
        "x-amz-security-token",
        *(cloud.ENVIRONMENT[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
        "-----BEGIN PRIVATE KEY-----",
        "ada@example.com",
        "Ada Lovelace",
        repr(pictures.exif(place=True).get_ifd(0x8825)),
        "private remark",
        repr(pictures.a_png(8, 8)[:40]),
        base64.b64encode(pictures.a_jpeg(8, 8)).decode()[:40],
        base64.b64encode(bytes(range(256))).decode(),
        SIGNATURE,
    ],
    ids=lambda secret: secret[:24],
)
def test_each_secret_is_found_wherever_it_was_written(secret: str) -> None:
    written, told = Logbook(), Logbook()
    for book in (written, told):
        book.handed_out({"body": json.dumps({"url": f"https://x/?X-Amz-Signature={SIGNATURE}"})})
    written.write(a_line(secret), "a test")
    told.tell(f"ValueError: {secret}", "a test")

    for book in (written, told):
        wrongs = list(book.wrongs())
        assert wrongs
        assert all(wrong.endswith("by a test") for wrong in wrongs)


@pytest.mark.parametrize(
    "usual",
    [
        a_line("auth0|ada"),
        a_line(SIGNATURE),
        a_line("x" * 1024),
        a_line("incoming/YXV0aDB8YWRh/6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"),
    ],
)
def test_what_may_be_written_is_no_wrong(usual: str) -> None:
    book = Logbook()
    book.write(usual, "a test")

    assert list(book.wrongs()) == []


@pytest.mark.parametrize(
    "line",
    ["words", "[]", "1", '{"a": 1} {"b": 2}', '{"a": 1}{"b": 2}', '{"a": "\u2028"}', '{"a": "\x1b[31m"}', '{"a": 1'],
)
def test_what_is_not_one_object_a_line_is_found(line: str) -> None:
    book = Logbook()
    book.write(f"{line}\n", "a test")

    assert list(book.wrongs()) == [f"not one JSON object: {line!r}, by a test"]


def test_all_that_a_handler_writes_is_heard(listener: Listener) -> None:
    def handler(event: str, context: object) -> dict[str, Any]:
        telemetry.logger.info("by the logger")
        print("printed", "in pieces", end="")  # noqa: T201
        print("to stderr", file=sys.stderr)  # noqa: T201
        logging.getLogger("urllib3").warning("by another %s", "logger")
        try:
            raise KeyError(event)
        except KeyError as error:
            raise ValueError("raised") from error

    with pytest.raises(ValueError, match="raised"):
        listener.overheard(handler)("an event", None)

    [record, *printed] = [line for line, _ in listener.book.lines]
    assert json.loads(record)["message"] == "by the logger"
    assert printed == ["to stderr", "printed in pieces"]
    assert {text for text, _ in listener.book.others} >= {
        "by another logger",
        "ValueError: raised from KeyError: 'an event'",
    }
    assert listener.book.invocations == 1


def test_every_function_is_listened_to_however_it_is_imported() -> None:
    for folder in sorted(path.parent.name for path in FUNCTIONS.glob("*/app.py")):
        handler = importlib.import_module(f"functions.{folder}.app").handler
        assert handler.__code__.co_filename.endswith("tests/logbook.py"), folder


def test_a_token_in_one_record_is_enough_to_fail_the_run(request: pytest.FixtureRequest, listener: Listener) -> None:
    last = LookingThrough.from_parent(request.session, name="last")
    last.book, last.whole = listener.book, True
    with pytest.raises(pytest.fail.Exception, match="not one line"):
        last.runtest()

    telemetry.logger.info("as usual")
    last.runtest()

    telemetry.logger.warning("refused", token=a_token())
    with pytest.raises(pytest.fail.Exception, match="1 times logged what must not be:\na token"):
        last.runtest()
