"""Plays a burst of users through the service, event by event, to see who waits for what, and how long.

A user asks for an upload, posts it, waits for it in long polls, and binds it. On the way stand API Gateway's buckets of
tokens, Lambda's concurrency and the rate at which it grows, and the line in which S3's events wait for process_upload.
Bystanders look at profiles meanwhile: what they are refused is what the burst takes away from everybody else.
"""

import heapq
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random

from profile_media.dialects.native.showing import LONGEST_WAIT
from profile_media.domain.watch import FIRST_PAUSE, LONGEST_PAUSE

INTENT, POLL, BIND, PROFILE = "create_upload_intent", "get_upload", "bind_avatar", "get_profile"
AUTHORIZE, PROCESS = "authorize", "process_upload"


@dataclass(frozen=True)
class Deployment:
    """What stands in the way; the defaults are an account's, `bench.scale.limits` adds the template's."""

    throttle_rate: float = math.inf  # of each method, a second
    throttle_burst: float = math.inf
    process_concurrency: int = 0  # 0: process_upload shares what all functions share, as in the template
    poll_concurrency: int = 0  # the same for get_upload
    api_rate: float = math.inf
    api_burst: float = math.inf
    concurrency: int = 10**9  # of the account
    scaling: float = math.inf  # environments that a function may gain
    scaling_seconds: float = 10
    retry_first: float = 1  # of an event that found no concurrency
    retry_factor: float = 2
    retry_longest: float = 300
    event_age: float = 21_600
    pending_ttl: float = 3600
    kept_policy: float = 60  # seconds that API Gateway keeps what the authorizer said


@dataclass(frozen=True)
class Times:
    """How long each thing takes, in seconds: the median, around which `spread` is the sigma of the logarithm.

    Of processing it is a list instead, for pictures differ: it takes any of these, each as likely as the next.
    """

    authorize: float
    intent: float
    post: float
    notice: float  # from the stored object to its event
    process: tuple[float, ...]
    read: float  # one look of a poll
    bind: float
    profile: float
    cold: float  # on top, in a new environment
    spread: float = 0.4


@dataclass(frozen=True)
class Burst:
    """Who comes, and when."""

    users: int = 100_000
    seconds: float = 60
    bystanders: float = 0  # profile reads a second, until the burst is over
    wait: float = LONGEST_WAIT
    first_pause: float = 1  # of clients that were refused: what Retry-After says, then twice that, and so on
    longest_pause: float = 120
    patience: float = 300  # of bystanders, who then look at something else
    seed: int = 1  # of the moments at which users come
    luck: int = 1  # and of everything else


@dataclass
class Outcome:
    """What became of everybody; times are in seconds, of each user since it came."""

    granted: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    profile: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)  # 429 of API Gateway
    refused: Counter[str] = field(default_factory=Counter)  # 5xx for want of concurrency
    peaks: Counter[str] = field(default_factory=Counter)
    busy_seconds: defaultdict[str, float] = field(default_factory=partial(defaultdict, float))
    runs: int = 0  # of functions
    reads: int = 0
    attempts: int = 0  # of processing, in vain ones included
    expired: int = 0
    seconds: float = 0


