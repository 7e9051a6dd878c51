"""Print a fresh, valid event for a function of the running stack: `make events FUNCTION=bind_avatar`.

Each event belongs to a new user, so that no user's quota is used up. An event of the API is what the local gateway
makes of the request in `events/`, with a token of the user and the id of an upload that is ready. Without FUNCTION, one
event for each function is printed, by the function's name.
"""

import argparse
import base64
import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from werkzeug.test import Client

from tools.local import aws
from tools.local.addresses import Addresses
from tools.local.browser import Browser, post_form
from tools.local.gateway import Gateway
from tools.local.runner import Function, Outcome, Runner
from tools.local.state import StackNotRunning, read_state
from tools.local.token import mint
from tools.template import Template, read

PHOTOGRAPH = Path(__file__).parent / "photographs" / "portrait.jpg"
SAMPLES = Path(__file__).resolve().parents[2] / "events"
SAMPLE_UPLOAD = "6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"
SAMPLE_USER = "auth0|ada"
"""The upload and the user in all samples."""

SAMPLE_KEY = "3b0d9c54-2b1f-4b43-9f1e-0f9a4f0c7b11"
COVER_IMAGES = {"bind_cover_image"}
ADMINISTRATORS = {"put_user"}

type Event = dict[str, Any]


class FunctionUnknown(Exception):
    """The template has no such function, or `events/` has no sample for it."""


@dataclass
class Captured:
    """Replaces the runner of a gateway: calls the authorizer, and keeps the event of any other function."""

    runner: Runner
    authorizer: str
    event: Event = field(default_factory=dict)

    @property
    def functions(self) -> Mapping[str, Function]:
        """The functions by logical id."""
        return self.runner.functions

    def release(self, name: str) -> object:
        """Return the version of the function's code."""
        return self.runner.release(name)

    def invoke(self, name: str, event: str, request_id: str | None = None, within: float | None = None) -> Outcome:
        """Call the authorizer, or keep the event."""
        if name == self.authorizer:
            return self.runner.invoke(name, event)
        self.event = json.loads(event)
        return Outcome("", json.dumps({"statusCode": 200}))


