"""Keeps whatever the functions wrote during the whole run, and looks through it at its end.

What they wrote is each record of the service's logger, each line they left on stdout or stderr, the records of every
other logger, and what they raised, which Lambda writes for them. The run ends with one more test, that it holds no
secret and nobody's data, and that every line is one JSON object.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import islice
from threading import Lock, get_ident
from types import ModuleType
from typing import Any, TextIO

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from tests.assurance import Note
from tests.spread import HANDLERS, group_of, is_one_of_several

NAME = "nothing that must not be was logged"

FORBIDDEN = {
    "a token, or base64 of JSON as policies are": ("eyJ", r"eyJ[A-Za-z0-9_-]{10,}(?:\.|[A-Za-z0-9+/_=-]{20})"),
    "an Authorization header": ("earer ", r"[Bb]earer [A-Za-z0-9_-]{8}"),
    "a presigned link or form": ("mz-", r"(?i:x-amz-(?:signature|credential|security-token))"),
    "an AWS key": ("IA", r"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    "the secret key": ("wJalrXUtnFEMI", ""),
    "the session token": ("session-token-of-the-role", ""),
    "a private key": ("-----BEGIN", ""),
    "an e-mail address": ("@", r"(?<=[A-Za-z0-9_.+-])@[A-Za-z0-9-]+\.[A-Za-z]"),
    "a name from a token": ("Lovelace", ""),
    "where a picture was taken": ("51.0", r"51\.0\D+28\.0\D+40\.1"),
    "what a picture was taken with": ("Phone 1", r"Phone 1\b"),
    "a picture's comment": ("private remark", ""),
    "a JPEG": ("JFIF", ""),
    "a JPEG in base64": ("/9j/4", ""),
    "a PNG": ("IHDR", ""),
    "a PNG in base64": ("iVBORw0KGgo", ""),
    "a GIF": ("GIF8", r"GIF8[79]a"),
    "a WebP": ("WEBPVP8", ""),
    "a WebP in base64": ("UklGR", r"UklGR[A-Za-z0-9+/]{3}"),
    "an AVIF": ("ftypavif", ""),
}
"""What no record may hold, by a piece it must have and by its pattern, empty where the piece is enough.

Tests plant some of it: in the identities of events, and in pictures' metadata.
"""

_PATTERNS = {what: (piece, re.compile(pattern)) for what, (piece, pattern) in FORBIDDEN.items()}
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{200,}")
_ISSUED = re.compile(r"[Xx]-[Aa]mz-[Ss]ignature(?:=|\":\")([0-9a-f]{64})")
_SIGNATURE = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}")


class Logbook:
    """What was written, each with the test that brought it about."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.others: list[tuple[str, str]] = []
        self.invocations = 0
        self.signatures: set[str] = set()
        """Of the forms and links that were handed out, which are nobody's business but the client's."""

    def write(self, text: str, test: str) -> None:
        """Takes what was written as lines, each of which is to be one JSON object."""
        self.lines.extend((line, test) for line in text.split("\n") if line)

    def tell(self, text: str, test: str) -> None:
        """Takes what the platform will write in a form of its own."""
        self.others.append((text, test))

    def handed_out(self, answer: object) -> None:
        """Learns the signatures in an answer."""
        if isinstance(answer, dict) and isinstance(body := answer.get("body"), str):
            self.signatures.update(_ISSUED.findall(body))

    def wrongs(self) -> Iterator[str]:
        """Whatever must not be there, each with the test that brought it about."""
        for line, test in self.lines:
            if not is_one_object(line):
                yield f"not one JSON object: {line[:300]!r}, by {test}"
        for line, test in [*self.lines, *self.others]:
            for what in self._forbidden(line):
                yield f"{what}: {line[:600]!r}, by {test}"

    def _forbidden(self, line: str) -> Iterator[str]:
        yield from (what for what, (piece, pattern) in _PATTERNS.items() if piece in line and pattern.search(line))
        if any(len(set(run)) > 20 for run in _BASE64.findall(line)):
            yield "a run of base64"
        if not self.signatures.isdisjoint(_SIGNATURE.findall(line)):
            yield "a signature"


def is_one_object(line: str) -> bool:
    """Whether any reader takes it for one line and one JSON object."""
    try:
        return line.isascii() and line.isprintable() and isinstance(json.loads(line), dict)
    except ValueError:
        return False


