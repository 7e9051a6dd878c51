"""`make smoke` without a stack: its arguments, and its looks through a CDN that caches."""

from email.message import Message
from types import SimpleNamespace

import pytest

from tests.docs.markdown import anchors
from tools import smoke
from tools.local.browser import Answer, Browser
from tools.main_job import CheckFailed, MainJob, Runbook

URLS = ("https://cdn.example.com/media/a", "https://cdn.example.com/media/b")


class Cdn:
    """A CDN that keeps what it fetched, before an origin that deletes all objects at a time."""

    def __init__(self, purged_at: float) -> None:
        self.now = 0.0
        self._purged_at = purged_at
        self._kept: set[str] = set()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def send(self, method: str, url: str) -> Answer:
        if self.now < self._purged_at:
            self._kept.add(url)
        return Answer(200 if url in self._kept else 403, Message(), b"")


@pytest.mark.parametrize(("purged_at", "seconds"), [(905, 930), (1000, 1200), (1201, None)])
def test_purge_behind_a_cache_is_seen_through_urls_that_were_not_fetched(
    purged_at: float, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdn = Cdn(purged_at)
    monkeypatch.setattr(smoke, "send", cdn.send)
    monkeypatch.setattr(smoke, "time", SimpleNamespace(monotonic=lambda: cdn.now, sleep=cdn.sleep))
    run = smoke.Smoke(MainJob(Browser({}, "")), purge_delay=900, patience=300, is_cached=True)

    try:
        run._wait_until_purged(smoke.Removed("it", URLS, 0))
    except CheckFailed:
        assert seconds is None
    else:
        assert cdn.now == seconds


@pytest.mark.parametrize(
    ("url", "token"),
    [("http://api.example.com", "x"), ("http://127.0.0.1.example.com", "x"), ("https://a.example", "")],
)
def test_token_is_sent_only_over_tls_or_to_this_machine(url: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", token)
    status = 2 if token else None
    if status:
        with pytest.raises(SystemExit) as ended:
            smoke.main(["--url", url])
        assert ended.value.code == status
    else:
        assert smoke.main(["--url", url]) == 2


def test_runbook_has_the_sections_that_steps_name() -> None:
    assert {section.value for section in Runbook} <= anchors("docs/operations.md")
