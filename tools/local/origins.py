"""The origins whose pages may call the local stack: the stack's own, and those of the developer's front ends."""

import re
from dataclasses import dataclass, field

from werkzeug.wrappers import Request, Response

from tools.local import console

ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.*\[\]-]+(:[0-9]+)?")
HINT = "x-local-hint"
"""The header that explains a refused origin."""


def add_origins(own: str, given: str) -> str:
    """Return the template parameter: the stack's own origins, then the given ones. Raise ValueError."""
    listed = [origin.strip() for origin in given.split(",") if origin.strip()]
    if wrong := [origin for origin in listed if not ORIGIN.fullmatch(origin)]:
        raise ValueError(
            f"AllowedOrigins: {', '.join(wrong)} is not an origin. An origin is written as in the browser's Origin "
            "header, such as http://localhost:5173, without a path and without a slash at the end"
        )
    return ",".join(dict.fromkeys([*own.split(","), *listed]))


@dataclass
class Origins:
    """Explains why a browser cannot read an answer."""

    allowed: str
    _explained: set[str] = field(default_factory=set)

    def explain(self, request: Request, response: Response) -> None:
        """Name the setting in a header and, once for each origin, on the console, if the origin is not allowed."""
        origin, allowed = request.headers.get("Origin", ""), self.allowed.split(",")
        if not ORIGIN.fullmatch(origin) or origin in allowed or "*" in allowed:
            return
        hint = f'{origin} is not an allowed origin: make up PARAMS="AllowedOrigins={origin}"'
        response.headers[HINT] = hint
        if origin not in self._explained:
            self._explained.add(origin)
            console.say(f"A browser refuses the answers to its page, because {hint}")