@dataclass
class Events:
    """Makes events for the functions of a running stack."""

    state: Mapping[str, Any]
    template: Template
    runner: Runner

    def fresh(self, function: Function) -> Event:
        """Return an event. What it refers to exists in the stack."""
        name, user = function.code.name, f"local|{uuid.uuid4().hex[:8]}"
        try:
            sample = (SAMPLES / f"{name}.json").read_text()
        except FileNotFoundError:
            raise FunctionUnknown(f"there is no sample events/{name}.json") from None
        if not (event := json.loads(sample)).get("httpMethod"):
            return self._own(name, sample, user, event)
        browser = self._signed_in(user)
        slot = "coverImage" if name in COVER_IMAGES else "avatar"
        upload = self._ready(browser, slot) if SAMPLE_UPLOAD in sample else str(uuid.uuid4())
        caller = Browser.of(self.state, "admin") if name in ADMINISTRATORS else browser
        return self._received(json.loads(self._renamed(sample, user, upload)), caller.token)

    def _own(self, name: str, sample: str, user: str, event: Event) -> Event:
        """Return an event that does not come from the API."""
        if event.get("type") == "TOKEN":
            return {**event, "authorizationToken": f"Bearer {self._signed_in(user).token}"}
        upload = self._original(user) if name == "process_upload" else str(uuid.uuid4())
        fresh: Event = json.loads(self._renamed(sample, user, upload))
        for record in fresh.get("Records", []):
            if "s3" in record:
                record["s3"]["bucket"]["name"] = self.state["buckets"]["UploadsBucket"]
        return {**fresh, **({"time": datetime.now(UTC).isoformat(timespec="seconds")} if "time" in fresh else {})}

    def _signed_in(self, user: str) -> Browser:
        return Browser(self.state, mint(self.state["issuer"], {"user": "ada", "subject": user}))

    def _ready(self, browser: Browser, slot: str) -> str:
        """Return the id of a processed upload."""
        content = PHOTOGRAPH.read_bytes()
        intent = browser.intend(slot, content).json()
        post_form(intent["upload"], content)
        return str(browser.settled(intent["uploadId"]).json()["uploadId"])

    def _original(self, user: str) -> str:
        """Return the id of an upload whose original is stored, and which the stack does not process by itself."""
        content, bucket = PHOTOGRAPH.read_bytes(), self.state["buckets"]["UploadsBucket"]
        intent = self._signed_in(user).intend("avatar", content).json()
        with _without_notifications(aws.client("s3", self.state["aws_endpoint"]), bucket):
            post_form(intent["upload"], content)
        return str(intent["uploadId"])

    def _renamed(self, sample: str, user: str, upload: str) -> str:
        """Return the sample with the fresh user and upload, as they are written in paths, keys and bodies."""
        encoded = [base64.urlsafe_b64encode(name.encode()).decode().rstrip("=") for name in (SAMPLE_USER, user)]
        replaced = {
            SAMPLE_UPLOAD: upload,
            SAMPLE_USER: user,
            quote(SAMPLE_USER): quote(user, safe=""),
            encoded[0]: encoded[1],
            SAMPLE_KEY: str(uuid.uuid4()),
            "app/temp/": f"{self.state['parameters']['AppName']}/temp/",
            "https://app.example.com": self.state["page"],
        }
        for old, new in replaced.items():
            sample = sample.replace(old, new)
        return sample

    def _received(self, request: Event, token: str) -> Event:
        """Return what the gateway makes of the request."""
        authorizer = self.template.logical_id(
            next(iter(self.template.api.properties["Auth"]["Authorizers"].values()))["FunctionArn"]
        )
        captured = Captured(self.runner, authorizer)
        body = request["body"] or ""
        headers = {name: value for name, value in request["headers"].items() if name != "Host"}
        answer = Client(Gateway(self.template, cast(Runner, captured))).open(
            request["path"],
            method=request["httpMethod"],
            base_url=self.state["api"],
            query_string=request["queryStringParameters"],
            headers={**headers, "Authorization": f"Bearer {token}"},
            data=base64.b64decode(body) if request["isBase64Encoded"] else body,
        )
        if not captured.event:
            raise FunctionUnknown(f"the API refuses the sample's request: {answer.text}")
        return captured.event


@contextmanager
def _without_notifications(s3: Any, bucket: str) -> Iterator[None]:
    """Store objects without an event."""
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    found.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=found)


@contextmanager
def events_of(folder: Path) -> Iterator[Events]:
    """Yield what makes events for the running stack. Raise StackNotRunning."""
    state = read_state(folder)
    template = read(Path(state["template"]), state["parameters"], state["aws_endpoint"], state["region"])
    runner = Runner(Addresses.of(state).functions(template), folder / "logs", slow_imports=())
    try:
        yield Events(state, template, runner)
    finally:
        runner.stop()


def find(functions: Mapping[str, Function], name: str) -> Function:
    """Return a function by its folder or its logical id. Raise FunctionUnknown."""
    for function in functions.values():
        if name in (function.name, function.code.name):
            return function
    listed = ", ".join(sorted(function.code.name for function in functions.values()))
    raise FunctionUnknown(f"there is no function {name}; the functions are {listed}")


def main(arguments: list[str]) -> int:
    """Print the events. Return 1 if there is no stack or no such function."""
    parser = argparse.ArgumentParser(prog="make events", description="Print fresh, valid events.")
    parser.add_argument("function", nargs="?", help="its folder or logical id; default: all functions")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of stack.json")
    chosen = parser.parse_args(arguments)
    try:
        with events_of(chosen.state) as events:
            functions = events.runner.functions
            if chosen.function:
                made = events.fresh(find(functions, chosen.function))
            else:
                made = {function.code.name: events.fresh(function) for function in functions.values()}
    except (StackNotRunning, FunctionUnknown) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(made, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