class _Tee:
    """Writes to where the text was going, and its lines into the book, once each is whole."""

    def __init__(self, stream: TextIO, write: Callable[[str], None]) -> None:
        self._stream = stream
        self._write = write
        self._parts: dict[int, str] = {}

    def write(self, text: str) -> int:
        """Puts each thread's pieces together."""
        *whole, rest = (self._parts.pop(get_ident(), "") + text).split("\n")
        for line in whole:
            self._write(line)
        if rest:
            self._parts[get_ident()] = rest
        return self._stream.write(text)

    def finish(self) -> TextIO:
        """Takes what did not end its line for one, and steps aside."""
        for line in self._parts.values():
            self._write(line)
        return self._stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Listener(logging.Handler):
    """Sits between the functions and all that they write to. Several may run at once."""

    def __init__(self, *, spread: bool) -> None:
        super().__init__(logging.INFO)
        self.spread = spread
        self.book = Logbook()
        self._test = ""
        self._running = 0
        self._tees: tuple[_Tee, ...] = ()
        self._turn = Lock()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Learns which test runs."""
        self._test = nodeid

    def emit(self, record: logging.LogRecord) -> None:
        """Hears the other loggers, while a function runs."""
        if self._running:
            self.book.tell(record.getMessage(), self._test)

    def written(self, text: str) -> None:
        """Hears the service's own logger, and what is printed."""
        self.book.write(text, self._test)

    def overheard(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """The handler, with somebody listening."""

        @wraps(handler)
        def heard(*arguments: Any) -> Any:
            if self.spread and group_of(self._test) != HANDLERS:
                pytest.fail(f"{self._test} calls handlers: tests/spread.py is to know its folder", pytrace=False)
            self.book.invocations += 1
            with self._listening():
                try:
                    answer = handler(*arguments)
                except BaseException as error:
                    self.book.tell(" from ".join(islice(_told(error), 9)), self._test)
                    raise
            self.book.handed_out(answer)
            return answer

        return heard

    @contextmanager
    def _listening(self) -> Iterator[None]:
        with self._turn:
            if not self._running:
                self._tees = _Tee(sys.stdout, self.written), _Tee(sys.stderr, self.written)
                sys.stdout, sys.stderr = self._tees
            self._running += 1
        try:
            yield
        finally:
            with self._turn:
                self._running -= 1
                if not self._running:
                    sys.stdout, sys.stderr = (tee.finish() for tee in self._tees)


def _told(error: BaseException | None) -> Iterator[str]:
    """What Lambda writes of an exception, and of those it came from."""
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class Overhearing(MetaPathFinder):
    """Brings in functions with somebody listening to their handlers, whoever imports them."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """As Python finds it, for the modules of functions alone."""
        if not re.fullmatch(r"functions\.\w+\.app", name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            loader, execute = spec.loader, spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                vars(module)["handler"] = self._listener.overheard(module.handler)

            vars(loader)["exec_module"] = exec_module
        return spec


class LookingThrough(pytest.Item):
    """The run's last test."""

    book: Logbook
    whole: bool

    def runtest(self) -> None:
        """Fails for whatever must not be there, and where a whole run wrote nothing."""
        note = Note(self)
        note.add("invocations", self.book.invocations)
        note.add("lines looked through", len(self.book.lines))
        note.add("other messages looked through", len(self.book.others))
        wrongs = list(self.book.wrongs())
        if wrongs:
            pytest.fail(f"{len(wrongs)} times logged what must not be:\n" + "\n".join(_some(wrongs)), pytrace=False)
        if self.whole and not self.book.lines:
            pytest.fail("nobody listened: a whole run wrote not one line", pytrace=False)

    def reportinfo(self) -> tuple[str, None, str]:
        """Where it says it is."""
        return __file__, None, NAME


def _some(wrongs: Iterable[str]) -> list[str]:
    """The first few of each kind, as one mistake shows in a thousand tests."""
    kinds: dict[str, list[str]] = {}
    for wrong in wrongs:
        kinds.setdefault(wrong.partition(":")[0], []).append(wrong)
    return [wrong for found in kinds.values() for wrong in found[:5]]


LISTENER = pytest.StashKey[Listener]()


def pytest_configure(config: pytest.Config) -> None:
    """Listens from before any function is imported."""
    listener = Listener(spread=is_one_of_several(config))
    config.stash[LISTENER] = listener
    config.pluginmanager.register(listener)
    finder, format_record = Overhearing(listener), LambdaPowertoolsFormatter.format

    @wraps(format_record)
    def formatted(formatter: LambdaPowertoolsFormatter, record: logging.LogRecord) -> str:
        text = format_record(formatter, record)
        listener.written(text)
        return text

    patch = pytest.MonkeyPatch()
    patch.setattr(LambdaPowertoolsFormatter, "format", formatted)
    patch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    config.add_cleanup(patch.undo)
    logging.getLogger().addHandler(listener)
    config.add_cleanup(lambda: logging.getLogger().removeHandler(listener))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the look through the book behind everything else."""
    if items:
        last = LookingThrough.from_parent(session, name=NAME)
        last.book = config.stash[LISTENER].book
        last.whole = config.args_source is config.ArgsSource.TESTPATHS and not any(
            config.getoption(option, None) for option in ("keyword", "markexpr", "lf")
        )
        last.add_marker(pytest.mark.campaign("Logs"))
        items.append(last)
