"""`make up DEBUG=1`: a debug adapter's client attaches to one port, and a breakpoint stops any function."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import a_jpeg
from tools.local.browser import Browser, post_form
from tools.local.launch import launched

pytestmark = [pytest.mark.assurance, pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60

PLACES = {
    "functions/get_profile/app.py": "return render_profile",
    "layers/profile_media/profile_media/wiring/processing.py": "owned = parse_incoming_key(key)",
}


@dataclass
class Client:
    """A client of the Debug Adapter Protocol, as editors contain one."""

    connection: socket.socket
    received: list[dict[str, Any]] = field(default_factory=list)
    _sent: int = 0

    def __post_init__(self) -> None:
        self.connection.settimeout(DEADLINE_SECONDS)
        self._stream = self.connection.makefile("rb")

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request and return its number."""
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self._sent

    def wait_for(self, **wanted: Any) -> dict[str, Any]:
        """Return the first message with these members that was not returned before."""
        while True:
            for message in self.received:
                if wanted.items() <= message.items():
                    self.received.remove(message)
                    return message
            self.received.append(self._receive())

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and return the body of its answer."""
        answer = self.wait_for(type="response", request_seq=self.send(command, **arguments))
        assert answer["success"], answer
        body: dict[str, Any] = answer.get("body") or {}
        return body

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._stream.readline().strip():
            length = int(line.removeprefix(b"Content-Length: "))
        message: dict[str, Any] = json.loads(self._stream.read(length))
        return message


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, Any]]:
    with launched({}, "--debug", "0") as state:
        yield state


@pytest.fixture
def client(stack: dict[str, Any]) -> Iterator[Client]:
    """A client that is attached with the settings of .vscode/launch.json."""
    (configuration,) = json.loads((ROOT / ".vscode" / "launch.json").read_text())["configurations"]
    assert configuration.pop("connect") == {"host": "127.0.0.1", "port": 5678}
    with socket.create_connection(("127.0.0.1", stack["debug_port"])) as connection:
        client = Client(connection)
        client.call("initialize", adapterID="debugpy", pathFormat="path")
        attached = client.send("attach", **configuration)
        client.wait_for(type="event", event="initialized")
        for place, text in PLACES.items():
            path = ROOT / place
            lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line]
            set_ = client.call("setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": lines[-1]}])
            assert all(each["verified"] for each in set_["breakpoints"])
        client.call("configurationDone")
        assert client.wait_for(type="response", request_seq=attached)["success"]
        yield client
        client.call("disconnect", terminateDebuggee=False)


def stop(client: Client) -> tuple[str, int]:
    """Wait until a thread stops. Return the file, below the project's folder, and the thread's id."""
    stopped = client.wait_for(type="event", event="stopped")["body"]
    assert stopped["reason"] == "breakpoint"
    top = client.call("stackTrace", threadId=stopped["threadId"], levels=1)["stackFrames"][0]
    return str(Path(top["source"]["path"]).relative_to(ROOT)), stopped["threadId"]


def test_breakpoint_stops_functions_of_the_api_and_of_events(stack: dict[str, Any], client: Client) -> None:
    browser = Browser.of(stack, "ada")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(browser.profile)
        place, thread = stop(client)
        assert place == "functions/get_profile/app.py"
        assert not answer.done()
        client.call("continue", threadId=thread)
        assert answer.result()["userId"] == browser.state["users"]["ada"]["user_id"]

    content = a_jpeg(320, 320)
    intent = browser.intend("avatar", content).json()
    assert post_form(intent["upload"], content).status == 201
    place, thread = stop(client)
    assert place == "layers/profile_media/profile_media/wiring/processing.py"
    client.call("continue", threadId=thread)
    assert browser.settled(intent["uploadId"]).json()["state"] == "ready"


def test_functions_run_without_a_debugger(stack: dict[str, Any]) -> None:
    assert Browser.of(stack, "grace").call("GET", "/media/profile").status == 200
