"""The API's edge, with this deployment's allowed origins."""

from collections.abc import Callable

from profile_media.aws import settings
from profile_media.http import endpoint as edge
from profile_media.http.request import Request, Response


def allowed_origins() -> tuple[str, ...]:
    """Whose pages may call the API."""
    return settings.load(settings.CorsSettings).allowed_origins


def endpoint(dialect: edge.Dialect) -> Callable[[Callable[[Request], Response]], edge.Handler]:
    """Makes a Lambda handler that speaks a dialect."""
    return edge.endpoint(dialect, allowed_origins)
