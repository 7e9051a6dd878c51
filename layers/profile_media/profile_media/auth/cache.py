"""The issuer's keys, kept in memory and fetched again when that is due.

A token can name any `kid`. Therefore the time since the last fetch decides whether there is another fetch, never the
token: otherwise a stranger could make this service flood the issuer.
"""

import time
from collections.abc import Callable, Mapping
from threading import Lock
from types import MappingProxyType

from profile_media.auth.key_set import JwksUnavailable, Key, parse_key_set

FRESH_SECONDS = 10 * 60
"""How long a copy is used without asking the issuer, and so how long a withdrawn key stays accepted."""

STALE_SECONDS = 60 * 60
"""How old a copy may get, counted from its fetch, while the issuer does not answer."""

COOLDOWN_SECONDS = 30
"""Minimum time between two fetches while there is a usable copy."""

RETRY_SECONDS = 1
"""Minimum time between two fetches while there is none: one failure at a cold start must not refuse users for long."""


class JwksCache:
    """The key set as last fetched.

    The clock is the wall clock, in seconds: a monotonic clock may be wrong after a snapshot is restored. `warn` is
    called when a fetch fails while an older copy is still used.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        clock: Callable[[], float] = time.time,
        warn: Callable[[JwksUnavailable], None] = lambda trouble: None,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._warn = warn
        self._lock = Lock()  # concurrent callers make one fetch
        self._keys: Mapping[str, Key] = MappingProxyType({})
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._trouble = JwksUnavailable("never fetched")

    def find(self, kid: str) -> Key | None:
        """Return the key with this id, or None if the issuer has none. Raise JwksUnavailable without a usable copy."""
        with self._lock:
            now = self._clock()
            wanted = kid not in self._keys or not _is_within(FRESH_SECONDS, self._fetched_at, now)
            usable = _is_within(STALE_SECONDS, self._fetched_at, now)
            if wanted and not _is_within(COOLDOWN_SECONDS if usable else RETRY_SECONDS, self._tried_at, now):
                self._refresh(now)
            if not _is_within(STALE_SECONDS, self._fetched_at, now):
                raise JwksUnavailable(*self._trouble.args)
            return self._keys.get(kid)

    def _refresh(self, now: float) -> None:
        self._tried_at = now
        try:
            self._keys = parse_key_set(self._fetch())
            self._fetched_at = now
        except JwksUnavailable as trouble:
            self._trouble = trouble
            if _is_within(STALE_SECONDS, self._fetched_at, now):
                self._warn(trouble)


def _is_within(seconds: float, since: float | None, now: float) -> bool:
    """Tell whether less than that time has passed. False if the clock was put back."""
    return since is not None and 0 <= now - since < seconds
