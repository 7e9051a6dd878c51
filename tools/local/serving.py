"""Serves a WSGI application on 127.0.0.1: a thread for each connection, which is kept, and no log lines."""

import errno
import socket
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
IDLE_SECONDS = 60
"""A connection that says nothing for so long is closed; browsers and SDKs open another."""

CLOSE = "local.close"
"""In the WSGI environment: the connection is not to be used again."""

BACKLOG = 256
"""Connections waiting to be accepted: a page with a hundred pictures opens many at once."""


class QuietHandler(WSGIRequestHandler):
    """Speaks HTTP/1.1 and logs nothing: every part of the stack has a log of its own.

    Werkzeug's own closes every connection, because it does not know where a body that nobody read would end.
    """

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    rfile: Any

    def make_environ(self) -> "WSGIEnvironment":
        """Lets nobody read past the request's body, which is all it takes to keep the connection."""
        environ = super().make_environ()
        length = environ.get("CONTENT_LENGTH") or "0"
        if environ.get("wsgi.input_terminated") or not length.isdecimal():
            environ[CLOSE] = True
        else:
            # Werkzeug drops what is left of the connection once it has answered; so that is only the body.
            self.rfile = environ["wsgi.input"] = LimitedStream(self.rfile, int(length))
        return environ

    def run_wsgi(self) -> None:
        """Answers, then drops what the application left of the body."""
        connection = self.rfile
        super().run_wsgi()
        body, self.rfile = self.rfile, connection
        if isinstance(body, LimitedStream) and not self.close_connection:
            try:
                body.exhaust()
            except ClientDisconnected:
                self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuses what cannot be parsed: it has no environment, perhaps no version, and ends the connection."""
        self.environ = {CLOSE: True}
        self.request_version = self.protocol_version
        super().send_error(code, message, explain)

    def send_header(self, keyword: str, value: str) -> None:
        """Leaves out Werkzeug's own `Connection: close` wherever nobody else wants it."""
        if keyword == "Connection" and not self.environ.get(CLOSE):
            return
        super().send_header(keyword, value)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leaves the line out."""

    def log_error(self, format: str, *args: object) -> None:
        """Leaves the line out: clients that go away are no error here."""


def _noting_close(app: WSGIApplication) -> WSGIApplication:
    """Moves an application's wish to close from its headers to where the handler looks for it."""

    def noting(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            others = [(name, value) for name, value in headers if name.lower() != "connection"]
            if len(others) < len(headers):
                environ[CLOSE] = True
            return start_response(status, others, exc_info)

        return app(environ, start)

    return noting


class _Server(ThreadedWSGIServer):
    daemon_threads = True


def listen(wanted: int) -> socket.socket:
    """Takes the wanted port, or any free one where it is in use; 0 wants any. Nobody else gets it from here on."""
    try:
        return socket.create_server((HOST, wanted), backlog=BACKLOG)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return socket.create_server((HOST, 0), backlog=BACKLOG)


def port_of(listener: socket.socket) -> int:
    """The port that was got."""
    return int(listener.getsockname()[1])


def free_port(wanted: int) -> int:
    """A port that was free just now: for who can bear that somebody else takes it."""
    with listen(wanted) as listener:
        return port_of(listener)


def serve(
    app: WSGIApplication, place: int | socket.socket, name: str, handler: type[QuietHandler] = QuietHandler
) -> BaseWSGIServer:
    """Serves in a background thread, on what `listen` took, or on a port; it is open when this returns.

    Raises OSError for a port that is taken.
    """
    with socket.create_server((HOST, place), backlog=BACKLOG) if isinstance(place, int) else place as listener:
        server = _Server(HOST, port_of(listener), _noting_close(app), handler=handler, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name=name, daemon=True).start()
    return server
