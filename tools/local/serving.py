"""Serve WSGI applications on 127.0.0.1 with Werkzeug's threaded server, one connection per request."""

import errno
import socket
import threading
from wsgiref.types import WSGIApplication

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"
BACKLOG = 256
"""Connections that may wait to be accepted: a page with many pictures opens many at once."""


class QuietHandler(WSGIRequestHandler):
    """Write no access log: every part of the stack has a log of its own."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Drop the line."""


def listen(wanted: int) -> socket.socket:
    """Listen on the wanted port, or on a free one if it is in use. 0 means any free port."""
    try:
        return socket.create_server((HOST, wanted), backlog=BACKLOG)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return socket.create_server((HOST, 0), backlog=BACKLOG)


def port_of(listener: socket.socket) -> int:
    """Return the port of a listening socket."""
    return int(listener.getsockname()[1])


def serve(
    app: WSGIApplication, listener: socket.socket, handler: type[WSGIRequestHandler] = QuietHandler
) -> BaseWSGIServer:
    """Serve in a background thread on a listening socket, which this takes over."""
    with listener:
        server = make_server(HOST, port_of(listener), app, threaded=True, request_handler=handler, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    return server