class Tokens:
    """API Gateway's bucket: filled at a rate, never above its burst."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst, self._left, self._at = rate, burst, burst, 0.0

    def take(self, now: float) -> bool:
        if self._rate == math.inf:
            return True
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass
class Pool:
    """Concurrency that functions share, or that one has to itself."""

    limit: int
    busy: int = 0


class Function:
    """One Lambda function: environments that are busy or idle, and how fast it may gain more."""

    def __init__(self, name: str, pool: Pool, scaling: Tokens) -> None:
        self.name, self.pool, self.busy, self.peak, self.runs = name, pool, 0, 0, 0
        self._idle, self._scaling = 0, scaling

    def start(self, now: float) -> bool | None:
        """Whether the environment is a new one; None where there is none to be had."""
        if self.pool.busy >= self.pool.limit:
            return None
        is_new = self._idle == 0
        if is_new and not self._scaling.take(now):
            return None
        self._idle -= not is_new
        self.pool.busy += 1
        self.busy += 1
        self.runs += 1
        self.peak = max(self.peak, self.busy)
        return is_new

    def end(self) -> None:
        self.pool.busy -= 1
        self.busy -= 1
        self._idle += 1


@dataclass(slots=True)
class _User:
    came: float
    known_until: float = -1.0
    tries: int = 0
    expires: float = math.inf
    is_ready: bool = False
    polling_since: float = 0.0
    polls: int = 0
    answer: Callable[[], None] | None = None  # of the poll that is open


class Simulation:
    """One burst, played once: the same seeds give the same outcome."""

    def __init__(self, burst: Burst, deployment: Deployment, times: Times) -> None:
        self.outcome = Outcome()
        self._burst, self._deployment, self._times = burst, deployment, times
        self._random = Random(burst.luck)  # noqa: S311 - a simulation's, seeded
        self._account = Tokens(deployment.api_rate, deployment.api_burst)
        self._methods = {
            name: Tokens(deployment.throttle_rate, deployment.throttle_burst) for name in (INTENT, POLL, BIND, PROFILE)
        }
        self._steps: dict[str, tuple[float | None, Callable[[_User], None]]] = {
            INTENT: (times.intent, self._granted),
            POLL: (None, self._answered),
            BIND: (times.bind, self._bound),
            PROFILE: (times.profile, self._saw),
        }
        """By call: about how long it takes, None for as long as a poll does, and what comes then."""
        self._functions = _functions(deployment)
        self._agenda: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._now, self._count, self._left = 0.0, 0, burst.users

    def run(self) -> Outcome:
        """Everything until the last user is served, or told that it is too late."""
        for moment in moments(self._burst):
            self._later(moment, self._call, INTENT, _User(moment))
        if self._burst.bystanders:
            self._later(0, self._look)
        while self._left and self._agenda:
            self._now, _, action, arguments = heapq.heappop(self._agenda)
            action(*arguments)
        self.outcome.seconds = self._now
        self.outcome.runs = sum(function.runs for function in self._functions.values())
        self.outcome.peaks.update({name: function.peak for name, function in self._functions.items()})
        return self.outcome

    # --- what users do

    def _granted(self, user: _User) -> None:
        self.outcome.granted.append(self._now - user.came)
        user.expires = self._now + self._deployment.pending_ttl
        self._in(self._about(self._times.post), self._posted, user)

    def _posted(self, user: _User) -> None:
        self._in(self._about(self._times.notice), self._process, user, self._now, 0)
        self._call(POLL, user)

    def _answered(self, user: _User) -> None:
        if user.is_ready:
            self._call(BIND, user)
        elif self._now >= user.expires:
            self.outcome.expired += 1
            self._left -= 1
        else:
            self._call(POLL, user)

    def _bound(self, user: _User) -> None:
        self.outcome.shown.append(self._now - user.came)
        self._left -= 1

    def _look(self) -> None:
        self._call(PROFILE, _User(self._now))
        self._in(self._random.expovariate(self._burst.bystanders), self._look)

    def _saw(self, user: _User) -> None:
        self.outcome.profile.append(self._now - user.came)

    # --- the API: its buckets, the authorizer, the function

    def _call(self, name: str, user: _User) -> None:
        """One request; what is refused comes again."""
        self.outcome.calls[name] += 1
        if not self._methods[name].take(self._now) or not self._account.take(self._now):
            self.outcome.throttled[name] += 1
            self._pause(name, user)
        elif user.known_until > self._now:
            self._run(name, user)
        else:
            self._authorize(name, user)

    def _authorize(self, name: str, user: _User) -> None:
        function = self._functions[AUTHORIZE]
        is_new = function.start(self._now)
        if is_new is None:
            self.outcome.refused[AUTHORIZE] += 1
            return self._pause(name, user)

        def known() -> None:
            function.end()
            user.known_until = self._now + self._deployment.kept_policy
            self._run(name, user)

        return self._in(self._about(self._times.authorize) + is_new * self._times.cold, known)

    def _run(self, name: str, user: _User) -> None:
        function = self._functions[name]
        is_new = function.start(self._now)
        if is_new is None:
            self.outcome.refused[name] += 1
            return self._pause(name, user)
        user.tries = 0
        began = self._now
        seconds, then = self._steps[name]

        def ended() -> None:
            function.end()
            self.outcome.busy_seconds[name] += self._now - began
            then(user)

        if seconds is None:
            return self._in(is_new * self._times.cold, self._watch, user, ended)
        return self._in(self._about(seconds) + is_new * self._times.cold, ended)

    def _pause(self, name: str, user: _User) -> None:
        """A client's: at least half of what it may wait, at random, so that not all come back at once."""
        if name == PROFILE and self._now - user.came > self._burst.patience:
            return self._saw(user)
        longest = min(self._burst.longest_pause, self._burst.first_pause * 2**user.tries)
        user.tries += 1
        return self._in(longest * self._random.uniform(0.5, 1), self._call, name, user)

    # --- a poll: looks at growing intervals until the upload is settled

    def _watch(self, user: _User, ended: Callable[[], None]) -> None:
        user.polling_since, user.answer = self._now, ended
        user.polls += 1
        if user.is_ready:
            self._settled(user)
        else:
            self._in(self._burst.wait, self._gave_up, user, user.polls)

    def _settled(self, user: _User) -> None:
        """The answer comes with the next look."""
        if user.answer is None:
            return
        looks = looks_within(self._burst.wait)
        at = min(bisect_left(looks, self._now - user.polling_since), len(looks) - 1)
        self.outcome.reads += at + 1
        self._later(max(self._now, user.polling_since + looks[at]) + self._about(self._times.read), user.answer)
        user.answer = None

    def _gave_up(self, user: _User, poll: int) -> None:
        if user.answer is not None and user.polls == poll:
            answer, user.answer = user.answer, None
            self.outcome.reads += len(looks_within(self._burst.wait))
            answer()

    # --- processing: events that find no concurrency come back, later each time

    def _process(self, user: _User, since: float, attempt: int) -> None:
        function = self._functions[PROCESS]
        self.outcome.attempts += 1
        is_new = function.start(self._now)
        if is_new is not None:
            seconds = self._random.choice(self._times.process) + is_new * self._times.cold
            self.outcome.busy_seconds[PROCESS] += seconds
            self._in(seconds, self._processed, user)
        elif self._now - since < self._deployment.event_age:
            pause = self._deployment.retry_first * self._deployment.retry_factor**attempt
            self._in(min(self._deployment.retry_longest, pause), self._process, user, since, min(attempt + 1, 60))

    def _processed(self, user: _User) -> None:
        self._functions[PROCESS].end()
        if self._now >= user.expires:
            return
        user.is_ready = True
        self.outcome.ready.append(self._now - user.came)
        self._settled(user)

    # --- time

    def _about(self, median: float) -> float:
        return median * math.exp(self._random.gauss(0, self._times.spread))

    def _in(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        self._later(self._now + seconds, action, *arguments)

    def _later(self, at: float, action: Callable[..., None], *arguments: object) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (at, self._count, action, arguments))


