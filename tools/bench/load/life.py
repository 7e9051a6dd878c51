"""One user's avatar from the first token to the last object: every step over HTTP, checked and timed."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from tools.local.browser import Answer, Browser, post_form, send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_USERS = 64
MOST_LIVES = 1000
"""Of one run: what this is for is the stack on one's own machine."""

STEPS = ("token", "intent", "post", "ready", "bind", "profile", "picture", "remove")


class NotOurs(ValueError):
    """The stack is not on this machine, or more is asked for than it is meant to bear."""


class NotSo(Exception):
    """A step had another outcome than it should have; says which."""


@dataclass
class Log:
    """What every user did: seconds by step, and what went wrong; lists only grow, so threads may share it."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    errors: list[str] = field(default_factory=list)
    bound: dict[str, str | None] = field(default_factory=dict)
    """By user: the upload that the avatar shows at the end."""
    came: float = 0.0
    went: float = 0.0

    @property
    def requests(self) -> int:
        return sum(map(len, self.seconds.values()))

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[step].append(time.monotonic() - began)


def checked(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stack, if all of it is on this machine; raises NotOurs."""
    urls = [state[name] for name in ("api", "page", "uploads", "media", "issuer", "aws_endpoint")]
    if far := [url for url in urls if urlsplit(url).scheme != "http" or urlsplit(url).hostname not in LOOPBACK]:
        raise NotOurs(f"only a stack on this machine is put under load, not {', '.join(far)}")
    return state


@dataclass
class User:
    """One of many, each with a subject of its own."""

    state: Mapping[str, Any]
    subject: str
    log: Log
    _browser: Browser | None = None

    def live(self, pictures: tuple[bytes, bytes], *, removes: bool) -> None:
        """A first picture, a second in its place, and then perhaps none; what goes wrong is in the log."""
        try:
            self.sign_in()
            for picture in pictures:
                upload = self.upload(picture)
                self._show(upload)
            if removes:
                self._remove()
            self.log.bound[self.subject] = None if removes else upload["uploadId"]
        except (NotSo, OSError, KeyError, ValueError) as error:
            self.log.errors.append(f"{self.subject}: {type(error).__name__}: {error}")

    def upload(self, content: bytes) -> dict[str, Any]:
        """Asks, posts, and waits until it is ready."""
        browser = self.sign_in()
        with self.log.timed("intent"):
            intent = _expect(browser.intend("avatar", content), 201)
        with self.log.timed("post"):
            _expect(post_form(intent["upload"], content, self.state["page"]), 201)
        with self.log.timed("ready"):
            upload = _expect(browser.settled(intent["uploadId"]), 200)
            while upload["state"] == "pending":
                upload = _expect(browser.settled(intent["uploadId"]), 200)
        _be(upload["state"] == "ready", f"the upload is {upload['state']}: {upload.get('reason')}")
        return upload

    def bind(self, upload: dict[str, Any]) -> None:
        """Makes it the avatar."""
        with self.log.timed("bind"):
            _expect(self.sign_in().bind("avatar", upload["publicId"]), 200)

    def sign_in(self) -> Browser:
        """A browser with a token, which is asked for once."""
        if self._browser is None:
            wish = json.dumps({"user": "ada", "subject": self.subject}).encode()
            with self.log.timed("token"):
                answer = _expect(send("POST", f"{self.state['issuer']}/tokens", wish), 200)
            self._browser = Browser(self.state, answer["token"])
        return self._browser

    def _show(self, upload: dict[str, Any]) -> None:
        """Makes it the avatar, sees it in the profile, and fetches one of its sizes."""
        browser = self.sign_in()
        self.bind(upload)
        with self.log.timed("profile"):
            shown = (browser.profile()["avatar"] or {}).get("derivatives")
        _be(shown == upload["derivatives"], "the profile shows another picture")
        smallest = min(upload["derivatives"].values(), key=lambda derivative: derivative["bytes"])
        with self.log.timed("picture"):
            picture = send("GET", smallest["url"])
        _be(picture.status == 200 and len(picture.body) == smallest["bytes"], f"the picture is {picture.status}")

    def _remove(self) -> None:
        with self.log.timed("remove"):
            _expect(self.sign_in().call("DELETE", f"/v1/users/{quote(self.subject, safe='')}/profile_image"), 200)
        _be(self.sign_in().profile()["avatar"] is None, "the avatar is still there")


def lives(state: Mapping[str, Any], users: int, each: int, pictures: tuple[bytes, bytes], name: str = "load") -> Log:
    """So many users at once, each so many lives, one after the other; every other one removes its picture at last."""
    if not 0 < users <= MOST_USERS or not 0 < users * each <= MOST_LIVES:
        raise NotOurs(f"up to {MOST_USERS} users and {MOST_LIVES} lives, not {users} and {users * each}")
    log = Log()
    everybody = [User(checked(state), f"{name}|{number}", log) for number in range(users)]

    def live(number: int) -> None:
        for _ in range(each):
            everybody[number].live(pictures, removes=number % 2 == 0)

    return at_once(log, live, range(users))


def at_once(log: Log, act: Callable[[int], None], numbers: Iterable[int]) -> Log:
    """The same by everybody in a thread of its own, and how long all of it took."""
    everybody = list(numbers)
    log.came = time.monotonic()
    with ThreadPoolExecutor(len(everybody)) as pool:
        list(pool.map(act, everybody))
    log.went = time.monotonic()
    return log


def _expect(answer: Answer, status: int) -> dict[str, Any]:
    _be(answer.status == status, f"{answer.status} instead of {status}: {answer.body[:200].decode(errors='replace')}")
    return answer.json() if answer.body[:1] in (b"{", b"[") else {}


def _be(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise NotSo(otherwise)