def _functions(deployment: Deployment) -> dict[str, Function]:
    """Those with concurrency of their own have it taken out of what the others share."""
    own = {PROCESS: deployment.process_concurrency, POLL: deployment.poll_concurrency}
    shared = Pool(deployment.concurrency - sum(own.values()))
    return {
        name: Function(
            name,
            Pool(own[name]) if own.get(name) else shared,
            Tokens(deployment.scaling / deployment.scaling_seconds, deployment.scaling),
        )
        for name in (AUTHORIZE, INTENT, POLL, BIND, PROFILE, PROCESS)
    }


@cache
def looks_within(wait: float) -> tuple[float, ...]:
    """When a poll looks at the row, in seconds since it began, as `domain/watch.py` does; the last look is its end."""
    looks, pause = [0.0], FIRST_PAUSE
    while looks[-1] < wait:
        looks.append(min(wait, looks[-1] + pause))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return tuple(looks)


def moments(burst: Burst) -> list[float]:
    """When each user comes."""
    chance = Random(burst.seed)  # noqa: S311 - a simulation's, seeded
    return [chance.uniform(0, burst.seconds) for _ in range(burst.users)]


def simulate(burst: Burst, deployment: Deployment, times: Times) -> Outcome:
    """What becomes of the burst."""
    return Simulation(burst, deployment, times).run()


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of all are not above; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
